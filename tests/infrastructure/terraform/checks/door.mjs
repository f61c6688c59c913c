import assert from 'node:assert/strict';
import { SENTINEL } from '../lib/terraform.mjs';
import { sorted } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

const distribution = (plan) => plan.one('aws_cloudfront_distribution');
const behavior = (plan, path) => {
    const found = distribution(plan).ordered_cache_behavior.filter((b) => b.path_pattern === path);
    assert.equal(found.length, 1, `one behaviour for ${path}`);
    return found[0];
};
const cachePolicy = (plan, id) =>
    plan.one('aws_cloudfront_cache_policy', (r) => r.values.id === id);
const ttl = (plan, path) => {
    const policy = cachePolicy(plan, behavior(plan, path).cache_policy_id);
    return [policy.min_ttl, policy.default_ttl, policy.max_ttl];
};
const functionOf = (plan, path) => {
    const [association] = behavior(plan, path).function_association;
    assert.equal(association.event_type, 'viewer-request');
    return plan.one('aws_cloudfront_function', (r) => r.values.arn === association.function_arn);
};
const origin = (plan, id) => {
    const found = distribution(plan).origin.filter((o) => o.origin_id === id);
    assert.equal(found.length, 1, `one origin ${id}`);
    return found[0];
};
const rule = (plan, name) => {
    const found = plan.one('aws_wafv2_web_acl').rule.find((r) => r.name === name);
    assert.ok(found, `the rule ${name}`);
    return found;
};

export default [
    check(
        'ALB-1',
        'internet-facing, public subnets of two zones, protected in prod',
        ({ prod, staging }) => {
            for (const plan of [prod, staging]) {
                assert.deepEqual(
                    [
                        plan.one('aws_lb').internal,
                        plan.one('aws_lb').load_balancer_type,
                        plan.one('aws_lb').subnets.length,
                    ],
                    [false, 'application', 2],
                );
            }
            assert.equal(prod.one('aws_lb').enable_deletion_protection, true);
        },
    ),
    both('ALB-2', 'TLS 1.3 on 443; 80 leads to HTTPS by 301', (plan) => {
        const https = plan.one('aws_lb_listener', (r) => r.values.port === 443);
        assert.equal(https.protocol, 'HTTPS');
        assert.match(https.ssl_policy, /^ELBSecurityPolicy-TLS13-/);
        const [redirect] = plan.one('aws_lb_listener', (r) => r.values.port === 80).default_action;
        assert.deepEqual(
            [redirect.type, redirect.redirect[0].protocol, redirect.redirect[0].status_code],
            ['redirect', 'HTTPS', 'HTTP_301'],
        );
    }),
    both(
        'ALB-3',
        '/api/* goes to the gateway at 3001, all else to the frontend at 3000; health, stickiness, delay',
        (plan) => {
            const target = (path) => {
                const [action] = plan.one('aws_lb_listener_rule', (r) =>
                    r.values.condition.some((c) => c.path_pattern?.[0]?.values.includes(path)),
                ).action;
                return plan.one(
                    'aws_lb_target_group',
                    (r) => r.values.arn === action.target_group_arn,
                );
            };
            assert.equal(target('/api/*').port, 3001);
            assert.equal(target('/*').port, 3000);
            for (const { values: group } of plan.all('aws_lb_target_group')) {
                const [health] = group.health_check,
                    [sticky] = group.stickiness;
                assert.deepEqual(
                    [
                        group.target_type,
                        health.path,
                        health.healthy_threshold,
                        health.unhealthy_threshold,
                    ],
                    ['ip', '/health', 2, 3],
                );
                assert.deepEqual(
                    [sticky.type, sticky.cookie_duration, Number(group.deregistration_delay)],
                    ['lb_cookie', 86400, 30],
                );
            }
            const priority = (path) =>
                plan.one('aws_lb_listener_rule', (r) =>
                    r.values.condition.some((c) => c.path_pattern?.[0]?.values.includes(path)),
                ).priority;
            assert.ok(priority('/api/*') < priority('/*'));
        },
    ),
    check(
        'ALB-4',
        "only CloudFront's prefix list may connect, and only with its header",
        ({ prod, staging }) => {
            const groups = prod
                .all('aws_security_group', (r) => r.module === 'alb')
                .map((r) => r.values.id);
            const ingress = prod.all('aws_vpc_security_group_ingress_rule', (r) =>
                groups.includes(r.values.security_group_id),
            );
            assert.deepEqual(
                sorted(ingress.map((r) => `${r.values.prefix_list_id} ${r.values.from_port}`)),
                [
                    'pl-of-com.amazonaws.global.cloudfront.origin-facing 443',
                    'pl-of-com.amazonaws.global.cloudfront.origin-facing 80',
                ],
            );
            const [refusal] = prod.one(
                'aws_lb_listener',
                (r) => r.values.port === 443,
            ).default_action;
            assert.deepEqual(
                [refusal.type, refusal.fixed_response[0].status_code],
                ['fixed-response', '403'],
            );
            for (const { values } of prod.all('aws_lb_listener_rule')) {
                const header = values.condition.find((c) => c.http_header?.length)?.http_header[0];
                assert.deepEqual(
                    [header?.http_header_name, header?.values],
                    ['X-Custom-Header', [SENTINEL]],
                );
            }
            assert.equal(
                staging.all('aws_vpc_security_group_ingress_rule', (r) => r.values.prefix_list_id)
                    .length,
                0,
            );
        },
    ),

    check(
        'CF-1',
        'PriceClass_200, TLSv1.2_2021, IPv6, HTTP/2; none in staging',
        ({ prod, staging }) => {
            const cdn = distribution(prod);
            assert.deepEqual(
                [
                    cdn.price_class,
                    cdn.viewer_certificate[0].minimum_protocol_version,
                    cdn.is_ipv6_enabled,
                    cdn.http_version,
                ],
                ['PriceClass_200', 'TLSv1.2_2021', true, 'http2'],
            );
            assert.equal(staging.all('aws_cloudfront_distribution').length, 0);
        },
    ),
    check(
        'CF-2',
        'origins: ALB by HTTPS with the header, S3 by OAC and SigV4, API Gateway by HTTPS',
        ({ prod }) => {
            for (const id of ['alb', 'api']) {
                assert.equal(
                    origin(prod, id).custom_origin_config[0].origin_protocol_policy,
                    'https-only',
                );
                assert.deepEqual(origin(prod, id).custom_header, [
                    { name: 'X-Custom-Header', value: SENTINEL },
                ]);
            }
            const access = prod.one('aws_cloudfront_origin_access_control');
            assert.deepEqual(
                [
                    access.origin_access_control_origin_type,
                    access.signing_behavior,
                    access.signing_protocol,
                ],
                ['s3', 'always', 'sigv4'],
            );
            assert.equal(origin(prod, 's3').origin_access_control_id, access.id);
        },
    ),
    check('CF-3', '/* goes to the ALB uncached, past the token check', ({ prod }) => {
        const [all] = distribution(prod).default_cache_behavior;
        assert.deepEqual(
            [all.target_origin_id, all.cache_policy_id, all.origin_request_policy_id],
            ['alb', 'Managed-CachingDisabled', 'Managed-AllViewer'],
        );
        const [check] = all.lambda_function_association;
        const edge = prod.at('module.cloudfront.aws_lambda_function.token_check');
        assert.deepEqual(
            [check.event_type, check.lambda_arn],
            ['viewer-request', edge.qualified_arn],
        );
    }),
    check('CF-4', '/static/* comes from S3, kept an hour', ({ prod }) => {
        assert.equal(behavior(prod, '/static/*').target_origin_id, 's3');
        assert.deepEqual(ttl(prod, '/static/*'), [0, 3600, 3600]);
    }),
    check('CF-5', '/_next/static/* comes from S3, kept a year, immutable', ({ prod }) => {
        const next = behavior(prod, '/_next/static/*');
        assert.equal(next.target_origin_id, 's3');
        assert.deepEqual(ttl(prod, '/_next/static/*'), [0, 31536000, 31536000]);
        const policy = prod.one(
            'aws_cloudfront_response_headers_policy',
            (r) => r.values.id === next.response_headers_policy_id,
        );
        assert.equal(
            policy.custom_headers_config[0].items[0].value,
            'public, max-age=31536000, immutable',
        );
    }),
    check(
        'CF-6',
        '/vwr/* comes from S3, kept five minutes, by the rewriting function',
        ({ prod }) => {
            assert.equal(behavior(prod, '/vwr/*').target_origin_id, 's3');
            assert.deepEqual(ttl(prod, '/vwr/*'), [0, 300, 300]);
            assert.equal(functionOf(prod, '/vwr/*').name, 'urr-prod-rewrite');
        },
    ),
    check(
        'CF-7',
        '/vwr-api/* goes to the API, kept a second at most, by path alone, prefix stripped',
        ({ prod }) => {
            const api = behavior(prod, '/vwr-api/*');
            assert.equal(api.target_origin_id, 'api');
            assert.deepEqual(ttl(prod, '/vwr-api/*'), [0, 0, 1]);
            const [key] = cachePolicy(
                prod,
                api.cache_policy_id,
            ).parameters_in_cache_key_and_forwarded_to_origin;
            assert.deepEqual(
                [
                    key.cookies_config[0].cookie_behavior,
                    key.headers_config[0].header_behavior,
                    key.query_strings_config[0].query_string_behavior,
                ],
                ['none', 'none', 'none'],
            );
            assert.equal(api.origin_request_policy_id, 'Managed-AllViewerExceptHostHeader');
            assert.ok(api.allowed_methods.includes('PUT') && api.allowed_methods.includes('POST'));
            assert.equal(functionOf(prod, '/vwr-api/*').name, 'urr-prod-strip');
        },
    ),
    check(
        'CF-8',
        'every behaviour sends HSTS, nosniff, frame DENY, XSS and referrer headers',
        ({ prod }) => {
            const cdn = distribution(prod);
            for (const b of [...cdn.default_cache_behavior, ...cdn.ordered_cache_behavior]) {
                const policy = prod.one(
                    'aws_cloudfront_response_headers_policy',
                    (r) => r.values.id === b.response_headers_policy_id,
                );
                const [headers] = policy.security_headers_config;
                assert.ok(
                    headers.strict_transport_security[0].access_control_max_age_sec >= 31536000,
                );
                assert.equal(headers.content_type_options[0].override, true);
                assert.equal(headers.frame_options[0].frame_option, 'DENY');
                assert.equal(headers.xss_protection[0].protection, true);
                assert.equal(
                    headers.referrer_policy[0].referrer_policy,
                    'strict-origin-when-cross-origin',
                );
                assert.equal(b.viewer_protocol_policy, 'redirect-to-https');
            }
            assert.equal(cdn.logging_config.length, 1);
        },
    ),

    check(
        'WAF-1',
        'scope CLOUDFRONT in us-east-1, attached, default allow, metrics and samples per rule',
        ({ prod, staging }) => {
            const acl = prod.one('aws_wafv2_web_acl');
            assert.deepEqual([acl.scope, acl.region], ['CLOUDFRONT', 'us-east-1']);
            assert.equal(distribution(prod).web_acl_id, acl.arn);
            assert.equal(acl.default_action[0].allow.length, 1);
            for (const {
                visibility_config: [visibility],
            } of acl.rule) {
                assert.deepEqual(
                    [visibility.cloudwatch_metrics_enabled, visibility.sampled_requests_enabled],
                    [true, true],
                );
            }
            assert.equal(
                new Set(acl.rule.map((r) => r.visibility_config[0].metric_name)).size,
                acl.rule.length,
            );
            assert.equal(staging.all('aws_wafv2_web_acl').length, 0);
        },
    ),
    check(
        'WAF-2',
        'rate 2,000 in five minutes, then OWASP, known bad inputs, SQL injection',
        ({ prod }) => {
            const order = [...prod.one('aws_wafv2_web_acl').rule].sort(
                (a, b) => a.priority - b.priority,
            );
            assert.deepEqual(
                order.map((r) => r.statement[0].managed_rule_group_statement[0]?.name ?? 'rate'),
                [
                    'rate',
                    'AWSManagedRulesCommonRuleSet',
                    'AWSManagedRulesKnownBadInputsRuleSet',
                    'AWSManagedRulesSQLiRuleSet',
                ],
            );
            const [rate] = rule(prod, 'rate-limit').statement[0].rate_based_statement;
            assert.deepEqual(
                [rate.limit, rate.evaluation_window_sec, rate.aggregate_key_type],
                [2000, 300, 'IP'],
            );
            assert.equal(rule(prod, 'rate-limit').action[0].block.length, 1);
            const [spared] =
                rate.scope_down_statement[0].not_statement[0].statement[0].byte_match_statement;
            assert.deepEqual(
                [spared.search_string, spared.positional_constraint],
                ['/vwr-api/vwr/status/', 'STARTS_WITH'],
            );
            const [override] = rule(prod, 'common').statement[0].managed_rule_group_statement[0]
                .rule_action_override;
            assert.deepEqual(
                [override.name, override.action_to_use[0].count.length],
                ['SizeRestrictions_BODY', 1],
            );
        },
    ),
];
