// What goes into the packages; refuses keys that a verifier could not use.
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { zip } from './zip.mjs';

export const PACKAGE_MAX = 1 << 20; // Lambda@Edge takes 1 MiB for a viewer request
const TYPES = ['vwr', 'place', 'entry'];

export function checkKeys(keys) {
  if (!Array.isArray(keys)) throw new Error('the keys are not a list');
  for (const { type, kid, x, until, d } of keys) {
    if (!TYPES.includes(type)) throw new Error(`the key ${kid} is of the unknown type ${type}`);
    if (d !== undefined) throw new Error(`the key ${kid} is a private one`);
    if (typeof kid !== 'string' || kid === '') throw new Error('a key has no kid');
    if (until !== undefined && !Number.isInteger(until)) throw new Error(`the key ${kid} ends at no second`);
    try {
      createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    } catch {
      throw new Error(`the key ${kid} is not an Ed25519 public key`);
    }
  }
  for (const type of TYPES) {
    if (!keys.some((key) => key.type === type && key.until === undefined)) throw new Error(`no lasting key of type ${type}`);
  }
  return keys.map(({ type, kid, x, until }) => ({ type, kid, x, until }));
}

const source = (folder, name) => ({ name, content: fs.readFileSync(path.join(folder, name)) });

export function packages(edge, keys, bytesMax = PACKAGE_MAX) {
  const baked = `export const keys = ${JSON.stringify(checkKeys(keys), null, 2)};\n`;
  const check = path.join(edge, 'token-check');
  const made = {
    'token-check.zip': zip([...['index.mjs', 'tokens.mjs', 'answers.mjs'].map((name) => source(check, name)),
      { name: 'keys.mjs', content: baked }]),
    'authorizer.zip': zip([source(path.join(edge, 'authorizer'), 'index.mjs')]),
  };
  for (const [name, bytes] of Object.entries(made)) {
    if (bytes.length > bytesMax) throw new Error(`${name} has ${bytes.length} bytes (at most ${bytesMax})`);
  }
  return made;
}
