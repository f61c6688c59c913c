// Reads a plan's JSON: resources with their values, wherever in the modules they stand.
//   const prod = planOf('prod');
//   prod.all('aws_subnet'), prod.one('aws_vpc'), prod.one('aws_subnet', (s) => s.values.cidr_block === …)
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { built } from './terraform.mjs';

function flatten(module, found = []) {
    for (const resource of module.resources ?? []) found.push(resource);
    for (const child of module.child_modules ?? []) flatten(child, found);
    return found;
}

export class Plan {
    constructor(json) {
        this.json = json;
        this.resources = flatten(json.planned_values.root_module).filter(
            (r) => r.mode === 'managed',
        );
        for (const resource of this.resources)
            resource.module = resource.address.match(/^module\.(\w+)/)?.[1];
        this.calls = Object.keys(json.configuration.root_module.module_calls);
    }

    all(type, where = () => true) {
        return this.resources.filter((r) => r.type === type && where(r));
    }

    one(type, where = () => true) {
        const found = this.all(type, where);
        assert.equal(
            found.length,
            1,
            `expected one ${type}, found ${found.map((r) => r.address).join(', ') || 'none'}`,
        );
        return found[0].values;
    }

    at(address) {
        const found = this.resources.find((r) => r.address === address);
        assert.ok(found, `${address} is not in the plan`);
        return found.values;
    }

    has(address) {
        return this.resources.some((r) => r.address === address);
    }
}

const loaded = {};
export function planOf(environment) {
    loaded[environment] ??= new Plan(
        JSON.parse(fs.readFileSync(path.join(built, `${environment}.json`))),
    );
    return loaded[environment];
}

export const bothPlans = () => [
    ['prod', planOf('prod')],
    ['staging', planOf('staging')],
];
export const statements = (policy) => [JSON.parse(policy).Statement].flat();
export const list = (value) => (value === undefined || value === null ? [] : [value].flat());
export const sorted = (values) => [...values].sort();
