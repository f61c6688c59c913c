// The CloudFront Functions: what they do, and that they use nothing which runtime 2.0 lacks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const EVENT = '0192f0c1-7a52-7c3e-8d4f-1a2b3c4d5e6f';
const folder = new URL('../../edge/functions/', import.meta.url);
const source = (name) => fs.readFileSync(new URL(name, folder), 'utf8');

// A context without Node: what a function reaches for beyond the language is missing here too.
function load(name) {
    const context = vm.createContext({});
    new vm.Script(source(name), { filename: new URL(name, folder).href }).runInContext(context);
    return (uri) =>
        context.handler({
            version: '1.0',
            request: { method: 'GET', uri, headers: {}, cookies: {}, querystring: {} },
        }).uri;
}

test('the waiting page of every event is one file; its assets and all else stay', () => {
    const rewritten = load('vwr-rewrite.js');
    for (const uri of [`/vwr/${EVENT}`, `/vwr/${EVENT}/`])
        assert.equal(rewritten(uri), '/vwr/index.html');
    for (const uri of [
        '/vwr/assets/waiting.js',
        '/vwr/assets/waiting.css',
        '/vwr/',
        '/vwr/abc',
        `/vwr/${EVENT}/x`,
        `/vwr/${EVENT.toUpperCase()}`,
        `/x/vwr/${EVENT}`,
    ]) {
        assert.equal(rewritten(uri), uri);
    }
});

test('/vwr-api is stripped once and nothing else is touched', () => {
    const stripped = load('vwr-api-strip.js');
    assert.equal(stripped(`/vwr-api/vwr/status/${EVENT}`), `/vwr/status/${EVENT}`);
    assert.equal(stripped('/vwr-api/vwr-api/x'), '/vwr-api/x');
    for (const uri of ['/vwr-api', '/vwr-apix/y', '/vwr/status']) assert.equal(stripped(uri), uri);
});

// What runtime 2.0 does not have, or what would make a function depend on more than its event.
const LACKS = [
    [/\b(import|export)\b(?!\s*cf\b)/, 'modules'],
    [/\brequire\s*\(/, 'require'],
    [/\bclass\s+\w/, 'classes'],
    [/\?\./, 'optional chaining'],
    [/\?\?/, 'nullish coalescing'],
    [/\.\.\./, 'spread'],
    [/\bfor\s*\(\s*(?:const|let|var)\s+\w+\s+of\b/, 'for-of'],
    [/(?:const|let|var)\s*[[{]/, 'destructuring'],
    [/\b(fetch|XMLHttpRequest|setTimeout|setInterval|setImmediate)\b/, 'network and timers'],
    [/\b(eval|Function)\s*\(/, 'eval'],
    [/\bprocess\b|\bglobalThis\b|\bBuffer\b/, "Node's globals"],
    [/\bdelete\s+\w+\s*;/, 'delete of a name'],
    [/\bgenerator|function\s*\*/, 'generators'],
    [/\(\?<[=!]/, 'lookbehind'],
];
const plain = (code) => code.replaceAll(/\/\/.*$/gm, '').replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
const lacks = (code) =>
    LACKS.filter(([pattern]) => pattern.test(plain(code))).map(([, what]) => what);

for (const name of fs.readdirSync(folder)) {
    test(`${name} has at most 10 kB and uses only what runtime 2.0 has`, () => {
        assert.ok(Buffer.byteLength(source(name)) <= 10_240);
        assert.deepEqual(lacks(source(name)), []);
        assert.match(source(name), /^function handler\(event\) \{$/m);
    });
}

test('what the runtime lacks is found', () => {
    for (const code of [
        'import x from "y"',
        'var a = require("b")',
        'class A {}',
        'var a = b?.c',
        'var a = b ?? c',
        'f(...a)',
        'for (const a of b) {}',
        'const { a } = b',
        'fetch(a)',
        'setTimeout(a)',
        'eval(a)',
        'new Function(a)',
        'process.env',
        'function* a() {}',
        '/(?<=a)b/',
    ]) {
        assert.notDeepEqual(lacks(code), [], code);
    }
    assert.deepEqual(lacks("// a class of its own, import and export\nvar a = 'fetch(...x)';"), []);
});
