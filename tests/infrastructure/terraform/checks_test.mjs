// Every row of the architecture that Terraform builds, over the plans of both environments.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checks } from './checks/index.mjs';
import { planOf } from './lib/plan.mjs';
import { root } from './lib/terraform.mjs';

const plans = { prod: planOf('prod'), staging: planOf('staging') };

for (const { row, says, run } of checks) test(`${row}: ${says}`, () => run(plans));

// Rows that are built with the cluster's own files, not by Terraform.
const OF_THE_CLUSTER = ['EKS-9', 'EKS-10', 'EKS-12', 'MON-3'];

test('every row that Terraform builds has a check, and every check a row', () => {
    const listed = [
        ...fs
            .readFileSync(path.join(root, 'docs/coverage.md'), 'utf8')
            .matchAll(
                /^\| ((?:NET|EKS|RDS|RED|KAF|ALB|CF|WAF|SQS|FN|DDB|S3|APG|SG|IAM|ALM|MON)-\d+) \|/gm,
            ),
    ].map((m) => m[1]);
    assert.ok(listed.length > 80, 'docs/coverage.md lists the rows');
    const checked = new Set(checks.map((c) => c.row));
    assert.deepEqual(
        listed.filter((row) => !checked.has(row) && !OF_THE_CLUSTER.includes(row)),
        [],
        'rows without a check',
    );
    assert.deepEqual(
        [...checked].filter((row) => !row.startsWith('POLICY') && !listed.includes(row)),
        [],
        'checks without a row',
    );
    assert.equal(checked.size, checks.length, 'two checks of one name');
});
