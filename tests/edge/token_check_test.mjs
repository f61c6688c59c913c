// The token check at the edge, by unit: who passes, who is sent back, who is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { problem } from '../../edge/token-check/answers.mjs';
import { handler, tokenCheck } from '../../edge/token-check/index.mjs';
import { Verifier } from '../../edge/token-check/tokens.mjs';
import { EVENT, NOW, OTHER, request, signer } from './tokens.mjs';

const vwr = signer('vwr', 'v1'),
    place = signer('place', 'p1'),
    entry = signer('entry', 'e1');
const verifier = new Verifier(
    [vwr, place, entry].map((s) => s.public),
    () => NOW,
);
const check = tokenCheck(verifier);
const code = (answer) => JSON.parse(answer.body).code;
const passes = (asked) => assert.equal(check(asked), asked);
const refuses = (asked, expected, status = '403') => {
    const answer = check(asked);
    assert.equal(answer.status, status);
    assert.equal(code(answer), expected);
};
const sendsBack = (asked, event = EVENT) => {
    const answer = check(asked);
    assert.deepEqual(
        [answer.status, answer.headers.location[0].value],
        ['302', `/events/${event}`],
    );
};

const queue = `/queue/${EVENT}`,
    seats = `/api/v1/seats/${EVENT}`;

test('the queue page opens with a waiting-room token or a place of this event', () => {
    passes(request(queue, { cookie: `urr-vwr-token=${vwr.token()}` }));
    passes(request(queue, { cookie: `a=b; urr-place=${place.token()}` }));
    passes(request(`${queue}/`, { cookie: ['x=1', `urr-place=${place.token()}`] }));
});

test('the queue page sends back who has none, or one of another event or kind', () => {
    sendsBack(request(queue));
    sendsBack(request(queue, { cookie: 'urr-vwr-token=' }));
    sendsBack(request(queue, { cookie: `urr-vwr-token=${vwr.token({ event: OTHER })}` }));
    sendsBack(request(queue, { cookie: `urr-vwr-token=${place.token()}` }));
    sendsBack(request(queue, { cookie: `urr-place=${vwr.token()}` }));
    sendsBack(request(`/queue/${OTHER}`, { cookie: `urr-vwr-token=${vwr.token()}` }), OTHER);
});

test('of two cookies of one name either may be the right one, of many the first eight count', () => {
    const right = `urr-vwr-token=${vwr.token()}`,
        wrong = `urr-vwr-token=${vwr.token({ event: OTHER })}`;
    passes(request(queue, { cookie: `${wrong}; ${right}` }));
    sendsBack(request(queue, { cookie: [...Array(8).fill(wrong), right].join('; ') }));
});

test("what is not an event's queue page is not asked for a token", () => {
    for (const uri of [
        '/',
        '/queue',
        '/queue/abc',
        `/queues/${EVENT}`,
        `/events/${EVENT}`,
        '/api/v1/events',
        '/api/v1/seatsmap',
        '/api/v1/seats',
    ]) {
        passes(request(uri));
    }
});

test('seats are read and written with an entry token only', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        refuses(request(seats, { method }), 'ENTRY_TOKEN_REQUIRED');
        passes(request(seats, { method, headers: { 'x-queue-entry-token': entry.token() } }));
        passes(request(`${seats}/best`, { method, cookie: `urr-entry-token=${entry.token()}` }));
    }
    refuses(request('/api/v1/seats', { method: 'POST' }), 'ENTRY_TOKEN_REQUIRED');
    refuses(request('/api/v1/seats/abc'), 'ENTRY_TOKEN_REQUIRED');
    passes(
        request('/api/v1/seats/abc', {
            headers: { 'x-queue-entry-token': entry.token({ event: OTHER }) },
        }),
    );
});

test('reservations are made with an entry token, read and cancelled without', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        refuses(request('/api/v1/reservations', { method }), 'ENTRY_TOKEN_REQUIRED');
    passes(
        request('/api/v1/reservations', {
            method: 'POST',
            headers: { 'x-queue-entry-token': entry.token() },
        }),
    );
    passes(request('/api/v1/reservations/mine'));
    passes(request('/api/v1/reservations/17/cancel', { method: 'POST' }));
    refuses(
        request('/api/v1/reservations/17/cancel/x', { method: 'POST' }),
        'ENTRY_TOKEN_REQUIRED',
    );
});

test('an entry token of another event, kind or time, or given twice, is refused', () => {
    for (const token of [
        entry.token({ event: OTHER }),
        vwr.token(),
        entry.token({ exp: NOW }),
        'nonsense',
    ]) {
        refuses(
            request(seats, { headers: { 'x-queue-entry-token': token } }),
            'ENTRY_TOKEN_INVALID',
        );
    }
    refuses(
        request(seats, { headers: { 'x-queue-entry-token': [entry.token(), entry.token()] } }),
        'ENTRY_TOKEN_REQUIRED',
    );
    refuses(
        request(seats, {
            headers: { 'x-queue-entry-token': 'bad' },
            cookie: `urr-entry-token=${entry.token()}`,
        }),
        'ENTRY_TOKEN_INVALID',
    );
});

test('preflight requests pass: the gateway answers them', () =>
    passes(request(seats, { method: 'OPTIONS' })));

test('a path that can be read in two ways is refused, an encoded one is read as the gateway reads it', () => {
    for (const uri of [
        '/api/v1/%2e%2e/seats',
        '/api/v1/../v1/seats',
        '/api/v1/seats%2Fx',
        '/api/v1/seats%5cx',
        '/a\\b',
        '/a%00',
        '/a%0a',
        '/%',
        '/./x',
        '/%ff',
    ]) {
        refuses(request(uri), 'AMBIGUOUS_PATH', '400');
    }
    refuses(request(`/api/v1/%73eats/${EVENT}`), 'ENTRY_TOKEN_REQUIRED');
    sendsBack(request(`/%71ueue/${EVENT}`));
});

test('headers that only the gateway or CloudFront may set are taken off', () => {
    const asked = request('/', {
        headers: {
            'X-User-Id': '1',
            'X-User-Role': 'admin',
            'X-Entry-Event': EVENT,
            'X-Urr-Caller': 'ticket',
            'X-Urr-Assertion': 'a',
            'X-Custom-Header': 'guess',
            'X-Urr-Receipt': 'r',
            Accept: '*/*',
        },
    });
    passes(asked);
    assert.deepEqual(Object.keys(asked.headers).sort(), ['accept', 'x-urr-receipt']);
});

test('a token must be whole, signed by a known key that lasts, of the right kind, for the right ones, in time', () => {
    const good = vwr.token();
    const accepts = (token, of = verifier) => of.accepts(token, 'vwr', EVENT);
    assert.ok(accepts(good));
    const [head, body, signature] = good.split('.');
    const spare = signature.slice(0, 85) + String.fromCharCode(signature.charCodeAt(85) + 1);
    const stranger = signer('vwr', 'v1'),
        unknown = signer('vwr', 'v9');
    for (const bad of [
        '',
        '..',
        `${head}.${body}`,
        `${head}.${body}.`,
        `${head}.${body}.${signature}A`,
        `${head}.${body}.${signature.slice(1)}A`,
        `${good}.`,
        `${head}.${body}.${spare}`,
        `!${good.slice(1)}`,
        'a'.repeat(5000),
        stranger.token(),
        unknown.token(),
        vwr.token({}, { alg: 'none' }),
        vwr.token({}, { alg: 'HS256' }),
        vwr.token({}, { typ: 'entry' }),
        vwr.token({}, { kid: undefined }),
        vwr.token({}, 'null'),
        vwr.token({}, '[1]'),
        vwr.token({}, '{'),
        vwr.token('null'),
        vwr.token('"x"'),
        vwr.token('{'),
        vwr.token({ typ: 'place' }),
        vwr.token({ aud: 'urr' }),
        vwr.token({ exp: NOW }),
        vwr.token({ exp: NOW - 1 }),
        vwr.token({ exp: `${NOW + 9}` }),
        vwr.token({ exp: 1e12 }),
        vwr.token({ exp: undefined }),
        vwr.token({ event: undefined }),
    ]) {
        assert.equal(accepts(bad), false, bad.slice(0, 80));
    }
});

test('an old and a new key overlap until the old one ends', () => {
    const old = signer('vwr', 'v0');
    const at = (now) => new Verifier([{ ...old.public, until: NOW + 100 }, vwr.public], () => now);
    for (const now of [NOW, NOW + 99])
        assert.ok(
            at(now).accepts(old.token(), 'vwr', EVENT) &&
                at(now).accepts(vwr.token(), 'vwr', EVENT),
        );
    assert.equal(at(NOW + 100).accepts(old.token(), 'vwr', EVENT), false);
    assert.ok(at(NOW + 100).accepts(vwr.token(), 'vwr', EVENT));
});

test("the handler reads CloudFront's event; with no keys it admits nobody", async () => {
    const answer = await handler({
        Records: [
            {
                cf: {
                    config: { requestId: 'r1' },
                    request: request(seats, { headers: { 'x-queue-entry-token': entry.token() } }),
                },
            },
        ],
    });
    assert.equal(code(answer), 'ENTRY_TOKEN_INVALID');
    assert.equal(
        new Verifier([entry.public]).accepts(entry.token({ exp: 4_000_000_000 }), 'entry', EVENT),
        true,
    );
});

test("refusals are problems as the gateway writes them, in the reader's language, and are not kept", () => {
    const table = fs.readFileSync(new URL('../../libs/core/errors.def', import.meta.url), 'utf8');
    for (const name of ['ENTRY_TOKEN_REQUIRED', 'ENTRY_TOKEN_INVALID', 'AMBIGUOUS_PATH']) {
        const [, status, korean, english] = table.match(
            new RegExp(`URR_ERROR\\(${name}, +(\\d+),[^"]*"([^"]+)", "([^"]+)"\\)`),
        );
        for (const [languages, title] of [
            [undefined, english],
            ['ko', korean],
            ['ko-KR,ko;q=0.9,en;q=0.8', korean],
            ['en,ko', english],
            ['fr', english],
        ]) {
            const answer = problem(
                name,
                languages ? { 'accept-language': [{ value: languages }] } : {},
                'trace',
            );
            assert.equal(answer.status, status);
            assert.deepEqual(JSON.parse(answer.body), {
                type: `https://urr.dev/problems/${name}`,
                title,
                status: Number(status),
                code: name,
                traceId: 'trace',
            });
            assert.equal(answer.headers['cache-control'][0].value, 'no-store');
            assert.equal(answer.headers['content-type'][0].value, 'application/problem+json');
        }
    }
});
