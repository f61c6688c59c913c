// Lambda@Edge on /* (viewer request): lets in who holds a token. The door in front of the door: the gateway
// verifies again whatever passes here, so what this refuses is only load that need not travel.
//   /queue/{eventId}            a waiting-room token or a place of this event, else back to the event's page
//   the gateway's entry rule    an entry token, else 403
// It knows no list of rooms (a token is always needed), calls nothing, and reads no environment: the public
// keys are in the package.
import { keys } from './keys.mjs';
import { problem, redirect } from './answers.mjs';
import { Verifier } from './tokens.mjs';

const EVENT = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const QUEUE_PAGE = new RegExp(`^/queue/(${EVENT})(?:/|$)`);
const SEATS = new RegExp(`^/api/v1/seats(?:/(${EVENT})(?:/|$)|/|$)`);
const RESERVATIONS = /^\/api\/v1\/reservations(?:\/|$)/;
const CANCEL = /^\/api\/v1\/reservations\/[^/]+\/cancel$/;
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

// Only the gateway may say who someone is; CloudFront itself puts x-custom-header on.
const NEVER_FROM_OUTSIDE = /^(x-user-|x-entry-|x-urr-caller$|x-urr-assertion$|x-custom-header$)/;

// A cookie's name may come many times (one per path): so many of them are tried.
const COOKIES_MAX = 8;

// The path as the gateway will read it: decoded once; null where it could be read in two ways.
function plainPath(uri) {
    if (/%(2f|5c|00)/i.test(uri) || uri.includes('\\')) return null;
    let path;
    try {
        path = decodeURIComponent(uri);
    } catch {
        return null;
    }
    if (/[\x00-\x1f\x7f\\]/.test(path) || /(^|\/)\.{1,2}(\/|$)/.test(path)) return null;
    return path;
}

function cookies(headers, name) {
    const found = [];
    for (const { value } of headers.cookie ?? []) {
        for (const pair of value.split(';')) {
            const at = pair.indexOf('=');
            if (at > 0 && pair.slice(0, at).trim() === name) found.push(pair.slice(at + 1).trim());
        }
    }
    return found.slice(0, COOKIES_MAX);
}

// One header, given once; twice is ambiguous and counts as none.
const only = (headers, name) => (headers[name]?.length === 1 ? headers[name][0].value : undefined);

function needsEntry(method, path) {
    if (SEATS.test(path)) return WRITES.has(method) || path.startsWith('/api/v1/seats/');
    return WRITES.has(method) && RESERVATIONS.test(path) && !CANCEL.test(path);
}

export function tokenCheck(verifier) {
    return (request, traceId) => {
        const { headers, method } = request;
        const refuse = (code) => problem(code, headers, traceId);
        for (const name of Object.keys(headers))
            if (NEVER_FROM_OUTSIDE.test(name)) delete headers[name];
        if (method === 'OPTIONS') return request;
        const path = plainPath(request.uri);
        if (path === null) return refuse('AMBIGUOUS_PATH');

        const queue = QUEUE_PAGE.exec(path);
        if (queue) {
            const [, event] = queue;
            const admitted =
                cookies(headers, 'urr-vwr-token').some((token) =>
                    verifier.accepts(token, 'vwr', event),
                ) ||
                cookies(headers, 'urr-place').some((token) =>
                    verifier.accepts(token, 'place', event),
                );
            return admitted ? request : redirect(`/events/${event}`);
        }

        if (!needsEntry(method, path)) return request;
        const event = SEATS.exec(path)?.[1];
        const header = only(headers, 'x-queue-entry-token');
        const tokens = header === undefined ? cookies(headers, 'urr-entry-token') : [header];
        if (tokens.length === 0) return refuse('ENTRY_TOKEN_REQUIRED');
        return tokens.some((token) => verifier.accepts(token, 'entry', event))
            ? request
            : refuse('ENTRY_TOKEN_INVALID');
    };
}

const check = tokenCheck(new Verifier(keys));
export async function handler(event) {
    const { request, config } = event.Records[0].cf;
    return check(request, config.requestId);
}
