// Authorizer of the waiting room's API: admits what carries CloudFront's header, so that nobody goes round
// WAF. The header's values, the current and while rotating the previous one, lie in Secrets Manager; they are
// read once in five minutes. Whatever cannot be read admits nobody.
import { createHash, timingSafeEqual } from 'node:crypto';

const KEPT_MS = 300_000;
const digest = (text) => createHash('sha256').update(text).digest();

export function authorizer(readSecret, now = Date.now) {
    let values = [],
        until = 0;
    return async (event) => {
        if (now() >= until) {
            const { current, previous } = JSON.parse(await readSecret());
            values = [current, previous]
                .filter((value) => typeof value === 'string' && value.length >= 32)
                .map(digest);
            until = now() + KEPT_MS;
        }
        const given = digest(event.headers?.['x-custom-header'] ?? '');
        return { isAuthorized: values.some((value) => timingSafeEqual(value, given)) };
    };
}

let decide;
export async function handler(event) {
    if (!decide) {
        const { SecretsManager } = await import('@aws-sdk/client-secrets-manager'); // comes with the runtime
        const secrets = new SecretsManager();
        decide = authorizer(
            async () =>
                (await secrets.getSecretValue({ SecretId: process.env.ORIGIN_SECRET_ARN }))
                    .SecretString,
        );
    }
    return decide(event);
}
