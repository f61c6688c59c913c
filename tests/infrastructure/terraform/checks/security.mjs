// Security groups as pairs: who may reach whom at which ports. The whole list is compared, so that a
// pair that nobody decided fails as much as one that is missing.
import assert from 'node:assert/strict';
import { sorted } from '../lib/plan.mjs';
import { check } from './check.mjs';

const NAMES = {
    'module.alb.aws_security_group.this["https"]': 'ALB',
    'module.alb.aws_security_group.this["http"]': 'ALB (80)',
    'module.eks.aws_security_group.nodes': 'nodes',
    'module.eks.aws_security_group.control_plane': 'control plane',
    'module.rds.aws_security_group.proxy[0]': 'RDS Proxy',
    'module.rds.aws_security_group.primary': 'RDS',
    'module.rds.aws_security_group.replica[0]': 'replica',
    'module.elasticache.aws_security_group.this': 'Redis',
    'module.msk.aws_security_group.this': 'MSK',
    'module.lambda_worker.aws_security_group.this': 'worker',
    'module.vpc_endpoints.aws_security_group.this': 'endpoints',
};

function nameOf(plan, id) {
    const group = plan.resources.find((r) => r.type === 'aws_security_group' && r.values.id === id);
    assert.ok(group, `a rule names an unknown group ${id}`);
    assert.ok(NAMES[group.address], `${group.address} is a group that nobody decided`);
    return NAMES[group.address];
}

const ports = ({ ip_protocol: protocol, from_port: from, to_port: to }) =>
    protocol === '-1' ? 'all' : from === to ? `${from}` : `${from}-${to}`;
const far = (plan, rule) =>
    rule.referenced_security_group_id
        ? nameOf(plan, rule.referenced_security_group_id)
        : rule.prefix_list_id
          ? 'CloudFront'
          : (rule.cidr_ipv4 ?? rule.cidr_ipv6);

export const ingress = (plan) =>
    sorted(
        plan
            .all('aws_vpc_security_group_ingress_rule')
            .map(
                ({ values }) =>
                    `${far(plan, values)} → ${nameOf(plan, values.security_group_id)} ${ports(values)}`,
            ),
    );
export const egress = (plan) =>
    sorted(
        plan
            .all('aws_vpc_security_group_egress_rule')
            .map(
                ({ values }) =>
                    `${nameOf(plan, values.security_group_id)} → ${far(plan, values)} ${ports(values)}`,
            ),
    );

// Row → pairs, in prod and in staging.
const ROWS = {
    'SG-1': [['CloudFront → ALB 443', 'CloudFront → ALB (80) 80'], []],
    'SG-2': [['ALB → nodes 0-65535'], ['ALB → nodes 0-65535']],
    'SG-3': [['nodes → nodes all'], ['nodes → nodes all']],
    'SG-4': [
        [
            'control plane → nodes 443',
            'control plane → nodes 10250',
            'control plane → nodes 8443',
            'control plane → nodes 9443',
        ],
        [
            'control plane → nodes 443',
            'control plane → nodes 10250',
            'control plane → nodes 8443',
            'control plane → nodes 9443',
        ],
    ],
    'SG-5': [
        ['nodes → RDS Proxy 5432', 'RDS Proxy → RDS 5432', 'nodes → replica 5432'],
        ['nodes → RDS 5432'],
    ],
    'SG-6': [['nodes → Redis 6379'], ['nodes → Redis 6379']],
    'SG-7': [
        ['nodes → MSK 9094', 'nodes → MSK 9098'],
        ['nodes → MSK 9094', 'nodes → MSK 9098'],
    ],
    'SG-8': [
        ['worker → RDS Proxy 5432', 'worker → Redis 6379'],
        ['worker → RDS 5432', 'worker → Redis 6379'],
    ],
    'SG-9': [['MSK → MSK 2181'], ['MSK → MSK 2181']],
};

const ENDPOINTS = [['10.0.0.0/16 → endpoints 443'], ['10.1.0.0/16 → endpoints 443']];

const EGRESS = [
    [
        'nodes → 0.0.0.0/0 all',
        'ALB → nodes 0-65535',
        'RDS Proxy → RDS 5432',
        'MSK → MSK 2181',
        'worker → RDS Proxy 5432',
        'worker → Redis 6379',
        'worker → endpoints 443',
        ...ROWS['SG-4'][0],
    ],
    [
        'nodes → 0.0.0.0/0 all',
        'ALB → nodes 0-65535',
        'MSK → MSK 2181',
        'worker → RDS 5432',
        'worker → Redis 6379',
        'worker → endpoints 443',
        ...ROWS['SG-4'][1],
    ],
];

const rows = Object.entries(ROWS).map(([row, [inProd, inStaging]]) =>
    check(row, inProd.join(', '), ({ prod, staging }) => {
        for (const pair of inProd) assert.ok(ingress(prod).includes(pair), `prod lacks ${pair}`);
        for (const pair of inStaging)
            assert.ok(ingress(staging).includes(pair), `staging lacks ${pair}`);
    }),
);

export default [
    ...rows,
    check(
        'POLICY pairs',
        'the pairs of SG-1 to SG-9, the endpoints, and no other',
        ({ prod, staging }) => {
            const expected = (index) =>
                sorted([
                    ...Object.values(ROWS).flatMap((pairs) => pairs[index]),
                    ...ENDPOINTS[index],
                ]);
            assert.deepEqual(ingress(prod), expected(0));
            assert.deepEqual(ingress(staging), expected(1));
        },
    ),
    check('POLICY egress', 'what each group may call, and no other', ({ prod, staging }) => {
        assert.deepEqual(egress(prod), sorted(EGRESS[0]));
        assert.deepEqual(egress(staging), sorted(EGRESS[1]));
    }),
    check(
        'POLICY no inline rules',
        'rules are resources of their own; the default group has none',
        ({ prod, staging }) => {
            for (const plan of [prod, staging]) {
                assert.equal(plan.all('aws_security_group_rule').length, 0);
                const [emptied] = plan.all('aws_default_security_group');
                assert.deepEqual(
                    [emptied.values.ingress ?? [], emptied.values.egress ?? []]
                        .flat()
                        .filter(Boolean).length,
                    0,
                );
            }
        },
    ),
];
