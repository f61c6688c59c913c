// Plants each mistake in a copy of terraform/ and sees the named check notice it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checks } from '../checks/index.mjs';
import { Plan } from '../lib/plan.mjs';
import { must, planJson, root, workspace } from '../lib/terraform.mjs';
import { mistakes } from './mistakes.mjs';

const place = workspace('mistakes');
const plans = {};
for (const environment of ['prod', 'staging'])
    must(place.environment(environment), ['init', '-no-color', '-input=false']);
plans.staging = new Plan(planJson(place.environment('staging')));

function noticed(prod) {
    return checks
        .filter(({ run }) => {
            try {
                run({ prod, staging: plans.staging });
                return false;
            } catch {
                return true;
            }
        })
        .map((c) => c.row);
}

test('nothing is noticed where nothing is planted', () => {
    assert.deepEqual(noticed(new Plan(planJson(place.environment('prod')))), []);
});

for (const { says, file, from, to, caught } of mistakes) {
    test(`noticed by ${caught}: ${says}`, async () => {
        await new Promise(setImmediate); // so that the reporter keeps up
        const target = path.join(place.path, file);
        const text = fs.readFileSync(target, 'utf8');
        assert.ok(text.includes(from), `${file} no longer says what the mistake changes`);
        try {
            fs.writeFileSync(target, text.replace(from, to));
            if (file.endsWith('main.tf')) must(place.environment('prod'), ['get', '-no-color']);
            const found = noticed(new Plan(planJson(place.environment('prod'))));
            assert.ok(found.includes(caught), `noticed by ${found.join(', ') || 'nothing'}`);
        } finally {
            fs.writeFileSync(target, text);
        }
    });
}

test('docs/infrastructure.md lists every mistake with what notices it', () => {
    const text = fs.readFileSync(path.join(root, 'docs/infrastructure.md'), 'utf8');
    for (const { says, caught } of mistakes)
        assert.ok(text.includes(`| ${says} | ${caught} |`), says);
});
