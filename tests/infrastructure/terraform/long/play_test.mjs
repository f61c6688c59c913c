// Plays both environments against the stand-in: apply, an empty second plan, a change of each variable,
// each bad value refused, destroy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { zip } from '../../../../edge/package/zip.mjs';
import { variables } from '../lib/hcl.mjs';
import { SENTINEL, must, root, terraform, workspace } from '../lib/terraform.mjs';
import { bad } from './bad-values.mjs';
import { changes, unplayed } from './changes.mjs';

const given = (name, value) => (typeof value === 'object' ? value : { [name]: value });
const flags = (values) =>
    Object.entries(values).flatMap(([name, value]) => ['-var', `${name}=${value}`]);

// A turn of the loop between steps, so that the reporter keeps up.
const step = (name, run) =>
    test(name, async () => {
        await new Promise(setImmediate);
        run();
    });

// The changes of a plan as `action address`, from the messages of `plan -json`.
function changed(folder, values) {
    const { stdout } = must(folder, [
        'plan',
        '-json',
        '-input=false',
        '-refresh=false',
        ...flags(values),
    ]);
    return stdout
        .split('\n')
        .filter((line) => line.includes('"planned_change"'))
        .map(JSON.parse)
        .map(({ change: { action, resource } }) => `${action} ${resource.addr}`)
        .filter((line) => !line.startsWith('read '));
}

for (const environment of ['prod', 'staging']) {
    const place = workspace(`play-${environment}`);
    const folder = place.environment(environment);
    fs.writeFileSync(
        path.join(place.path, 'build/other.zip'),
        zip([{ name: 'other', content: 'other' }]),
    );
    fs.writeFileSync(
        path.join(place.path, 'build/other.js'),
        'function handler(event) { return event.request; } // other\n',
    );

    step(`${environment}: the whole environment is applied`, () => {
        must(folder, ['init', '-no-color', '-input=false']);
        const { out } = must(folder, ['apply', '-no-color', '-input=false', '-auto-approve']);
        assert.match(out, /Apply complete! Resources: [1-9][0-9]{2} added, 0 changed, 0 destroyed/);
    });

    step(`${environment}: a second plan is empty`, () => {
        const { code, out } = terraform(folder, [
            'plan',
            '-no-color',
            '-input=false',
            '-detailed-exitcode',
        ]);
        assert.equal(code, 0, out);
    });

    step(
        `${environment}: no password is in the state, the header's value only where AWS wants it`,
        () => {
            const state = JSON.parse(
                fs.readFileSync(path.join(folder, 'terraform.tfstate'), 'utf8'),
            );
            for (const { type, name, instances } of state.resources) {
                const text = JSON.stringify(instances);
                if (!['aws_cloudfront_distribution', 'aws_lb_listener_rule'].includes(type))
                    assert.ok(!text.includes(SENTINEL), `${type}.${name}`);
                assert.doesNotMatch(
                    text,
                    /"(password|auth_token|secret_string)":"(?!password\.|auth-token\.)[^"]+"/,
                    `${type}.${name}`,
                );
            }
        },
    );

    for (const [name, [value, expected]] of Object.entries(changes[environment])) {
        step(`${environment}: a change of ${name} makes the plan that it should`, () => {
            const found = changed(folder, given(name, value));
            for (const pattern of expected)
                assert.ok(
                    found.some((line) => new RegExp(`^${pattern}$`).test(line)),
                    `no ${pattern} in\n${found.join('\n')}`,
                );
            const strangers = found.filter(
                (line) => !expected.some((pattern) => new RegExp(`^${pattern}$`).test(line)),
            );
            assert.deepEqual(strangers, []);
        });
    }

    for (const round of bad[environment]) {
        let refusals;
        step(`${environment}: ${Object.keys(round).length} bad values are refused`, () => {
            const values = Object.assign(
                {},
                ...Object.entries(round).map(([name, value]) => given(name, value)),
            );
            const { code, out } = terraform(folder, [
                'plan',
                '-no-color',
                '-input=false',
                '-refresh=false',
                ...flags(values),
            ]);
            assert.notEqual(code, 0);
            refusals = out
                .replaceAll(/\s+/g, ' ')
                .split('Error: ')
                .filter((text) => text.startsWith('Invalid value for variable'));
        });
        for (const name of Object.keys(round)) {
            step(`${environment}: a bad ${name} is refused with a clear line`, () => {
                assert.equal(
                    refusals.filter((text) => new RegExp(` ${name} (must|needs|may)`).test(text))
                        .length,
                    1,
                    refusals.join('\n'),
                );
            });
        }
    }

    step(`${environment}: everything is destroyed`, () => {
        const { out } = must(folder, ['destroy', '-no-color', '-input=false', '-auto-approve']);
        assert.match(out, /Destroy complete! Resources: [1-9][0-9]{2} destroyed/);
        assert.equal(
            JSON.parse(fs.readFileSync(path.join(folder, 'terraform.tfstate'), 'utf8')).resources
                .length,
            0,
        );
    });
}

test('every variable is played, and every one that can be wrong is tried wrong', () => {
    for (const environment of ['prod', 'staging']) {
        for (const { name, type } of variables(
            path.join(root, 'terraform/environments', environment),
        )) {
            assert.ok(
                changes.prod[name] || changes.staging[name] || unplayed[name],
                `${name} is not played`,
            );
            assert.ok(
                type === 'bool' || [...bad.prod, ...bad.staging].some((round) => name in round),
                `${name} is not tried wrong`,
            );
        }
    }
});
