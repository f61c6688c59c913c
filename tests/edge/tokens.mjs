// Signs what the services would sign, with keys made for the test, and puts together requests as
// CloudFront hands them over.
import { generateKeyPairSync, sign } from 'node:crypto';

export const EVENT = '0192f0c1-7a52-7c3e-8d4f-1a2b3c4d5e6f';
export const OTHER = '0192f0c1-7a52-7c3e-8d4f-000000000000';
export const NOW = 1_800_000_000;

const AUDIENCES = { vwr: 'urr-queue', place: 'urr-queue', entry: 'urr-seats' };
const encode = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function signer(type, kid) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { x } = publicKey.export({ format: 'jwk' });
    return {
        public: { type, kid, x },
        token(claims = {}, header = {}) {
            const head =
                typeof header === 'string' ? header : { alg: 'EdDSA', typ: type, kid, ...header };
            const body =
                typeof claims === 'string'
                    ? claims
                    : {
                          typ: type,
                          aud: AUDIENCES[type],
                          jti: 'a',
                          event: EVENT,
                          iat: NOW - 60,
                          exp: NOW + 600,
                          ...claims,
                      };
            const signed = `${encode(head)}.${encode(body)}`;
            return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
        },
    };
}

export function request(uri, { method = 'GET', headers = {}, cookie } = {}) {
    const all = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
            name.toLowerCase(),
            [value].flat().map((v) => ({ key: name, value: v })),
        ]),
    );
    if (cookie !== undefined)
        all.cookie = [cookie].flat().map((value) => ({ key: 'Cookie', value }));
    return { method, uri, querystring: '', headers: all };
}
