import assert from 'node:assert/strict';
import { sorted, statements } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

export default [
    both('EKS-1', 'Kubernetes 1.28, private endpoint only', (plan) => {
        const cluster = plan.one('aws_eks_cluster');
        assert.equal(cluster.version, '1.28');
        assert.equal(cluster.vpc_config[0].endpoint_private_access, true);
        assert.equal(cluster.vpc_config[0].endpoint_public_access, false);
        assert.equal(cluster.access_config[0].authentication_mode, 'API');
    }),
    both('EKS-2', 'secrets are encrypted by a key of our own', (plan) => {
        const [config] = plan.one('aws_eks_cluster').encryption_config;
        assert.deepEqual(config.resources, ['secrets']);
        assert.equal(config.provider[0].key_arn, plan.at('module.eks.aws_kms_key.secrets').arn);
    }),
    both('EKS-3', 'all five control-plane logs, kept 7 days', (plan) => {
        const cluster = plan.one('aws_eks_cluster');
        assert.deepEqual(sorted(cluster.enabled_cluster_log_types), [
            'api',
            'audit',
            'authenticator',
            'controllerManager',
            'scheduler',
        ]);
        assert.equal(
            plan.one(
                'aws_cloudwatch_log_group',
                (r) => r.values.name === `/aws/eks/${cluster.name}/cluster`,
            ).retention_in_days,
            7,
        );
    }),
    check('EKS-4', 'the node groups bear the documented names', ({ prod, staging }) => {
        assert.equal(prod.one('aws_eks_node_group').node_group_name, 'urr-spring-ng-initial');
        assert.equal(staging.one('aws_eks_node_group').node_group_name, 'urr-staging-ng-initial');
    }),
    check(
        'EKS-5',
        'prod t3.medium 3/2/5, staging t3.small 2/1/3; desired is left to whoever scales',
        ({ prod, staging }) => {
            const size = (plan) => {
                const group = plan.one('aws_eks_node_group');
                const [scaling] = group.scaling_config;
                return [
                    group.instance_types,
                    scaling.desired_size,
                    scaling.min_size,
                    scaling.max_size,
                ];
            };
            assert.deepEqual(size(prod), [['t3.medium'], 3, 2, 5]);
            assert.deepEqual(size(staging), [['t3.small'], 2, 1, 3]);
        },
    ),
    check(
        'EKS-6',
        'prod on demand, staging spot; 20 GB gp3, encrypted; two zones',
        ({ prod, staging }) => {
            assert.equal(prod.one('aws_eks_node_group').capacity_type, 'ON_DEMAND');
            assert.equal(staging.one('aws_eks_node_group').capacity_type, 'SPOT');
            for (const plan of [prod, staging]) {
                const [disk] = plan.one('aws_launch_template').block_device_mappings[0].ebs;
                assert.deepEqual(
                    [disk.volume_size, disk.volume_type, String(disk.encrypted)],
                    [20, 'gp3', 'true'],
                );
                assert.equal(plan.one('aws_eks_node_group').subnet_ids.length, 2);
            }
        },
    ),
    both('EKS-7', "the label role: initial; a pod cannot borrow the node's role", (plan) => {
        assert.deepEqual(plan.one('aws_eks_node_group').labels, { role: 'initial' });
        const [metadata] = plan.one('aws_launch_template').metadata_options;
        assert.equal(metadata.http_tokens, 'required');
        assert.equal(metadata.http_put_response_hop_limit, 1);
    }),
    both('EKS-8', 'karpenter of kube-system takes its role by IRSA', (plan) => {
        const [trust] = statements(
            plan.at('module.eks.aws_iam_role.irsa["karpenter"]').assume_role_policy,
        );
        const subject = Object.entries(trust.Condition.StringEquals).find(([key]) =>
            key.endsWith(':sub'),
        )[1];
        assert.equal(subject, 'system:serviceaccount:kube-system:karpenter');
        assert.equal(trust.Action, 'sts:AssumeRoleWithWebIdentity');
    }),
    both(
        'EKS-11',
        'the discovery tag is on the app subnets and on both groups that nodes carry',
        (plan) => {
            const cluster = plan.one('aws_eks_cluster').name;
            const tagged = (type) =>
                plan.all(type, (r) => r.values.tags?.['karpenter.sh/discovery'] === cluster);
            assert.deepEqual(sorted(tagged('aws_subnet').map((r) => r.index)), ['app-a', 'app-c']);
            assert.deepEqual(
                tagged('aws_security_group').map((r) => r.address),
                ['module.eks.aws_security_group.nodes'],
            );
            const tag = plan.one('aws_ec2_tag');
            assert.deepEqual(
                [tag.resource_id, tag.key, tag.value],
                [
                    plan.one('aws_eks_cluster').vpc_config[0].cluster_security_group_id,
                    'karpenter.sh/discovery',
                    cluster,
                ],
            );
            // A node that Karpenter makes must carry what the initial ones carry, or it never joins.
            assert.deepEqual(
                sorted(plan.one('aws_launch_template').vpc_security_group_ids),
                sorted([tag.resource_id, plan.at('module.eks.aws_security_group.nodes').id]),
            );
        },
    ),
    both('EKS-13', 'the four add-ons and metrics-server; network policies are enforced', (plan) => {
        const addons = plan.all('aws_eks_addon');
        assert.deepEqual(sorted(addons.map((r) => r.values.addon_name)), [
            'aws-ebs-csi-driver',
            'coredns',
            'kube-proxy',
            'metrics-server',
            'vpc-cni',
        ]);
        const network = addons.find((r) => r.values.addon_name === 'vpc-cni').values;
        assert.deepEqual(JSON.parse(network.configuration_values), { enableNetworkPolicy: 'true' });
        assert.equal(
            network.service_account_role_arn,
            plan.at('module.eks.aws_iam_role.irsa["vpc-cni"]').arn,
        );
        const volumes = addons.find((r) => r.values.addon_name === 'aws-ebs-csi-driver').values;
        assert.equal(
            volumes.service_account_role_arn,
            plan.at('module.eks.aws_iam_role.irsa["ebs-csi"]').arn,
        );
    }),
    both('EKS-14', 'no service mesh', (plan) => {
        assert.ok(
            plan.all('aws_eks_addon').every((r) => !/istio|linkerd|mesh/.test(r.values.addon_name)),
        );
        assert.ok(
            plan.resources.every(
                (r) => !r.type.startsWith('aws_appmesh') && !r.type.startsWith('aws_vpclattice'),
            ),
        );
    }),
];
