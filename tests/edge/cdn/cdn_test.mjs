// The way from browser to seat with the edge in it: a CDN made from the plan stands before the real program.
//   URR=build/release/urr node --test tests/edge/cdn/cdn_test.mjs        (after tests/infrastructure/…/prepare.mjs)
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { authorizer } from '../../../edge/authorizer/index.mjs';
import { keysIn } from '../../../edge/package/packages.mjs';
import { tokenCheck } from '../../../edge/token-check/index.mjs';
import { Verifier } from '../../../edge/token-check/tokens.mjs';
import { SENTINEL, built, root } from '../../infrastructure/terraform/lib/terraform.mjs';
import { Cdn, lifetime } from './cdn.mjs';
import { pattern, siteOf } from './site.mjs';

const plan = path.join(built, 'prod.json');
const urr = [process.env.URR, 'build/release/urr', 'build/dev/urr']
    .filter(Boolean)
    .map((p) => path.resolve(root, p))
    .find((p) => fs.existsSync(p));
const skip = urr ? false : 'NO PROGRAM: build it, or name it by URR';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'urr-cdn-'));
const site = siteOf(plan);

const freePort = () =>
    new Promise((done) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });

const files = {
    '/vwr/index.html': 'index.html',
    '/vwr/assets/waiting.css': 'waiting.css',
    '/vwr/assets/waiting.js': 'waiting.js',
};
let program, frontend, cdn, base, event, rush, fan, options;

async function start() {
    const [port, room] = [await freePort(), await freePort()];
    const env = {
        ...process.env,
        URR_DATA: path.join(folder, 'data'),
        URR_PORT: String(port),
        URR_VWR_PORT: String(room),
        URR_TRUSTED_PROXIES: '127.0.0.1/32',
        URR_LIMIT_QUEUE: '6000',
        URR_LIMIT_BOOKING: '600',
        URR_LIMIT_GENERAL: '60000',
        URR_RATE_ADAPTIVE: 'yes',
    };
    const run = (...args) => execFileSync(urr, args, { env, encoding: 'utf8' });
    run('keys');
    event = run('seed', '--seats', '60').split(' ')[0];
    rush = run('seed', '--seats', '40').split(' ')[0];
    fan = run('token', 'mint').split(' ')[1].trim();
    fs.writeFileSync(path.join(folder, 'accounts'), run('token', 'mint', '--count', '60'));
    fs.writeFileSync(path.join(folder, 'stores'), `folder=${env.URR_DATA}\n`);
    program = spawn(urr, ['serve'], { env, stdio: 'ignore' });
    frontend = http.createServer((request, response) =>
        response.end(`page ${request.url} ${request.headers['x-user-id'] ?? ''}`),
    );
    await new Promise((done) => frontend.listen(0, '127.0.0.1', done));
    options = {
        site,
        check: tokenCheck(new Verifier(keysIn(path.join(env.URR_DATA, 'keys')))),
        targets: {
            3001: `http://127.0.0.1:${port}`,
            3000: `http://127.0.0.1:${frontend.address().port}`,
            api: `http://127.0.0.1:${port}`,
        },
        files: Object.fromEntries(
            Object.entries(files).map(([uri, file]) => [
                uri,
                path.join(root, 'edge/waiting', file),
            ]),
        ),
        authorize: authorizer(async () => JSON.stringify({ current: SENTINEL })),
    };
    cdn = new Cdn(options);
    base = await cdn.listen();
    await until(async () => (await ask(`/vwr-api/vwr/status/${event}`)).json.state === 'open');
}

async function ask(uri, { method = 'GET', headers = {}, json, at = base } = {}) {
    const response = await fetch(at + uri, {
        method,
        redirect: 'manual',
        headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
        body: json && JSON.stringify(json),
    });
    const text = await response.text();
    let parsed = {};
    try {
        parsed = JSON.parse(text);
    } catch {
        /* a page */
    }
    return { status: response.status, headers: response.headers, text, json: parsed };
}

async function until(holds) {
    for (let i = 0; i < 900; ++i) {
        try {
            if (await holds()) return;
        } catch {
            /* not yet there */
        }
        await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail(`never came: ${holds}`);
}

test('paths are matched as CloudFront matches them', () => {
    assert.ok(
        pattern('/static/*').test('/static/a/b.js') &&
            !pattern('/static/*').test('/_next/static/a') &&
            pattern('/a?.c').test('/ab.c') &&
            !pattern('/a.c').test('/abc'),
    );
    const first = (uri) => site.behaviors.find((b) => b.matches.test(uri)).path;
    assert.deepEqual(
        ['/static/a', '/_next/static/a', '/vwr/x', '/vwr-api/x', '/vwr', '/api/v1/events'].map(
            first,
        ),
        ['/static/*', '/_next/static/*', '/vwr/*', '/vwr-api/*', '*', '*'],
    );
});

test('an answer is kept as long as it says, within the policy; errors and private ones are not', () => {
    const room = { min: 0, default: 0, max: 1 };
    const of = (said, status = 200) =>
        lifetime(room, { status, headers: said === undefined ? {} : { 'cache-control': said } });
    assert.deepEqual(
        [
            of('max-age=1'),
            of('public, max-age=60'),
            of(undefined),
            of('no-store'),
            of('private, max-age=9'),
            of('max-age=1', 404),
            of('s-maxage=0, max-age=9'),
        ],
        [1, 1, 0, 0, 0, 0, 0],
    );
});

test('with the edge before the program', { skip }, async (t) => {
    await start();
    const account = { authorization: `Bearer ${fan}` };
    let room, entry;

    await t.test(
        'the waiting page comes from the files, for every event, with the security headers',
        async () => {
            const page = await ask(`/vwr/${event}`);
            assert.deepEqual(
                [page.status, page.headers.get('content-type')],
                [200, 'text/html; charset=utf-8'],
            );
            assert.match(page.text, /waiting.js/);
            for (const [name, value] of [
                ['x-frame-options', 'DENY'],
                ['x-content-type-options', 'nosniff'],
            ])
                assert.equal(page.headers.get(name), value);
            assert.match(page.headers.get('strict-transport-security'), /max-age=63072000/);
            assert.equal((await ask('/vwr/assets/waiting.js')).status, 200);
            assert.equal((await ask('/vwr/assets/other.js')).status, 403);
        },
    );

    await t.test(
        'without a token the queue page leads back and seats are closed, at the edge',
        async () => {
            const before = cdn.fetches.length;
            const page = await ask(`/queue/${event}`);
            assert.deepEqual(
                [page.status, page.headers.get('location')],
                [302, `/events/${event}`],
            );
            for (const uri of [`/api/v1/seats/${event}`, `/api/v1/%73eats/${event}`])
                assert.equal(
                    (await ask(uri, { headers: account })).json.code,
                    'ENTRY_TOKEN_REQUIRED',
                );
            assert.equal(cdn.fetches.length, before, 'nothing reached an origin');
        },
    );

    await t.test('number, admission, queue page, line, seat, payment, ticket', async () => {
        const {
            json: { requestId },
        } = await ask(`/vwr-api/vwr/assign/${event}`, { method: 'POST' });
        await until(
            async () => (room = (await ask(`/vwr-api/vwr/check/${event}/${requestId}`)).json.token),
        );
        const page = await ask(`/queue/${event}`, {
            headers: { cookie: `urr-vwr-token=${room}`, 'X-User-Id': 'me' },
        });
        assert.deepEqual([page.status, page.text], [200, `page /queue/${event} `]);
        await ask(`/api/v1/queue/${event}/entry`, {
            method: 'POST',
            headers: { ...account, 'x-urr-vwr-token': room },
        });
        await until(
            async () =>
                (entry = (await ask(`/api/v1/queue/${event}/status`, { headers: account })).json
                    .entryToken),
        );
        const inside = { ...account, 'x-queue-entry-token': entry };
        assert.equal((await ask(`/api/v1/seats/${event}`, { headers: inside })).status, 200);
        const held = await ask('/api/v1/reservations', {
            method: 'POST',
            headers: { ...inside, 'idempotency-key': 'a' },
            json: { eventId: event, seats: [7] },
        });
        assert.equal(held.status, 201, held.text);
        const paid = await ask(`/api/v1/payments/${held.json.id}/confirm`, {
            method: 'POST',
            headers: { ...account, 'idempotency-key': 'b' },
            json: { cardNumber: '4242424242424242' },
        });
        assert.match(paid.text, /captured/);
        await until(async () =>
            (await ask('/api/v1/tickets/mine', { headers: account })).text.includes('"seat":7'),
        );
    });

    await t.test('tokens of another kind, cut or of nobody do not pass', async () => {
        for (const token of [
            room,
            entry.slice(0, -1),
            `${entry}A`,
            entry.replace(/\.[^.]*$/, '.'),
            'x'.repeat(3000),
        ]) {
            assert.equal(
                (
                    await ask(`/api/v1/seats/${event}`, {
                        headers: { ...account, 'x-queue-entry-token': token },
                    })
                ).json.code,
                'ENTRY_TOKEN_INVALID',
            );
        }
        for (const cookie of [
            `urr-vwr-token=${entry}`,
            `urr-place=${room}`,
            `urr-vwr-token=${room.slice(1)}`,
        ]) {
            assert.equal((await ask(`/queue/${event}`, { headers: { cookie } })).status, 302);
        }
    });

    await t.test('whoever goes past the CDN, or guesses its header, is refused', async () => {
        const past = new Cdn({
            ...options,
            site: { ...site, origins: { alb: {}, s3: {}, api: {} } },
        });
        const at = await past.listen();
        for (const headers of [{}, { 'x-custom-header': 'guess-guess-guess-guess-guess-guess' }]) {
            assert.equal((await ask('/api/v1/events', { at, headers })).status, 403);
            assert.equal(
                (await ask(`/vwr-api/vwr/assign/${event}`, { at, method: 'POST', headers })).status,
                403,
            );
        }
        past.close();
        assert.equal(
            (await ask('/api/v1/events', { headers: { 'x-custom-header': 'guess' } })).status,
            200,
            'the CDN puts its own on',
        );
    });

    await t.test("only the API's routes and methods exist", async () => {
        for (const uri of [
            '/vwr-api/vwr/other',
            '/vwr-api/',
            `/vwr-api/vwr/status/${event}/x`,
            '/vwr-api/api/v1/events',
        ])
            assert.equal((await ask(uri)).status, 404, uri);
        assert.equal((await ask('/static/a.js', { method: 'POST' })).status, 403);
        const forged = await ask(`/vwr-api/vwr/rooms/${event}`, {
            method: 'PUT',
            json: { epoch: 1, sequence: 1, state: 'open', rate: 1e6 },
        });
        assert.ok(
            forged.status === 401 || forged.status === 403 || forged.status === 404,
            String(forged.status),
        );
    });

    await t.test('10,000 waiting pages cost the origin at most 10 requests a second', async () => {
        const before = cdn.fetches.length,
            agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
        const poll = () =>
            new Promise((done, fail) =>
                http
                    .get(
                        `${base}/vwr-api/vwr/status/${event}?page=${Math.random()}`,
                        { agent, headers: { cookie: `a=${Math.random()}` } },
                        (answer) => {
                            answer
                                .resume()
                                .on('end', () =>
                                    answer.statusCode === 200
                                        ? done()
                                        : fail(new Error(String(answer.statusCode))),
                                );
                        },
                    )
                    .on('error', fail),
            );
        await Promise.all(Array.from({ length: 10_000 }, poll));
        agent.destroy();
        const times = cdn.fetches.slice(before).map((f) => f.at);
        for (const from of times)
            assert.ok(
                times.filter((at) => at >= from && at < from + 1000).length <= 10,
                `${times.length} in all`,
            );
    });

    await t.test('a stampede through the edge sells out and its audit is right', () => {
        // spawnSync would stop this process, which is the CDN: the fans run beside it.
        return new Promise((done, fail) => {
            const fans = spawn(
                urr,
                [
                    'stampede',
                    '--target',
                    base,
                    '--accounts',
                    path.join(folder, 'accounts'),
                    '--stores',
                    path.join(folder, 'stores'),
                    '--fans',
                    '55',
                    '--event',
                    rush,
                    '--report',
                    path.join(folder, 'report.json'),
                ],
                { stdio: ['ignore', 'pipe', 'pipe'] },
            );
            let said = '';
            for (const stream of [fans.stdout, fans.stderr])
                stream.on('data', (part) => (said += part));
            fans.on('exit', (code) =>
                code === 0 &&
                fs.readFileSync(path.join(folder, 'report.json'), 'utf8').includes('"ok":true')
                    ? done()
                    : fail(
                          new Error(
                              said + fs.readFileSync(path.join(folder, 'report.json'), 'utf8'),
                          ),
                      ),
            );
        });
    });

    program.kill('SIGTERM');
    assert.equal(await new Promise((done) => program.on('exit', done)), 0, 'the program ends well');
});

test.after(() => {
    cdn?.close();
    frontend?.closeAllConnections();
    frontend?.close();
    program?.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
});
