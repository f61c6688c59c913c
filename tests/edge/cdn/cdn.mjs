// A small CDN on this machine, made from the plan: CloudFront with its functions and caches, and behind it
// the load balancer's rules, API Gateway's routes and authorizer, and the static files. What it does not
// play: TLS, WAF, compression, several places in the world.
import http from 'node:http';
import vm from 'node:vm';
import fs from 'node:fs';
import path from 'node:path';

const HOP = new Set([
    'connection',
    'keep-alive',
    'transfer-encoding',
    'upgrade',
    'te',
    'trailer',
    'proxy-authorization',
    'proxy-authenticate',
]);
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };
const READS = ['GET', 'HEAD'];

// options: { site, check (the token check), targets: { port → base URL }, files: { uri → file }, authorize, now }
export class Cdn {
    constructor(options) {
        Object.assign(this, { now: Date.now, files: {} }, options);
        this.kept = new Map(); // what is cached, or on its way, by origin and path
        this.fetches = []; // what went to an origin: { origin, method, uri, at }
        this.functions = new Map();
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
        this.server = http.createServer((request, response) => this.serve(request, response));
    }

    async listen(port = 0) {
        await new Promise((done) => this.server.listen(port, '127.0.0.1', done));
        return `http://127.0.0.1:${this.server.address().port}`;
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
        this.agent.destroy();
    }

    async serve(request, response) {
        const body = await read(request);
        const question = request.url.indexOf('?');
        const uri = question === -1 ? request.url : request.url.slice(0, question);
        const query = question === -1 ? '' : request.url.slice(question + 1);
        const behavior = this.site.behaviors.find((b) => b.matches.test(uri));
        const asked = { method: request.method, uri, query, headers: { ...request.headers }, body };
        try {
            await this.answer(behavior, asked, response, request);
        } catch (error) {
            send(
                response,
                {
                    status: 502,
                    headers: { 'content-type': 'text/plain' },
                    body: Buffer.from(String(error)),
                },
                behavior,
            );
        }
    }

    async answer(behavior, asked, response, request) {
        if (!behavior.methods.includes(asked.method)) return send(response, plain(403), behavior);
        if (behavior.checksTokens) {
            const refusal = this.atEdge(asked);
            if (refusal) return send(response, refusal, behavior);
        }
        if (behavior.code) asked.uri = this.run(behavior.code, asked.uri);
        const key = `${behavior.origin} ${asked.uri}`;
        if (behavior.cache.max > 0 && READS.includes(asked.method))
            return send(response, await this.cached(behavior, key, asked), behavior, asked.method);
        return this.pass(behavior, asked, response, request);
    }

    // Lambda@Edge on the viewer's request; an answer of its own, or null.
    atEdge(asked) {
        const headers = Object.fromEntries(
            Object.entries(asked.headers).map(([name, value]) => [
                name,
                [value].flat().map((v) => ({ key: name, value: v })),
            ]),
        );
        const request = { method: asked.method, uri: asked.uri, querystring: asked.query, headers };
        const result = this.check(request, 'local');
        if (result !== request) {
            return {
                status: Number(result.status),
                body: Buffer.from(result.body ?? ''),
                headers: Object.fromEntries(
                    Object.values(result.headers).map(([{ key, value }]) => [
                        key.toLowerCase(),
                        value,
                    ]),
                ),
            };
        }
        asked.uri = request.uri;
        asked.headers = Object.fromEntries(
            Object.entries(request.headers).map(([name, values]) => [
                name,
                values.map((v) => v.value).join(name === 'cookie' ? '; ' : ', '),
            ]),
        );
        return null;
    }

    run(code, uri) {
        if (!this.functions.has(code)) {
            const context = vm.createContext({});
            vm.runInContext(code, context);
            this.functions.set(code, context.handler);
        }
        return this.functions.get(code)({
            request: { method: 'GET', uri, headers: {}, cookies: {}, querystring: {} },
        }).uri;
    }

    // One request to the origin at a time for one key: the others wait for it, as CloudFront's do.
    cached(behavior, key, asked) {
        const found = this.kept.get(key);
        if (found && (found.until === null || found.until > this.now())) return found.answer;
        const entry = { until: null };
        entry.answer = this.fetch(behavior, { ...asked, method: 'GET' }).then(
            (answer) => {
                entry.until = this.now() + 1000 * lifetime(behavior.cache, answer);
                return answer;
            },
            (error) => {
                this.kept.delete(key);
                throw error;
            },
        );
        this.kept.set(key, entry);
        return entry.answer;
    }

    async fetch(behavior, asked) {
        this.fetches.push({
            origin: behavior.origin,
            method: asked.method,
            uri: asked.uri,
            at: this.now(),
        });
        const where = this.origin(behavior, asked);
        if (where.answer) return where.answer;
        if (where.wait) {
            const refusal = await where.wait;
            if (refusal) return refusal;
        }
        const answer = await this.request(where, asked);
        return { status: answer.statusCode, headers: answer.headers, body: await read(answer) };
    }

    // What is not kept goes through as it comes, so that streams stay streams.
    async pass(behavior, asked, response, request) {
        this.fetches.push({
            origin: behavior.origin,
            method: asked.method,
            uri: asked.uri,
            at: this.now(),
        });
        const where = this.origin(behavior, asked);
        const refusal = where.answer ?? (where.wait && (await where.wait));
        if (refusal) return send(response, refusal, behavior, asked.method);
        const answer = await this.request(where, asked);
        request.on('close', () => answer.destroy());
        response.writeHead(answer.statusCode, { ...clean(answer.headers), ...behavior.headers });
        answer.pipe(response);
    }

    origin(behavior, asked) {
        const headers = { ...asked.headers, ...this.site.origins[behavior.origin] };
        if (behavior.origin === 's3') return { answer: this.file(asked.uri) };
        if (behavior.origin === 'api') return this.api(asked, headers);
        const rule = this.site.rules.find(
            (r) =>
                r.paths.some((p) => p.test(asked.uri)) &&
                (!r.header ||
                    r.header.values.includes(headers[r.header.http_header_name.toLowerCase()])),
        );
        return rule && this.targets[rule.port]
            ? { base: this.targets[rule.port], headers }
            : { answer: plain(rule ? 503 : 403) };
    }

    api(asked, headers) {
        delete headers.host;
        const route = this.site.routes.find(
            (r) => r.method === asked.method && r.path.test(asked.uri),
        );
        if (!route) return { answer: plain(404) };
        const wait = !route.asks
            ? null
            : this.authorize({ headers: { 'x-custom-header': headers['x-custom-header'] } }).then(
                  ({ isAuthorized }) => (isAuthorized ? null : plain(403)),
              );
        return { base: this.targets.api, headers, wait };
    }

    file(uri) {
        const file = this.files[uri];
        if (!file) return plain(403); // what S3 says of what is not there, to who may not list
        return {
            status: 200,
            headers: { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' },
            body: fs.readFileSync(file),
        };
    }

    request({ base, headers }, asked) {
        return new Promise((done, fail) => {
            const target = new URL(asked.uri + (asked.query ? `?${asked.query}` : ''), base);
            const forwarded = clean({
                ...headers,
                host: headers.host ?? target.host,
                'x-forwarded-proto': 'https',
            });
            if (asked.body.length) forwarded['content-length'] = String(asked.body.length);
            const out = http.request(
                target,
                { method: asked.method, headers: forwarded, agent: this.agent },
                done,
            );
            out.on('error', fail);
            out.end(asked.body);
        });
    }
}

// Seconds that an answer is kept: what it says itself, within the policy's bounds; errors are not kept.
export function lifetime({ min, default: preset, max }, { status, headers }) {
    if (status !== 200) return 0;
    const said = headers['cache-control'];
    if (said === undefined) return preset;
    if (/no-store|no-cache|private/.test(said)) return min;
    const age = said.match(/s-maxage=(\d+)/)?.[1] ?? said.match(/max-age=(\d+)/)?.[1];
    return age === undefined ? preset : Math.max(min, Math.min(Number(age), max));
}

const clean = (headers) =>
    Object.fromEntries(
        Object.entries(headers).filter(([name]) => !HOP.has(name) && !name.startsWith(':')),
    );
const plain = (status) => ({
    status,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.from(String(status)),
});

function send(response, { status, headers, body }, behavior, method) {
    const given = clean(headers);
    delete given['content-length'];
    response.writeHead(status, { ...given, 'content-length': body.length, ...behavior.headers });
    response.end(method === 'HEAD' ? undefined : body);
}

async function read(stream) {
    const parts = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts);
}
