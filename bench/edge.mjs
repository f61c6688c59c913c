// What a call of the token check costs: `node bench/edge.mjs`. The promise is less than 1 ms a call.
import { tokenCheck } from '../edge/token-check/index.mjs';
import { Verifier } from '../edge/token-check/tokens.mjs';
import { EVENT, NOW, request, signer } from '../tests/edge/tokens.mjs';

const vwr = signer('vwr', 'v1'),
    entry = signer('entry', 'e1');
const check = tokenCheck(new Verifier([vwr.public, entry.public], () => NOW));
const room = vwr.token(),
    way = entry.token();
const cases = {
    'a page that needs no token': () => request('/events'),
    'the queue page with a token': () =>
        request(`/queue/${EVENT}`, { cookie: `urr-vwr-token=${room}` }),
    'a seat map with a token': () =>
        request(`/api/v1/seats/${EVENT}`, { headers: { 'x-queue-entry-token': way } }),
    'the queue page with eight wrong tokens': () =>
        request(`/queue/${EVENT}`, {
            cookie: Array(8)
                .fill(`urr-vwr-token=${room.slice(0, -2)}AA`)
                .join('; '),
        }),
};

let late = false;
for (const [name, make] of Object.entries(cases)) {
    const calls = Number(process.env.CALLS ?? 5000);
    for (let i = 0; i < calls / 10; ++i) check(make());
    const times = Array.from({ length: calls }, () => {
        const asked = make();
        const began = process.hrtime.bigint();
        check(asked);
        return Number(process.hrtime.bigint() - began) / 1e6;
    }).sort((a, b) => a - b);
    const at = (q) => times[Math.floor(q * (calls - 1))].toFixed(3);
    late ||= times[Math.floor(calls / 2)] >= 1;
    console.log(`${name.padEnd(42)} median ${at(0.5)} ms   99% ${at(0.99)} ms`);
}
process.exit(late ? 1 : 0);
