// The packages: small, self-contained, the same bytes for the same content, with the keys in them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { PACKAGE_MAX, checkKeys, keysIn, packages } from '../../edge/package/packages.mjs';
import { crc32, zip } from '../../edge/package/zip.mjs';
import { EVENT, request, signer } from './tokens.mjs';

const edge = new URL('../../edge', import.meta.url).pathname;
const signers = ['vwr', 'place', 'entry'].map((type) => signer(type, `${type}-1`));
const keys = signers.map((s) => s.public);

test('the archive is a ZIP that others can read', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-zip-'));
    const file = path.join(folder, 'a.zip');
    fs.writeFileSync(
        file,
        zip([
            { name: 'bootstrap', content: 'run', executable: true },
            { name: 'b.txt', content: '가' },
        ]),
    );
    const read = execFileSync(
        'python3',
        [
            '-c',
            'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n' +
                'for i in z.infolist(): print(i.filename, oct(i.external_attr >> 16), z.read(i).decode())',
            file,
        ],
        { encoding: 'utf8' },
    );
    assert.deepEqual(read.trim().split('\n'), ['bootstrap 0o100755 run', 'b.txt 0o100644 가']);
    fs.rmSync(folder, { recursive: true });
});

test('the same content makes the same bytes', () =>
    assert.deepEqual(packages(edge, keys), packages(edge, keys)));

test('each package has at most 1 MiB', () => {
    for (const bytes of Object.values(packages(edge, keys)))
        assert.ok(bytes.length < PACKAGE_MAX && bytes.length < 20_000);
    assert.throws(() => packages(edge, keys, 100), {
        message: /token-check.zip has \d+ bytes \(at most 100\)/,
    });
});

test('the package runs by itself, with the keys that were put in', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-package-'));
    const file = path.join(folder, 'a.zip');
    fs.writeFileSync(file, packages(edge, keys)['token-check.zip']);
    execFileSync('python3', ['-m', 'zipfile', '-e', file, folder]);
    const { handler } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
    const ask = (token) =>
        handler({
            Records: [
                {
                    cf: {
                        config: { requestId: 'r' },
                        request: request(`/queue/${EVENT}`, { cookie: `urr-vwr-token=${token}` }),
                    },
                },
            ],
        });
    assert.equal((await ask(signers[0].token({ exp: 4_000_000_000 }))).uri, `/queue/${EVENT}`);
    assert.equal((await ask(signer('vwr', 'vwr-1').token({ exp: 4_000_000_000 }))).status, '302');
    fs.rmSync(folder, { recursive: true });
});

test("the edge's code depends on Node alone", () => {
    for (const file of fs.readdirSync(path.join(edge, 'token-check'))) {
        const text = fs.readFileSync(path.join(edge, 'token-check', file), 'utf8');
        for (const [, from] of text.matchAll(/^import .* from '([^']+)'/gm))
            assert.match(from, /^(node:|\.\/)/);
        assert.doesNotMatch(text, /process\.env|fetch\(/);
    }
});

test('keys that a verifier could not use are refused', () => {
    const refused = (list, why) => assert.throws(() => checkKeys(list), { message: why });
    refused([{ ...keys[0], kid: '' }], /no kid/);
    refused([{ ...keys[0], until: 'soon' }], /no second/);
    refused([{ ...keys[0], x: 'AAAA' }], /not an Ed25519/);
    refused(keys.slice(1), /no lasting key of type vwr/);
    refused([{ ...keys[0], until: 1 }, ...keys.slice(1)], /no lasting key of type vwr/);
});

test('a key that was replaced stands beside the new one until it ends', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-keys-'));
    for (const { type, kid, x } of keys)
        fs.writeFileSync(path.join(folder, `${type}.pub`), `${kid} ${x}\n`);
    fs.writeFileSync(path.join(folder, 'vwr.previous.pub'), `old ${keys[0].x} 1800000000\n`);
    fs.writeFileSync(path.join(folder, 'vwr.key'), 'private');
    fs.writeFileSync(path.join(folder, 'access.pub'), 'for others');
    assert.deepEqual(
        keysIn(folder).map(({ type, kid, until }) => [type, kid, until]),
        [
            ['vwr', 'vwr-1', undefined],
            ['vwr', 'old', 1_800_000_000],
            ['place', 'place-1', undefined],
            ['entry', 'entry-1', undefined],
        ],
    );
    fs.rmSync(folder, { recursive: true });
});

test('the packaging writes both packages, and says what is wrong with its use', () => {
    const build = path.join(edge, 'package/build');
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-build-'));
    const file = path.join(folder, 'keys');
    fs.mkdirSync(file);
    for (const { type, kid, x } of keys)
        fs.writeFileSync(path.join(file, `${type}.pub`), `${kid} ${x}\n`);
    assert.match(
        execFileSync(build, ['--keys', file, '--out', folder], { encoding: 'utf8' }),
        /token-check.zip: \d+ bytes\n.*authorizer.zip/,
    );
    assert.deepEqual(
        fs.readFileSync(path.join(folder, 'token-check.zip')),
        packages(edge, keys)['token-check.zip'],
    );
    for (const wrong of [[], ['--keys'], ['--out', folder], ['--keys', file, '--outside', folder]])
        assert.equal(spawnSync(build, wrong).status, 2);
    const { status, stderr } = spawnSync(build, ['--keys', '/nowhere'], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /ENOENT/);
    fs.rmSync(folder, { recursive: true });
});
