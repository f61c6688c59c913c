// What must hold for every resource, whoever adds the next one.
import assert from 'node:assert/strict';
import { SENTINEL } from '../lib/terraform.mjs';
import { list, statements } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

// Actions that change nothing and for which AWS knows no resources, or that only name them.
const READS = /^[a-z0-9-]+:(Describe|Get|List|Head|BatchGet|Query|Scan|Lookup)/;
// Writes of which AWS itself knows no resource.
const WITHOUT_RESOURCE = [
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'ecr:GetAuthorizationToken',
];

const documents = (plan) =>
    plan.resources.flatMap(({ address, type, values }) =>
        ['aws_iam_role_policy', 'aws_iam_policy'].includes(type) ? [[address, values.policy]] : [],
    );

const ENCRYPTED = {
    aws_db_instance: (v) => v.storage_encrypted && v.kms_key_id?.startsWith('arn:'),
    aws_elasticache_replication_group: (v) =>
        String(v.at_rest_encryption_enabled) === 'true' && v.transit_encryption_enabled,
    aws_msk_cluster: (v) => v.encryption_info[0].encryption_at_rest_kms_key_arn?.startsWith('arn:'),
    aws_sqs_queue: (v) => v.sqs_managed_sse_enabled === true,
    aws_sns_topic: (v) => v.kms_master_key_id?.startsWith('arn:'),
    aws_dynamodb_table: (v) => v.server_side_encryption[0]?.enabled,
    aws_ecr_repository: (v) => v.encryption_configuration[0]?.encryption_type === 'KMS',
    aws_secretsmanager_secret: (v) => v.kms_key_id?.startsWith('arn:'),
    aws_prometheus_workspace: (v) => v.kms_key_arn?.startsWith('arn:'),
    aws_launch_template: (v) =>
        v.block_device_mappings.every((b) => String(b.ebs[0].encrypted) === 'true'),
    aws_eks_cluster: (v) => v.encryption_config.length === 1,
    aws_kms_key: (v) => v.enable_key_rotation,
};

// Types that keep data and are encrypted by resources of their own, or have nothing to encrypt.
const STORES =
    /^aws_(db_instance|elasticache_replication_group|msk_cluster|sqs_queue|sns_topic|dynamodb_table|ecr_repository|secretsmanager_secret|prometheus_workspace|launch_template|eks_cluster|kms_key|ebs_volume|efs_file_system|kinesis_stream|redshift_cluster|opensearch_domain|rds_cluster)$/;

function strings(value, at = '') {
    if (typeof value === 'string') return [[at, value]];
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([key, child]) =>
        strings(child, at ? `${at}.${key}` : key),
    );
}

// CloudFront must send the header and the ALB must compare it: AWS has no argument that names a secret.
const HEADER_PLACES = [
    /^module\.cloudfront\.aws_cloudfront_distribution\.this origin\.\d+\.custom_header\.\d+\.value$/,
    /^module\.alb\.aws_lb_listener_rule\.this\["\w+"\] condition\.\d+\.http_header\.\d+\.values\.\d+$/,
];

export default [
    check(
        'POLICY twenty modules',
        'prod calls exactly twenty modules, each once',
        ({ prod, staging }) => {
            assert.deepEqual([...prod.calls].sort(), [
                'alb',
                'api_gateway_vwr',
                'cloudfront',
                'dynamodb_vwr',
                'ecr',
                'eks',
                'elasticache',
                'iam',
                'lambda_vwr',
                'lambda_worker',
                'monitoring',
                'msk',
                'rds',
                'route53',
                's3',
                'secrets',
                'sqs',
                'vpc',
                'vpc_endpoints',
                'waf',
            ]);
            for (const call of staging.calls) assert.ok(prod.calls.includes(call));
        },
    ),
    both('POLICY no wildcard on writes', 'a write names its action and its resources', (plan) => {
        assert.ok(documents(plan).length >= 12);
        for (const [address, policy] of documents(plan)) {
            for (const {
                Effect: effect,
                Action: actions,
                Resource: resources,
                NotAction: exempt,
            } of statements(policy)) {
                if (effect !== 'Allow') continue;
                assert.equal(exempt, undefined, `${address} uses NotAction`);
                for (const action of list(actions)) {
                    assert.ok(!action.includes('*'), `${address} allows ${action}`);
                    if (READS.test(action) || WITHOUT_RESOURCE.includes(action)) continue;
                    assert.ok(
                        !list(resources).includes('*'),
                        `${address} allows ${action} on everything`,
                    );
                }
            }
        }
    }),
    both('POLICY no open ingress', 'nothing admits 0.0.0.0/0', (plan) => {
        for (const { address, values } of plan.all('aws_vpc_security_group_ingress_rule')) {
            assert.notEqual(values.cidr_ipv4, '0.0.0.0/0', address);
            assert.notEqual(values.cidr_ipv6, '::/0', address);
        }
        for (const { address, values } of plan.all('aws_security_group')) {
            assert.deepEqual(
                list(values.ingress).filter((i) => i?.cidr_blocks?.includes('0.0.0.0/0')),
                [],
                address,
            );
        }
    }),
    both('POLICY everything encrypted', 'whatever keeps data is encrypted', (plan) => {
        for (const { address, type, values } of plan.resources) {
            if (!STORES.test(type)) continue;
            assert.ok(ENCRYPTED[type], `${address}: nobody has said how a ${type} is encrypted`);
            assert.ok(ENCRYPTED[type](values), `${address} is not encrypted`);
        }
        const buckets = plan.all('aws_s3_bucket').map((r) => r.values.id);
        for (const type of [
            'aws_s3_bucket_server_side_encryption_configuration',
            'aws_s3_bucket_public_access_block',
            'aws_s3_bucket_versioning',
        ]) {
            assert.deepEqual(
                plan
                    .all(type)
                    .map((r) => r.values.bucket)
                    .sort(),
                [...buckets].sort(),
                type,
            );
        }
    }),
    both('POLICY TLS only', 'buckets, queues and topics refuse plain text', (plan) => {
        const refuses = (policy) =>
            statements(policy).some(
                (s) =>
                    s.Effect === 'Deny' &&
                    s.Principal === '*' &&
                    s.Condition?.Bool?.['aws:SecureTransport'] === 'false',
            );
        for (const type of [
            'aws_s3_bucket_policy',
            'aws_sqs_queue_policy',
            'aws_sns_topic_policy',
        ]) {
            for (const { address, values } of plan.all(type))
                assert.ok(refuses(values.policy), address);
        }
        assert.equal(plan.all('aws_s3_bucket_policy').length, plan.all('aws_s3_bucket').length);
    }),
    both('POLICY log retention', 'every log group ends', (plan) => {
        const groups = plan.all('aws_cloudwatch_log_group');
        assert.ok(groups.length >= 8);
        for (const { address, values } of groups)
            assert.ok(values.retention_in_days > 0, `${address} is kept for ever`);
    }),
    both('POLICY functions log', 'every function has a log group of its own', (plan) => {
        const names = plan.all('aws_cloudwatch_log_group').map((r) => r.values.name);
        for (const { address, values } of plan.all('aws_lambda_function')) {
            assert.ok(
                names.includes(`/aws/lambda/${values.function_name}`) ||
                    names.includes(`/aws/lambda/us-east-1.${values.function_name}`),
                address,
            );
        }
    }),
    both(
        'POLICY alarms act',
        'every alarm has actions, for both directions, on topics of ours',
        (plan) => {
            const topics = plan.all('aws_sns_topic').map((r) => r.values.arn);
            assert.ok(plan.all('aws_cloudwatch_metric_alarm').length >= 7);
            for (const { address, values } of plan.all('aws_cloudwatch_metric_alarm')) {
                for (const actions of [values.alarm_actions, values.ok_actions]) {
                    assert.ok(
                        actions?.length && actions.every((arn) => topics.includes(arn)),
                        address,
                    );
                }
                assert.notEqual(values.actions_enabled, false, address);
            }
        },
    ),
    both(
        'POLICY no secret',
        "no password in plan or state; the header's value only where AWS wants it",
        (plan) => {
            for (const { address, type, values } of plan.resources) {
                assert.notEqual(
                    type,
                    'aws_secretsmanager_secret_version',
                    `${address} would keep its value in the state`,
                );
                assert.ok(!type.startsWith('random_password'), address);
                for (const key of ['password', 'auth_token', 'master_password', 'secret_string']) {
                    assert.ok(!values[key] || /^[a-z-]+\./.test(values[key]), `${address}.${key}`);
                }
                for (const [at, text] of strings(values)) {
                    if (text.includes(SENTINEL)) {
                        assert.ok(
                            HEADER_PLACES.some((place) => place.test(`${address} ${at}`)),
                            `the header's value is in ${address} ${at}`,
                        );
                    }
                    assert.ok(
                        !/AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY/.test(text),
                        `${address} ${at} holds a key`,
                    );
                }
            }
        },
    ),
    check('POLICY images', 'nine repositories urr/…, immutable, scanned, tidied', ({ prod }) => {
        const repositories = prod.all('aws_ecr_repository');
        assert.deepEqual(
            repositories.map((r) => r.values.name).sort(),
            [
                'auth-service',
                'catalog-service',
                'community-service',
                'frontend',
                'gateway-service',
                'payment-service',
                'queue-service',
                'stats-service',
                'ticket-service',
            ].map((name) => `urr/${name}`),
        );
        for (const { values } of repositories) {
            assert.deepEqual(
                [values.image_tag_mutability, values.image_scanning_configuration[0].scan_on_push],
                ['IMMUTABLE', true],
            );
        }
        assert.equal(prod.all('aws_ecr_lifecycle_policy').length, 9);
    }),
    check(
        'POLICY names',
        'the site leads to the CDN in prod, to the balancer in staging; certificates where they are looked for',
        ({ prod, staging }) => {
            const site = (plan) =>
                plan
                    .all(
                        'aws_route53_record',
                        (r) => r.values.name === 'urr.example' && r.values.alias.length,
                    )
                    .map((r) => r.values.alias[0].name);
            assert.ok(
                site(prod).every(
                    (name) => name === prod.one('aws_cloudfront_distribution').domain_name,
                ) && site(prod).length === 2,
            );
            assert.deepEqual(site(staging), [staging.one('aws_lb').dns_name]);
            assert.deepEqual(
                prod
                    .all('aws_acm_certificate')
                    .map((r) => r.values.region)
                    .sort(),
                ['ap-northeast-2', 'us-east-1'],
            );
        },
    ),
    both('POLICY flow logs', "the VPC's traffic is logged", (plan) => {
        assert.equal(plan.one('aws_flow_log').traffic_type, 'ALL');
        assert.equal(plan.one('aws_flow_log').vpc_id, plan.one('aws_vpc').id);
    }),
];
