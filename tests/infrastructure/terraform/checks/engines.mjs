import assert from 'node:assert/strict';
import { sorted, statements } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

const primary = (plan) => plan.at('module.rds.aws_db_instance.primary');
const redis = (plan) => plan.one('aws_elasticache_replication_group');
const kafka = (plan) => plan.one('aws_msk_cluster');

// Which service may write and which may read a topic, by the policies of their roles.
function rights(plan, topic) {
    const found = { writes: [], reads: [] };
    for (const service of ['ticket', 'payment', 'stats', 'queue', 'community']) {
        const policy = statements(
            plan.at(`module.iam.aws_iam_role_policy.this["${service}"]`).policy,
        );
        for (const { Action: actions, Resource: resources } of policy) {
            if (!resources.some((arn) => arn.endsWith(`/${topic}`))) continue;
            if (actions.includes('kafka-cluster:WriteData')) found.writes.push(service);
            if (actions.includes('kafka-cluster:ReadData')) found.reads.push(service);
        }
    }
    return found;
}

const topic = (row, name, writes, reads) =>
    both(row, `${name}: ${writes} writes, ${reads.join(', ')} read`, (plan) => {
        const { writes: writers, reads: readers } = rights(plan, name);
        assert.deepEqual([writers, sorted(readers)], [[writes], sorted(reads)]);
    });

const properties = (plan) =>
    Object.fromEntries(
        plan
            .one('aws_msk_configuration')
            .server_properties.trim()
            .split('\n')
            .map((line) => line.split('=')),
    );

export default [
    both('RDS-1', 'PostgreSQL 16.4 on db.t4g.micro', (plan) => {
        const { engine, engine_version: version, instance_class: size } = primary(plan);
        assert.deepEqual([engine, version, size], ['postgres', '16.4', 'db.t4g.micro']);
    }),
    check('RDS-2', 'gp3: prod 50 GB and up to 100, staging 20 GB', ({ prod, staging }) => {
        const storage = (plan) => [
            primary(plan).storage_type,
            primary(plan).allocated_storage,
            primary(plan).max_allocated_storage,
        ];
        assert.deepEqual(storage(prod), ['gp3', 50, 100]);
        assert.deepEqual(storage(staging), ['gp3', 20, 0]);
    }),
    check(
        'RDS-3',
        'prod Multi-AZ, one replica, protected; staging none of these',
        ({ prod, staging }) => {
            const shape = (plan) => [
                primary(plan).multi_az,
                plan.all('aws_db_instance', (r) => r.name === 'replica').length,
                primary(plan).deletion_protection,
            ];
            assert.deepEqual(shape(prod), [true, 1, true]);
            assert.deepEqual(shape(staging), [false, 0, false]);
        },
    ),
    both('RDS-4', 'backups of 7 days, database subnets, not public', (plan) => {
        assert.equal(primary(plan).backup_retention_period, 7);
        assert.equal(primary(plan).db_subnet_group_name, plan.one('aws_db_subnet_group').name);
        assert.ok(plan.all('aws_db_instance').every((r) => r.values.publicly_accessible === false));
    }),
    both(
        'RDS-5',
        'one instance; a generated secret for the user of each of five databases',
        (plan) => {
            const template = JSON.parse(
                plan.one('aws_cloudformation_stack', (r) => r.module === 'secrets').template_body,
            );
            const users = Object.values(template.Resources)
                .map((r) => r.Properties.Name)
                .filter((name) => name.includes('/database/'));
            assert.deepEqual(sorted(users.map((name) => name.split('/database/')[1])), [
                'auth',
                'community',
                'payment',
                'stats',
                'ticket',
            ]);
            assert.equal(plan.all('aws_db_instance', (r) => r.name === 'primary').length, 1);
        },
    ),
    check('RDS-6', 'the replica follows the primary, of its class, watched alike', ({ prod }) => {
        const replica = prod.at('module.rds.aws_db_instance.replica[0]');
        assert.equal(replica.replicate_source_db, primary(prod).identifier);
        for (const same of [
            'instance_class',
            'performance_insights_enabled',
            'monitoring_interval',
            'monitoring_role_arn',
        ]) {
            assert.deepEqual(replica[same], primary(prod)[same]);
        }
    }),
    check(
        'RDS-7',
        'the proxy: 100% and 50% of the pool, secrets, TLS; none in staging',
        ({ prod, staging }) => {
            const proxy = prod.one('aws_db_proxy');
            assert.equal(proxy.require_tls, true);
            assert.equal(proxy.auth.length, 5);
            assert.ok(
                proxy.auth.every(
                    (a) => a.auth_scheme === 'SECRETS' && a.secret_arn.startsWith('arn:'),
                ),
            );
            const [pool] = prod.one('aws_db_proxy_default_target_group').connection_pool_config;
            assert.deepEqual(
                [pool.max_connections_percent, pool.max_idle_connections_percent],
                [100, 50],
            );
            assert.equal(
                prod.one('aws_db_proxy_target').db_instance_identifier,
                primary(prod).identifier,
            );
            assert.equal(staging.all('aws_db_proxy').length, 0);
        },
    ),
    both(
        'RDS-8',
        'insights 7 days, monitoring 60 s, slow statements from 1 s, two exported logs',
        (plan) => {
            for (const { values } of plan.all('aws_db_instance')) {
                assert.deepEqual(
                    [
                        values.performance_insights_enabled,
                        values.performance_insights_retention_period,
                        values.monitoring_interval,
                    ],
                    [true, 7, 60],
                );
                assert.deepEqual(sorted(values.enabled_cloudwatch_logs_exports), [
                    'postgresql',
                    'upgrade',
                ]);
            }
            const parameters = Object.fromEntries(
                plan.one('aws_db_parameter_group').parameter.map((p) => [p.name, p.value]),
            );
            assert.equal(parameters.log_min_duration_statement, '1000');
            assert.equal(parameters['rds.force_ssl'], '1');
        },
    ),

    check(
        'RED-1',
        'Redis 7.1: cache.r6g.large, in staging cache.t4g.small',
        ({ prod, staging }) => {
            assert.deepEqual(
                [redis(prod).engine_version, redis(prod).node_type],
                ['7.1', 'cache.r6g.large'],
            );
            assert.deepEqual(
                [redis(staging).engine_version, redis(staging).node_type],
                ['7.1', 'cache.t4g.small'],
            );
        },
    ),
    check(
        'RED-2',
        'prod two nodes with failover over two zones, staging one',
        ({ prod, staging }) => {
            const shape = (plan) => [
                redis(plan).num_cache_clusters,
                redis(plan).automatic_failover_enabled,
                redis(plan).multi_az_enabled,
            ];
            assert.deepEqual(shape(prod), [2, true, true]);
            assert.deepEqual(shape(staging), [1, false, false]);
        },
    ),
    both('RED-3', 'encrypted at rest and in transit; AUTH from Secrets Manager', (plan) => {
        assert.equal(String(redis(plan).at_rest_encryption_enabled), 'true');
        assert.equal(redis(plan).transit_encryption_enabled, true);
        assert.equal(redis(plan).transit_encryption_mode, 'required');
        const template = JSON.parse(
            plan.one('aws_cloudformation_stack', (r) => r.module === 'elasticache').template_body,
        );
        const { UserName: name, AuthenticationMode: mode } =
            template.Resources.DefaultUser.Properties;
        assert.equal(name, 'default');
        assert.match(
            mode.Passwords[0],
            /^\{\{resolve:secretsmanager:arn:[^}]+:SecretString:password\}\}$/,
        );
        assert.equal(redis(plan).user_group_ids.length, 1);
    }),
    both('RED-4', 'slow log and engine log go to CloudWatch', (plan) => {
        const logs = redis(plan).log_delivery_configuration;
        assert.deepEqual(sorted(logs.map((l) => l.log_type)), ['engine-log', 'slow-log']);
        for (const { destination_type: kind, destination } of logs) {
            assert.equal(kind, 'cloudwatch-logs');
            plan.one('aws_cloudwatch_log_group', (r) => r.values.name === destination);
        }
    }),
    both('RED-5', 'lines and locks are never evicted', (plan) => {
        assert.deepEqual(plan.one('aws_elasticache_parameter_group').parameter, [
            { name: 'maxmemory-policy', value: 'noeviction' },
        ]);
    }),

    check(
        'KAF-1',
        'Kafka 3.6.0, two kafka.t3.small; disks of 50 GB, in staging 20',
        ({ prod, staging }) => {
            const shape = (plan) => [
                kafka(plan).kafka_version,
                kafka(plan).number_of_broker_nodes,
                kafka(plan).broker_node_group_info[0].instance_type,
                kafka(plan).broker_node_group_info[0].storage_info[0].ebs_storage_info[0]
                    .volume_size,
            ];
            assert.deepEqual(shape(prod), ['3.6.0', 2, 'kafka.t3.small', 50]);
            assert.deepEqual(shape(staging), ['3.6.0', 2, 'kafka.t3.small', 20]);
        },
    ),
    both('KAF-2', 'TLS and IAM, nothing in plain text', (plan) => {
        const [encryption] = kafka(plan).encryption_info;
        assert.deepEqual(
            [
                encryption.encryption_in_transit[0].client_broker,
                encryption.encryption_in_transit[0].in_cluster,
            ],
            ['TLS', true],
        );
        const [authentication] = kafka(plan).client_authentication;
        assert.deepEqual(
            [authentication.sasl[0].iam, authentication.unauthenticated],
            [true, false],
        );
    }),
    topic('KAF-3', 'payment-events', 'ticket', ['payment', 'queue', 'stats']),
    topic('KAF-4', 'reservation-events', 'payment', ['ticket', 'stats']),
    topic('KAF-5', 'transfer-events', 'ticket', ['stats']),
    topic('KAF-6', 'membership-events', 'ticket', ['stats']),
    topic('POLICY queue-events', 'queue-events', 'queue', ['queue', 'stats']),
    both('KAF-7', '3 partitions, factor 2, 2 in sync, 7 days', (plan) => {
        const found = properties(plan);
        assert.deepEqual(
            [
                found['num.partitions'],
                found['default.replication.factor'],
                found['min.insync.replicas'],
                found['log.retention.hours'],
            ],
            ['3', '2', '2', '168'],
        );
        assert.equal(kafka(plan).configuration_info[0].arn, plan.one('aws_msk_configuration').arn);
    }),
    both('KAF-8', 'monitored per topic and broker', (plan) => {
        assert.equal(kafka(plan).enhanced_monitoring, 'PER_TOPIC_PER_BROKER');
    }),
];
