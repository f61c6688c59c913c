// What can be said of terraform/ without a plan.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { variables } from './lib/hcl.mjs';
import { environment, must, root, terraform, workspace } from './lib/terraform.mjs';

const modules = fs
    .readdirSync(path.join(root, 'terraform/modules'))
    .map((m) => `terraform/modules/${m}`);
const folders = [
    ...modules,
    'terraform/bootstrap',
    'terraform/environments/prod',
    'terraform/environments/staging',
];

test('terraform fmt changes nothing', () => {
    const { status, stdout } = spawnSync(
        environment().TERRAFORM,
        ['fmt', '-check', '-recursive', 'terraform'],
        { cwd: root, encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout);
});

test('there are twenty modules, each with main, variables, outputs, versions, tests and a README', () => {
    assert.equal(modules.length, 20);
    for (const module of modules) {
        for (const file of [
            'main.tf',
            'variables.tf',
            'outputs.tf',
            'versions.tf',
            'README.md',
            `tests/${path.basename(module)}.tftest.hcl`,
        ]) {
            assert.ok(fs.existsSync(path.join(root, module, file)), `${module}/${file}`);
        }
        assert.match(
            fs.readFileSync(path.join(root, module, 'README.md'), 'utf8'),
            /## What it costs/,
        );
    }
});

for (const folder of folders) {
    test(`${folder}: every variable has type, description and validation (a bool's type is its validation)`, () => {
        for (const { name, type, description, validated } of variables(path.join(root, folder))) {
            assert.ok(type, `${name} has no type`);
            assert.ok(description?.length > 10, `${name} has no description`);
            assert.ok(validated || type === 'bool', `${name} is not validated`);
        }
    });
}

test("every refusal begins with the variable's name and says what is right", () => {
    for (const folder of folders) {
        for (const { name, body } of variables(path.join(root, folder))) {
            for (const [, message] of body.matchAll(/error_message += "(.*)"/g)) {
                assert.ok(
                    message.startsWith(`${name} `) && message.length > name.length + 8,
                    `${folder}: ${message}`,
                );
            }
        }
    }
});

test('READMEs and examples say what the variables say', () => {
    execFileSync(path.join(root, 'scripts/infrastructure/describe.mjs'), ['--check'], {
        stdio: 'pipe',
    });
});

test('the examples name every variable but the secret ones', () => {
    for (const environmentName of ['prod', 'staging']) {
        const folder = path.join(root, 'terraform/environments', environmentName);
        const text = fs.readFileSync(path.join(folder, 'terraform.tfvars.example'), 'utf8');
        for (const { name, sensitive } of variables(folder)) {
            assert.match(
                text,
                sensitive ? new RegExp(`TF_VAR_${name}`) : new RegExp(`^${name} = `, 'm'),
            );
        }
    }
});

test('resources are switched by booleans, never by what is unknown when planning', () => {
    for (const module of modules) {
        for (const file of fs
            .readdirSync(path.join(root, module))
            .filter((f) => f.endsWith('.tf'))) {
            for (const [line] of fs
                .readFileSync(path.join(root, module, file), 'utf8')
                .matchAll(/^ +count += .*$/gm)) {
                assert.doesNotMatch(
                    line,
                    /!= null|== null|!= ""|== ""/,
                    `${module}/${file}: ${line.trim()}`,
                );
            }
        }
    }
});

test("no wildcard and no account id stands in a variable's default", () => {
    for (const folder of folders) {
        for (const { name, default: value } of variables(path.join(root, folder))) {
            assert.doesNotMatch(value ?? '', /[0-9]{12}|"\*"/, `${folder}: ${name}`);
        }
    }
});

test('bootstrap does what its tests say', () => {
    const folder = path.join(workspace('bootstrap').path, 'terraform/bootstrap');
    must(folder, ['init', '-no-color', '-input=false']);
    const { code, out } = terraform(folder, ['test', '-no-color'], { secrets: false });
    assert.equal(code, 0, out);
});

test('docs/cost.md says what its script computes', () => {
    execFileSync(path.join(root, 'scripts/infrastructure/cost.mjs'), ['--check'], {
        stdio: 'pipe',
    });
});

test('the costs count what prod has', async () => {
    const { idle } = await import('../../../scripts/infrastructure/cost.mjs');
    const line = (text) => idle.some(([, what]) => what.includes(text));
    const value = (name) =>
        variables(path.join(root, 'terraform/environments/prod'))
            .find((v) => v.name === name)
            .default.replaceAll(/["[\]]/g, '');
    assert.ok(
        line(
            `${value('nodes_desired')} ${value('node_instance_types')} with ${value('node_disk_gb')} GB`,
        ),
    );
    assert.ok(line(`${value('redis_nodes')} ${value('redis_node_type')}`));
    assert.ok(
        line(
            `${value('kafka_brokers')} ${value('kafka_instance_type')}, ${value('kafka_disk_gb')} GB`,
        ),
    );
    assert.ok(line(`${value('database_class')}, Multi-AZ, ${value('database_storage_gb')} GB`));
});
