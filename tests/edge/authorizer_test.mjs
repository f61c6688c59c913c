// Who may call the waiting room's API: what carries the header's value, or while rotating the one before.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { authorizer } from '../../edge/authorizer/index.mjs';

const current = 'c'.repeat(32),
    previous = 'p'.repeat(32);
const ask = (decide, value) =>
    decide({ headers: value === undefined ? {} : { 'x-custom-header': value } });

test('the current and the previous value are admitted, nothing else', async () => {
    const decide = authorizer(async () => JSON.stringify({ current, previous }));
    for (const value of [current, previous])
        assert.deepEqual(await ask(decide, value), { isAuthorized: true });
    for (const value of [undefined, '', 'x'.repeat(32), `${current}c`, current.slice(1)])
        assert.deepEqual(await ask(decide, value), { isAuthorized: false });
    assert.deepEqual(await decide({}), { isAuthorized: false });
});

test('a value that is missing or too short admits nobody', async () => {
    for (const secret of [
        {},
        { current: '' },
        { current: 'short' },
        { current: null, previous: 7 },
    ]) {
        const decide = authorizer(async () => JSON.stringify(secret));
        for (const value of ['', 'short', undefined])
            assert.deepEqual(await ask(decide, value), { isAuthorized: false });
    }
});

test('the secret is read once in five minutes, and again afterwards', async () => {
    let now = 0,
        reads = 0,
        value = current;
    const decide = authorizer(
        async () => (++reads, JSON.stringify({ current: value })),
        () => now,
    );
    await ask(decide, current);
    now = 299_999;
    await ask(decide, current);
    assert.equal(reads, 1);
    value = 'n'.repeat(32);
    now = 300_000;
    assert.deepEqual(await ask(decide, current), { isAuthorized: false });
    assert.deepEqual([reads, (await ask(decide, value)).isAuthorized], [2, true]);
});

test('a secret that cannot be read is an error, not a way in', async () => {
    const decide = authorizer(async () => {
        throw new Error('away');
    });
    await assert.rejects(ask(decide, current), /away/);
});

test('the handler asks Secrets Manager for the secret that its environment names', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-authorizer-'));
    const sdk = path.join(folder, 'node_modules/@aws-sdk/client-secrets-manager');
    fs.mkdirSync(sdk, { recursive: true });
    fs.writeFileSync(path.join(sdk, 'package.json'), '{"type": "module", "exports": "./index.js"}');
    fs.writeFileSync(
        path.join(sdk, 'index.js'),
        `export class SecretsManager {
    async getSecretValue({ SecretId }) { return { SecretString: JSON.stringify({ current: SecretId }) }; }
  }`,
    );
    fs.copyFileSync(
        new URL('../../edge/authorizer/index.mjs', import.meta.url),
        path.join(folder, 'index.mjs'),
    );
    process.env.ORIGIN_SECRET_ARN = current;
    const { handler } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
    for (const [value, isAuthorized] of [
        [current, true],
        [previous, false],
    ])
        assert.deepEqual(await ask(handler, value), { isAuthorized });
    fs.rmSync(folder, { recursive: true });
});
