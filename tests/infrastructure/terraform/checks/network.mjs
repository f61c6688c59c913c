import assert from 'node:assert/strict';
import { sorted } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

const octet = { prod: 0, staging: 1 };
const subnetsOf = (plan, kind) =>
    plan
        .all('aws_subnet', (r) => r.index.startsWith(`${kind}-`))
        .sort((a, b) => a.index.localeCompare(b.index));

function standsIn(kind, numbers) {
    return (plan, environment) => {
        const found = subnetsOf(plan, kind).map((r) => [
            r.values.cidr_block,
            r.values.availability_zone,
        ]);
        assert.deepEqual(found, [
            [`10.${octet[environment]}.${numbers[0]}.0/24`, 'ap-northeast-2a'],
            [`10.${octet[environment]}.${numbers[1]}.0/24`, 'ap-northeast-2c'],
        ]);
    };
}

// The default routes of the table that a subnet is associated with.
function defaultRoutes(plan, subnet) {
    const association = plan.one(
        'aws_route_table_association',
        (r) => r.values.subnet_id === subnet.values.id,
    );
    return plan
        .all('aws_route', (r) => r.values.route_table_id === association.route_table_id)
        .map((r) => r.values)
        .filter((r) => r.destination_cidr_block === '0.0.0.0/0' || r.destination_ipv6_cidr_block);
}

const leavesByNat = (plan, kind) => {
    for (const subnet of subnetsOf(plan, kind)) {
        const [route, ...others] = defaultRoutes(plan, subnet);
        assert.equal(others.length, 0);
        const gateway = plan.one('aws_nat_gateway', (r) => r.values.id === route?.nat_gateway_id);
        const home = plan.one('aws_subnet', (r) => r.values.id === gateway.subnet_id);
        assert.equal(
            home.availability_zone,
            subnet.values.availability_zone,
            `${subnet.index} leaves by another zone`,
        );
    }
};

const leavesNowhere = (plan, kind) => {
    for (const subnet of subnetsOf(plan, kind)) assert.deepEqual(defaultRoutes(plan, subnet), []);
};

export default [
    check(
        'NET-1',
        'the VPC is 10.0.0.0/16 in prod, 10.1.0.0/16 in staging',
        ({ prod, staging }) => {
            assert.equal(prod.one('aws_vpc').cidr_block, '10.0.0.0/16');
            assert.equal(staging.one('aws_vpc').cidr_block, '10.1.0.0/16');
        },
    ),
    both('NET-2', 'everything stands in ap-northeast-2, zones a and c', (plan) => {
        assert.equal(plan.one('aws_vpc').region, 'ap-northeast-2');
        const zones = new Set(plan.all('aws_subnet').map((r) => r.values.availability_zone));
        assert.deepEqual(sorted(zones), ['ap-northeast-2a', 'ap-northeast-2c']);
    }),
    both('NET-3', 'ten subnets: five kinds in two zones', (plan) => {
        assert.equal(plan.all('aws_subnet').length, 10);
        assert.equal(plan.all('aws_route_table_association').length, 10);
        for (const kind of ['public', 'app', 'streaming', 'database', 'cache'])
            assert.equal(subnetsOf(plan, kind).length, 2);
    }),
    both('NET-4', 'two NAT gateways, one per zone; one internet gateway', (plan) => {
        const homes = plan
            .all('aws_nat_gateway')
            .map(
                ({ values }) =>
                    plan.one('aws_subnet', (r) => r.values.id === values.subnet_id)
                        .availability_zone,
            );
        assert.deepEqual(sorted(homes), ['ap-northeast-2a', 'ap-northeast-2c']);
        assert.equal(plan.one('aws_internet_gateway').vpc_id, plan.one('aws_vpc').id);
    }),
    both(
        'NET-5',
        'public subnets are x.0 and x.1; the balancer stands there',
        (plan, environment) => {
            standsIn('public', [0, 1])(plan, environment);
            assert.deepEqual(
                sorted(plan.one('aws_lb').subnets),
                sorted(subnetsOf(plan, 'public').map((r) => r.values.id)),
            );
        },
    ),
    both(
        'NET-6',
        'app subnets are x.10 and x.11; nodes, endpoints and proxy stand there',
        (plan, environment) => {
            standsIn('app', [10, 11])(plan, environment);
            const app = sorted(subnetsOf(plan, 'app').map((r) => r.values.id));
            assert.deepEqual(sorted(plan.one('aws_eks_node_group').subnet_ids), app);
            for (const { values } of plan.all(
                'aws_vpc_endpoint',
                (r) => r.values.vpc_endpoint_type === 'Interface',
            )) {
                assert.deepEqual(sorted(values.subnet_ids), app);
            }
            for (const { values } of plan.all('aws_db_proxy'))
                assert.deepEqual(sorted(values.vpc_subnet_ids), app);
        },
    ),
    both(
        'NET-7',
        'streaming subnets are x.40 and x.41; Kafka and the worker stand there',
        (plan, environment) => {
            standsIn('streaming', [40, 41])(plan, environment);
            const streaming = sorted(subnetsOf(plan, 'streaming').map((r) => r.values.id));
            assert.deepEqual(
                sorted(plan.one('aws_msk_cluster').broker_node_group_info[0].client_subnets),
                streaming,
            );
            assert.deepEqual(
                sorted(
                    plan.at('module.lambda_worker.aws_lambda_function.this').vpc_config[0]
                        .subnet_ids,
                ),
                streaming,
            );
        },
    ),
    both(
        'NET-8',
        'database subnets are x.20 and x.21; PostgreSQL stands there',
        (plan, environment) => {
            standsIn('database', [20, 21])(plan, environment);
            assert.deepEqual(
                sorted(plan.one('aws_db_subnet_group').subnet_ids),
                sorted(subnetsOf(plan, 'database').map((r) => r.values.id)),
            );
        },
    ),
    both('NET-9', 'cache subnets are x.30 and x.31; Redis stands there', (plan, environment) => {
        standsIn('cache', [30, 31])(plan, environment);
        assert.deepEqual(
            sorted(plan.one('aws_elasticache_subnet_group').subnet_ids),
            sorted(subnetsOf(plan, 'cache').map((r) => r.values.id)),
        );
    }),
    both('NET-10', 'database and cache share the table db, which leads nowhere', (plan) => {
        const db = plan.at('module.vpc.aws_route_table.db');
        for (const kind of ['database', 'cache']) {
            leavesNowhere(plan, kind);
            for (const subnet of subnetsOf(plan, kind)) {
                const association = plan.one(
                    'aws_route_table_association',
                    (r) => r.values.subnet_id === subnet.values.id,
                );
                assert.equal(association.route_table_id, db.id);
            }
        }
        assert.deepEqual(
            db.route ?? [],
            db.route?.filter((r) => r.cidr_block !== '0.0.0.0/0') ?? [],
        );
    }),
    both(
        'NET-11',
        'public leaves by the internet gateway, app and streaming by the NAT gateway of their zone',
        (plan) => {
            const gateway = plan.one('aws_internet_gateway').id;
            for (const subnet of subnetsOf(plan, 'public')) {
                assert.deepEqual(
                    defaultRoutes(plan, subnet).map((r) => r.gateway_id),
                    [gateway],
                );
            }
            leavesByNat(plan, 'app');
            leavesByNat(plan, 'streaming');
        },
    ),
    both(
        'NET-12',
        'the S3 gateway is on every route table; no way to DynamoDB in the VPC',
        (plan) => {
            const gateways = plan.all(
                'aws_vpc_endpoint',
                (r) => r.values.vpc_endpoint_type === 'Gateway',
            );
            assert.deepEqual(
                gateways.map((r) => r.values.service_name),
                ['com.amazonaws.ap-northeast-2.s3'],
            );
            assert.deepEqual(
                sorted(gateways[0].values.route_table_ids),
                sorted(plan.all('aws_route_table').map((r) => r.values.id)),
            );
        },
    ),
    both('NET-13', 'ten interface endpoints with private DNS: eleven endpoints in all', (plan) => {
        const interfaces = plan.all(
            'aws_vpc_endpoint',
            (r) => r.values.vpc_endpoint_type === 'Interface',
        );
        assert.deepEqual(
            sorted(
                interfaces.map((r) =>
                    r.values.service_name.replace('com.amazonaws.ap-northeast-2.', ''),
                ),
            ),
            [
                'autoscaling',
                'ec2',
                'ecr.api',
                'ecr.dkr',
                'eks',
                'elasticloadbalancing',
                'logs',
                'secretsmanager',
                'sqs',
                'sts',
            ],
        );
        assert.ok(interfaces.every((r) => r.values.private_dns_enabled));
        assert.equal(plan.all('aws_vpc_endpoint').length, 11);
    }),
];
