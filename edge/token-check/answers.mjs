// What the edge answers by itself, in the form of Lambda@Edge. Problems look as the gateway's do; their words
// are those of the table of errors (libs/core/errors.def).

const MESSAGES = {
    ENTRY_TOKEN_REQUIRED: [403, '입장 토큰이 필요합니다.', 'An entry token is required.'],
    ENTRY_TOKEN_INVALID: [
        403,
        '입장 토큰이 유효하지 않거나 만료되었습니다.',
        'The entry token is not valid or has expired.',
    ],
    AMBIGUOUS_PATH: [400, '경로가 올바르지 않습니다.', 'The path is ambiguous.'],
};

const header = (key, value) => [{ key, value }];
const never = header('Cache-Control', 'no-store');

function prefersKorean(headers) {
    const languages = headers['accept-language']?.[0].value ?? '';
    const korean = languages.indexOf('ko'),
        english = languages.indexOf('en');
    return korean !== -1 && (english === -1 || korean < english);
}

export function problem(code, headers, traceId) {
    const [status, korean, english] = MESSAGES[code];
    const title = prefersKorean(headers) ? korean : english;
    return {
        status: String(status),
        headers: {
            'cache-control': never,
            'content-type': header('Content-Type', 'application/problem+json'),
        },
        body: JSON.stringify({
            type: `https://urr.dev/problems/${code}`,
            title,
            status,
            code,
            traceId,
        }),
    };
}

export const redirect = (location) => ({
    status: '302',
    headers: { 'cache-control': never, location: header('Location', location) },
});
