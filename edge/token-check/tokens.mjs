// Verifies the project's tokens: JSON Web Tokens signed with Ed25519, each type with its own keys, `typ` and
// `aud`, and nothing but those. The same rules as libs/security, which is the one that counts.
import { createPublicKey, verify } from 'node:crypto';

const AUDIENCES = { vwr: 'urr-queue', place: 'urr-queue', entry: 'urr-seats' };
const TOKEN_MAX = 4096;
const LAST_SECOND = 99_999_999_999;
// Signatures of Ed25519 have 64 bytes: 86 letters.
const PARTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;

// A flat JSON object out of base64url, or null.
function object(text) {
    try {
        const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
        return typeof value === 'object' && !Array.isArray(value) ? value : null;
    } catch {
        return null;
    }
}

export class Verifier {
    // keys: [{ type, kid, x, until }], x as in a JWK, until in seconds: when a replaced key stops to count.
    constructor(keys, now = () => Date.now() / 1000) {
        this.now = now;
        this.keys = new Map(
            keys.map(({ type, kid, x, until = Infinity }) => [
                `${type} ${kid}`,
                {
                    key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
                    until,
                },
            ]),
        );
    }

    // Whether this is a good token of that type at this time, and of that event where one is given.
    accepts(token, type, event) {
        if (token.length > TOKEN_MAX) return false;
        const parts = PARTS.exec(token);
        if (!parts) return false;
        const header = object(parts[1]);
        if (header?.alg !== 'EdDSA' || header.typ !== type) return false;
        const known = this.keys.get(`${type} ${header.kid}`);
        const now = this.now();
        if (!known || known.until <= now) return false;
        const signed = token.slice(0, parts[1].length + 1 + parts[2].length);
        // The last letter has bits to spare: only one way to write a signature counts.
        const signature = Buffer.from(parts[3], 'base64url');
        if (signature.toString('base64url') !== parts[3]) return false;
        if (!verify(null, Buffer.from(signed), known.key, signature)) return false;
        const claims = object(parts[2]);
        if (claims?.typ !== type || claims.aud !== AUDIENCES[type]) return false;
        if (!Number.isInteger(claims.exp) || claims.exp > LAST_SECOND || claims.exp <= now)
            return false;
        return event === undefined || claims.event === event;
    }
}
