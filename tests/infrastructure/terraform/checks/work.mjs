import assert from 'node:assert/strict';
import { sorted } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

const api = (plan) => plan.at('module.lambda_vwr.aws_lambda_function.this["api"]');
const advancer = (plan) => plan.at('module.lambda_vwr.aws_lambda_function.this["advancer"]');
const worker = (plan) => plan.at('module.lambda_worker.aws_lambda_function.this');
const ours = (f) => assert.deepEqual([f.runtime, f.architectures], ['provided.al2023', ['arm64']]);
const bucket = (plan, name) => plan.at(`module.s3.aws_s3_bucket.this["${name}"]`);

export default [
    check(
        'SQS-1',
        'ticket-events.fifo: 4 days, 5 min hidden, 10 s long polling, encrypted',
        ({ prod, staging }) => {
            for (const [plan, prefix] of [
                [prod, 'urr-prod'],
                [staging, 'urr-staging'],
            ]) {
                const queue = plan.at('module.sqs.aws_sqs_queue.events');
                assert.deepEqual(
                    [
                        queue.name,
                        queue.fifo_queue,
                        queue.message_retention_seconds,
                        queue.visibility_timeout_seconds,
                        queue.receive_wait_time_seconds,
                        queue.sqs_managed_sse_enabled,
                    ],
                    [`${prefix}-ticket-events.fifo`, true, 345600, 300, 10, true],
                );
            }
        },
    ),
    both('SQS-2', 'dead letters after 3 receives, kept 14 days', (plan) => {
        const letters = plan.at('module.sqs.aws_sqs_queue.dead_letters');
        assert.match(letters.name, /^urr-(prod|staging)-ticket-events-dlq\.fifo$/);
        assert.equal(letters.message_retention_seconds, 1209600);
        assert.deepEqual(JSON.parse(plan.at('module.sqs.aws_sqs_queue.events').redrive_policy), {
            deadLetterTargetArn: letters.arn,
            maxReceiveCount: 3,
        });
    }),

    check(
        'FN-1',
        'VWR API: 256 MB, 10 s, 100 reserved, called by API Gateway; none in staging',
        ({ prod, staging }) => {
            ours(api(prod));
            assert.deepEqual(
                [
                    api(prod).memory_size,
                    api(prod).timeout,
                    api(prod).reserved_concurrent_executions,
                ],
                [256, 10, 100],
            );
            assert.equal(
                prod.one('aws_apigatewayv2_integration').integration_uri,
                api(prod).invoke_arn,
            );
            assert.equal(
                staging.all('aws_lambda_function', (r) => r.module === 'lambda_vwr').length,
                0,
            );
        },
    ),
    check('FN-2', 'advancer: 128 MB, 70 s, one at a time, each minute, 500 people', ({ prod }) => {
        ours(advancer(prod));
        assert.deepEqual(
            [
                advancer(prod).memory_size,
                advancer(prod).timeout,
                advancer(prod).reserved_concurrent_executions,
            ],
            [128, 70, 1],
        );
        const rule = prod.at('module.lambda_vwr.aws_cloudwatch_event_rule.minute[0]');
        assert.equal(rule.schedule_expression, 'rate(1 minute)');
        assert.equal(
            prod.at('module.lambda_vwr.aws_cloudwatch_event_target.minute[0]').arn,
            advancer(prod).arn,
        );
        assert.equal(advancer(prod).environment[0].variables.URR_VWR_PEOPLE_PER_MINUTE, '500');
        assert.equal(
            prod.one('aws_lambda_function_event_invoke_config').destination_config[0].on_failure
                .length,
            1,
        );
    }),
    check('FN-3', 'token check: 128 MB, 5 s, us-east-1, no environment, no network', ({ prod }) => {
        const edge = prod.at('module.cloudfront.aws_lambda_function.token_check');
        assert.deepEqual(
            [edge.memory_size, edge.timeout, edge.region, edge.publish, edge.runtime],
            [128, 5, 'us-east-1', true, 'nodejs20.x'],
        );
        assert.deepEqual([edge.environment, edge.vpc_config], [[], []]);
    }),
    check(
        'FN-4',
        'worker: 256 MB, 30 s, prod 10 and staging 5 at once, batches of 10, streaming subnets, X-Ray in prod',
        ({ prod, staging }) => {
            for (const [plan, concurrency, mode] of [
                [prod, 10, 'Active'],
                [staging, 5, 'PassThrough'],
            ]) {
                ours(worker(plan));
                assert.deepEqual(
                    [
                        worker(plan).memory_size,
                        worker(plan).timeout,
                        worker(plan).reserved_concurrent_executions,
                        worker(plan).tracing_config[0].mode,
                    ],
                    [256, 30, concurrency, mode],
                );
                const source = plan.one('aws_lambda_event_source_mapping');
                assert.deepEqual(
                    [source.event_source_arn, source.batch_size, source.function_response_types],
                    [
                        plan.at('module.sqs.aws_sqs_queue.events').arn,
                        10,
                        ['ReportBatchItemFailures'],
                    ],
                );
                // A FIFO queue takes no batching window: AWS would refuse it.
                assert.ok(!source.maximum_batching_window_in_seconds);
            }
        },
    ),

    check(
        'DDB-1',
        'counters: eventId, on demand, 35 days of recovery; none in staging',
        ({ prod, staging }) => {
            const table = prod.at('module.dynamodb_vwr.aws_dynamodb_table.counters[0]');
            assert.deepEqual(
                [table.hash_key, table.range_key ?? null, table.billing_mode, table.attribute],
                ['eventId', null, 'PAY_PER_REQUEST', [{ name: 'eventId', type: 'S' }]],
            );
            assert.deepEqual(
                [
                    table.point_in_time_recovery[0].enabled,
                    table.point_in_time_recovery[0].recovery_period_in_days,
                ],
                [true, 35],
            );
            assert.equal(table.deletion_protection_enabled, true);
            assert.equal(staging.all('aws_dynamodb_table').length, 0);
        },
    ),
    check(
        'DDB-2',
        'positions: eventId and requestId, the index by position, TTL, recovery',
        ({ prod }) => {
            const table = prod.at('module.dynamodb_vwr.aws_dynamodb_table.positions[0]');
            assert.deepEqual([table.hash_key, table.range_key], ['eventId', 'requestId']);
            const [index] = table.global_secondary_index;
            assert.deepEqual(
                [index.name, index.hash_key, index.range_key],
                ['eventId-position-index', 'eventId', 'position'],
            );
            assert.deepEqual(
                [table.ttl[0].enabled, table.point_in_time_recovery[0].enabled],
                [true, true],
            );
        },
    ),

    check(
        'S3-1',
        'frontend: versioned, SSE-S3, read by this distribution only, CORS GET and HEAD',
        ({ prod, staging }) => {
            const frontend = bucket(prod, 'frontend');
            const of = (type) => prod.one(type, (r) => r.values.bucket === frontend.id);
            assert.equal(
                of('aws_s3_bucket_versioning').versioning_configuration[0].status,
                'Enabled',
            );
            assert.equal(
                of('aws_s3_bucket_server_side_encryption_configuration').rule[0]
                    .apply_server_side_encryption_by_default[0].sse_algorithm,
                'AES256',
            );
            const block = of('aws_s3_bucket_public_access_block');
            assert.ok(
                block.block_public_acls &&
                    block.block_public_policy &&
                    block.ignore_public_acls &&
                    block.restrict_public_buckets,
            );
            const allowed = JSON.parse(of('aws_s3_bucket_policy').policy).Statement.filter(
                (s) => s.Effect === 'Allow',
            );
            assert.deepEqual(
                allowed.map((s) => [s.Principal, s.Action, s.Condition]),
                [
                    [
                        { Service: 'cloudfront.amazonaws.com' },
                        's3:GetObject',
                        {
                            StringEquals: {
                                'AWS:SourceArn': prod.one('aws_cloudfront_distribution').arn,
                            },
                        },
                    ],
                ],
            );
            assert.deepEqual(
                sorted(prod.one('aws_s3_bucket_cors_configuration').cors_rule[0].allowed_methods),
                ['GET', 'HEAD'],
            );
            assert.ok(!staging.has('module.s3.aws_s3_bucket.this["frontend"]'));
        },
    ),
    both('S3-2', 'logs: Standard-IA after 30 days, Glacier after 90, deleted after 180', (plan) => {
        const logs = bucket(plan, 'logs');
        const lifecycle = plan.one(
            'aws_s3_bucket_lifecycle_configuration',
            (r) => r.values.bucket === logs.id,
        );
        assert.equal(lifecycle.rule.length, 1);
        const [rule] = lifecycle.rule;
        assert.deepEqual(
            rule.transition.map((t) => [t.days, t.storage_class]).sort((a, b) => a[0] - b[0]),
            [
                [30, 'STANDARD_IA'],
                [90, 'GLACIER'],
            ],
        );
        assert.equal(rule.expiration[0].days, 180);
        assert.equal(plan.one('aws_lb').access_logs[0].bucket, logs.id);
    }),

    check(
        'APG-1',
        '5,000 a second and 10,000 at once; staging has 1,000 and 2,000 ready',
        ({ prod, staging }) => {
            const [settings] = prod.one('aws_apigatewayv2_stage').default_route_settings;
            assert.deepEqual(
                [settings.throttling_rate_limit, settings.throttling_burst_limit],
                [5000, 10000],
            );
            assert.deepEqual(
                [
                    staging.json.variables.vwr_rate_limit.value,
                    staging.json.variables.vwr_burst_limit.value,
                ],
                [1000, 2000],
            );
            assert.equal(staging.all('aws_apigatewayv2_api').length, 0);
        },
    ),
    check(
        'APG-2',
        "assign, check, status and the signed steering; only with CloudFront's header",
        ({ prod }) => {
            const routes = prod.all('aws_apigatewayv2_route');
            assert.deepEqual(sorted(routes.map((r) => r.values.route_key)), [
                'GET /vwr/check/{eventId}/{requestId}',
                'GET /vwr/status/{eventId}',
                'POST /vwr/assign/{eventId}',
                'PUT /vwr/rooms/{eventId}',
            ]);
            const authorizer = prod.one('aws_apigatewayv2_authorizer');
            assert.deepEqual(authorizer.identity_sources, ['$request.header.X-Custom-Header']);
            for (const { values } of routes)
                assert.deepEqual(
                    [values.authorization_type, values.authorizer_id],
                    ['CUSTOM', authorizer.id],
                );
            assert.equal(prod.one('aws_apigatewayv2_stage').access_log_settings.length, 1);
        },
    ),
];
