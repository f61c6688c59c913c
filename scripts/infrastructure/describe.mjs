#!/usr/bin/env node
// Writes the parts of terraform/ that follow from its variables: the tables of inputs and outputs in each
// module's README.md (between the marks) and the environments' terraform.tfvars.example.
// `describe.mjs --check` changes nothing and exits 1 where something is out of date.
import fs from 'node:fs';
import path from 'node:path';
import { outputs, variables } from '../../tests/infrastructure/terraform/lib/hcl.mjs';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const check = process.argv.includes('--check');
const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

function tables(folder) {
    const inputs = variables(folder).map(
        ({ name, type, default: value, description }) =>
            `| \`${name}\` | \`${cell(type)}\` | ${value === undefined ? 'required' : `\`${cell(value)}\``} | ${cell(description)} |`,
    );
    const results = outputs(folder).map(
        ({ name, description }) => `| \`${name}\` | ${cell(description)} |`,
    );
    return [
        '<!-- inputs and outputs: written by scripts/infrastructure/describe.mjs -->',
        '## Inputs',
        '',
        '| name | type | default | meaning |',
        '|---|---|---|---|',
        ...inputs,
        '',
        '## Outputs',
        '',
        '| name | meaning |',
        '|---|---|',
        ...results,
        '',
    ].join('\n');
}

// What has no default needs a value to be an example.
const EXAMPLES = { domain_name: '"urr.example"', github_repository: '"owner/urr"' };

function example(folder) {
    const lines = variables(folder).map(({ name, description, sensitive, default: value }) => {
        if (sensitive) return `# ${description}\n#   export TF_VAR_${name}='["…"]'\n`;
        return `# ${description}\n${name} = ${(value ?? EXAMPLES[name]).replaceAll(/\n {2}/g, '\n')}\n`;
    });
    return (
        `# Copy to terraform.tfvars. Every setting of this environment with its default; those without one\n` +
        `# (domain and repository) hold an example.\n\n${lines.join('\n')}`
    );
}

let stale = 0;
function write(file, text) {
    const old = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    if (old === text) return;
    stale += 1;
    if (check)
        console.error(
            `out of date: ${path.relative(root, file)} (run scripts/infrastructure/describe.mjs)`,
        );
    else fs.writeFileSync(file, text);
}

const modules = path.join(root, 'terraform/modules');
for (const module of fs.readdirSync(modules)) {
    const file = path.join(modules, module, 'README.md');
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : `# ${module}\n\n`;
    write(
        file,
        text.replace(/<!-- inputs and outputs[\s\S]*$/, '') + tables(path.join(modules, module)),
    );
}
for (const environment of ['prod', 'staging']) {
    const folder = path.join(root, 'terraform/environments', environment);
    write(path.join(folder, 'terraform.tfvars.example'), example(folder));
}
process.exit(check && stale > 0 ? 1 : 0);
