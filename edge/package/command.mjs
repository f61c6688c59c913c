// Packages the edge's code: `edge/package/build --keys DATA/keys [--out FOLDER]` makes
//   token-check.zip   with the public keys in it (Lambda@Edge)
//   authorizer.zip    of the waiting room's API
// in build/edge. DATA/keys is the folder that `urr keys` makes; only its public keys are read. After a rotation
// old and new stand side by side for a day: package and apply again within it.
import fs from 'node:fs';
import path from 'node:path';
import { keysIn, packages } from './packages.mjs';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const [flag, keys, outFlag = '--out', out = path.join(root, 'build/edge'), ...rest] =
  process.argv.slice(2);
if (flag !== '--keys' || !keys || outFlag !== '--out' || rest.length > 0) {
  console.error('usage: edge/package/build --keys DATA/keys [--out FOLDER]');
  process.exit(2);
}
try {
  for (const [name, bytes] of Object.entries(packages(path.join(root, 'edge'), keysIn(keys)))) {
    const target = path.join(out, name);
    fs.mkdirSync(out, { recursive: true });
    fs.writeFileSync(target, bytes);
    console.log(`${target}: ${bytes.length} bytes`);
  }
} catch (error) {
  console.error(`edge/package/build: ${error.message}`);
  process.exit(1);
}
