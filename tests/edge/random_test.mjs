// 100,000 random requests and tokens: never an exception, never a way in without a good token.
// The seed is printed; SEED=… repeats it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { tokenCheck } from '../../edge/token-check/index.mjs';
import { Verifier } from '../../edge/token-check/tokens.mjs';
import { EVENT, NOW, OTHER, request, signer } from './tokens.mjs';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
let state = seed;
const random = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
};
const pick = (all) => all[random(all.length)];
const noise = (n) =>
    Array.from({ length: random(n) }, () => String.fromCharCode(random(256))).join('');

const vwr = signer('vwr', 'v1'),
    place = signer('place', 'p1'),
    entry = signer('entry', 'e1');
const check = tokenCheck(
    new Verifier(
        [vwr, place, entry].map((s) => s.public),
        () => NOW,
    ),
);
const good = { vwr: vwr.token(), place: place.token(), entry: entry.token() };
const tokens = [
    good.vwr,
    good.place,
    good.entry,
    entry.token({ event: OTHER }),
    vwr.token({ exp: NOW - 1 }),
];

// Cut, flipped, doubled, or quite something else: nothing that still verifies.
function broken() {
    const token = pick(tokens);
    const at = random(token.length);
    switch (random(4)) {
        case 0:
            return token.slice(0, at);
        case 1:
            return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
        case 2:
            return token + token;
        default:
            return noise(200);
    }
}

test(`100,000 random requests, seed ${seed}`, () => {
    const paths = [
        `/queue/${EVENT}`,
        `/api/v1/seats/${EVENT}`,
        `/api/v1/seats/${EVENT}/best`,
        '/api/v1/reservations',
    ];
    let refused = 0;
    for (let i = 0; i < 100_000; ++i) {
        const method = pick([
            'GET',
            'HEAD',
            'POST',
            'PUT',
            'PATCH',
            'DELETE',
            'OPTIONS',
            'TRACE',
            noise(6),
        ]);
        const uri =
            random(4) === 0 ? `/${noise(60)}` : pick(paths) + (random(3) === 0 ? noise(10) : '');
        const token = broken();
        const asked = request(uri, {
            method,
            headers: random(2) ? { 'x-queue-entry-token': token } : {},
            cookie: pick([
                undefined,
                `urr-vwr-token=${token}`,
                `urr-place=${token}; urr-entry-token=${broken()}`,
                noise(100),
                `;=;${noise(20)}`,
            ]),
        });
        const answer = check(asked);
        if (answer !== asked) {
            assert.ok(['302', '400', '403'].includes(answer.status));
            ++refused;
        } else if (uri === paths[0] && method !== 'OPTIONS') {
            assert.fail(`let in at ${i}: ${method} ${uri} ${JSON.stringify(asked.headers)}`);
        } else if (
            (uri === paths[1] || uri === paths[2]) &&
            !['OPTIONS', 'TRACE'].includes(method) &&
            /^[A-Z]+$/.test(method) &&
            ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'].includes(method)
        ) {
            assert.fail(`let in at ${i}: ${method} ${uri}`);
        }
    }
    assert.ok(refused > 30_000, `${refused} refused`);
});
