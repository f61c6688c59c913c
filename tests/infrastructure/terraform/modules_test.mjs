// `terraform test` of every module: what its switches do, and what it refuses.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { must, root, terraform, workspace } from './lib/terraform.mjs';

const place = workspace('modules');
for (const module of fs.readdirSync(path.join(root, 'terraform/modules')).sort()) {
    test(`module ${module} does what its tests say`, () => {
        const folder = place.module(module);
        must(folder, ['init', '-no-color', '-input=false', '-backend=false']);
        const { code, out } = terraform(folder, ['test', '-no-color'], { secrets: false });
        assert.equal(code, 0, out);
        assert.match(out, /[1-9][0-9]* passed, 0 failed/);
    });
}
