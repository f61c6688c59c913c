// What the plan says of the CDN, taken out of its JSON: behaviours in order, cache policies, functions,
// origins with their headers, response headers, and the load balancer's rules behind them.
import fs from 'node:fs';
import { Plan } from '../../infrastructure/terraform/lib/plan.mjs';

// CloudFront's patterns: * stands for any characters, ? for one; letters count as they are written.
export function pattern(text) {
    const escaped = text
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.');
    return new RegExp(`^${escaped}$`);
}

export function siteOf(file) {
    const plan = new Plan(JSON.parse(fs.readFileSync(file)));
    const cdn = plan.one('aws_cloudfront_distribution');
    const byId = (type, id) => plan.one(type, (r) => r.values.id === id);

    const cacheOf = (id) => {
        if (id === 'Managed-CachingDisabled') return { min: 0, default: 0, max: 0 };
        const policy = byId('aws_cloudfront_cache_policy', id);
        return { min: policy.min_ttl, default: policy.default_ttl, max: policy.max_ttl };
    };
    const headersOf = (id) => {
        const policy = byId('aws_cloudfront_response_headers_policy', id);
        const [security] = policy.security_headers_config;
        const [hsts] = security.strict_transport_security;
        return {
            'strict-transport-security': `max-age=${hsts.access_control_max_age_sec}${hsts.include_subdomains ? '; includeSubDomains' : ''}${hsts.preload ? '; preload' : ''}`,
            'x-content-type-options': 'nosniff',
            'x-frame-options': security.frame_options[0].frame_option,
            'x-xss-protection': '1; mode=block',
            'referrer-policy': security.referrer_policy[0].referrer_policy,
            ...Object.fromEntries(
                (policy.custom_headers_config?.[0]?.items ?? []).map((i) => [
                    i.header.toLowerCase(),
                    i.value,
                ]),
            ),
        };
    };
    const behavior = (b) => ({
        path: b.path_pattern ?? '*',
        matches: pattern(b.path_pattern ?? '*'),
        origin: b.target_origin_id,
        methods: b.allowed_methods,
        cache: cacheOf(b.cache_policy_id),
        headers: headersOf(b.response_headers_policy_id),
        forwards: b.origin_request_policy_id || null,
        code:
            b.function_association?.[0] &&
            plan.one(
                'aws_cloudfront_function',
                (r) => r.values.arn === b.function_association[0].function_arn,
            ).code,
        checksTokens: (b.lambda_function_association ?? []).some(
            (a) => a.event_type === 'viewer-request',
        ),
    });
    const rules = plan
        .all('aws_lb_listener_rule')
        .map(({ values }) => ({
            priority: values.priority,
            paths: values.condition.flatMap((c) => c.path_pattern?.[0]?.values ?? []).map(pattern),
            header: values.condition.map((c) => c.http_header?.[0]).find(Boolean),
            port: plan.one(
                'aws_lb_target_group',
                (r) => r.values.arn === values.action[0].target_group_arn,
            ).port,
        }))
        .sort((a, b) => a.priority - b.priority);

    return {
        behaviors: [...cdn.ordered_cache_behavior, ...cdn.default_cache_behavior].map(behavior),
        origins: Object.fromEntries(
            cdn.origin.map((o) => [
                o.origin_id,
                Object.fromEntries(o.custom_header.map((h) => [h.name.toLowerCase(), h.value])),
            ]),
        ),
        rules,
        routes: plan.all('aws_apigatewayv2_route').map(({ values }) => {
            const [method, path] = values.route_key.split(' ');
            return {
                method,
                path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
                asks: values.authorization_type === 'CUSTOM',
            };
        }),
    };
}
