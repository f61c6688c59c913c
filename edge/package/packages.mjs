// What goes into the packages: the code, and the public keys out of the folder that `urr keys` makes.
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { zip } from './zip.mjs';

export const PACKAGE_MAX = 1 << 20; // Lambda@Edge takes 1 MiB for a viewer request
const TYPES = ['vwr', 'place', 'entry'];

// TYPE.pub holds `kid key`; TYPE.previous.pub, while a key is being replaced, `kid key until`.
export function keysIn(folder) {
    const read = (type, name) => {
        const [kid, x, until] = fs.readFileSync(path.join(folder, name), 'utf8').trim().split(' ');
        return { type, kid, x, until: until === undefined ? undefined : Number(until) };
    };
    const there = new Set(fs.readdirSync(folder));
    return TYPES.flatMap((type) =>
        [`${type}.pub`, `${type}.previous.pub`]
            .filter((name) => there.has(name))
            .map((name) => read(type, name)),
    );
}

export function checkKeys(keys) {
    for (const { type, kid, x, until } of keys) {
        if (!kid) throw new Error(`a key of type ${type} has no kid`);
        if (until !== undefined && !Number.isInteger(until))
            throw new Error(`the key ${kid} ends at no second`);
        try {
            createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
        } catch {
            throw new Error(`the key ${kid} is not an Ed25519 public key`);
        }
    }
    for (const type of TYPES) {
        if (!keys.some((key) => key.type === type && key.until === undefined))
            throw new Error(`no lasting key of type ${type}`);
    }
    return keys;
}

const source = (folder, name) => ({ name, content: fs.readFileSync(path.join(folder, name)) });

export function packages(edge, keys, bytesMax = PACKAGE_MAX) {
    const baked = `export const keys = ${JSON.stringify(checkKeys(keys), null, 2)};\n`;
    const check = path.join(edge, 'token-check');
    const made = {
        'token-check.zip': zip([
            ...['index.mjs', 'tokens.mjs', 'answers.mjs'].map((name) => source(check, name)),
            { name: 'keys.mjs', content: baked },
        ]),
        'authorizer.zip': zip([source(path.join(edge, 'authorizer'), 'index.mjs')]),
    };
    for (const [name, bytes] of Object.entries(made)) {
        if (bytes.length > bytesMax)
            throw new Error(`${name} has ${bytes.length} bytes (at most ${bytesMax})`);
    }
    return made;
}
