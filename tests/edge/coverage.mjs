// Runs the edge's tests and fails unless every branch of edge/ was taken (edge/waiting has its own tests).
// Branches are counted by Node 20.11 and newer; an older one (Debian 12 has 18) runs the tests and says so.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const tests = fs
    .readdirSync(path.join(root, 'tests/edge'))
    .filter((f) => f.endsWith('_test.mjs'))
    .map((f) => `tests/edge/${f}`);
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
    const { status } = spawnSync('node', ['--test', ...tests], { cwd: root, stdio: 'inherit' });
    console.log(`# branches of edge/: not counted by Node ${process.versions.node}, 20.11 is needed`);
    process.exit(status === 0 ? 0 : 1);
}
fs.mkdirSync(path.join(root, 'build'), { recursive: true });
const lcov = path.join(root, 'build/edge-coverage.lcov');
const { status } = spawnSync(
    'node',
    [
        '--test',
        '--experimental-test-coverage',
        '--test-reporter=tap',
        '--test-reporter-destination=stdout',
        '--test-reporter=lcov',
        `--test-reporter-destination=${lcov}`,
        ...tests,
    ],
    { cwd: root, stdio: 'inherit' },
);
if (status !== 0) process.exit(1);

let missed = 0,
    seen = 0,
    file = '';
for (const line of fs.readFileSync(lcov, 'utf8').split('\n')) {
    if (line.startsWith('SF:')) file = line.slice(3);
    if (!file.startsWith('edge/') || !line.startsWith('BRDA:')) continue;
    ++seen;
    if (!line.endsWith(',0')) continue;
    ++missed;
    console.error(`${file}:${line.slice(5).split(',')[0]}: a branch that no test takes`);
}
console.log(`# branches of edge/: ${seen - missed} of ${seen}`);
process.exit(missed === 0 && seen > 100 ? 0 : 1);
