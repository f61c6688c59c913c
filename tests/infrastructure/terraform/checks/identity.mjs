import assert from 'node:assert/strict';
import { list, sorted, statements } from '../lib/plan.mjs';
import { both, check } from './check.mjs';

const attached = (plan, role) =>
    sorted(
        plan
            .all('aws_iam_role_policy_attachment', (r) => r.values.role === role)
            .map((r) => r.values.policy_arn.split('/').pop()),
    );
const trusts = (role) => list(statements(role.assume_role_policy)[0].Principal.Service);
const subject = (role) =>
    Object.entries(statements(role.assume_role_policy)[0].Condition.StringEquals).find(([key]) =>
        key.endsWith(':sub'),
    )[1];
const actions = (policy) => sorted(new Set(statements(policy).flatMap((s) => list(s.Action))));

export default [
    both('IAM-1', "EKS' role has the cluster policy and the VPC resource controller", (plan) => {
        const role = plan.at('module.eks.aws_iam_role.cluster');
        assert.deepEqual(trusts(role), ['eks.amazonaws.com']);
        assert.deepEqual(attached(plan, role.name), [
            'AmazonEKSClusterPolicy',
            'AmazonEKSVPCResourceController',
        ]);
        assert.equal(plan.one('aws_eks_cluster').role_arn, role.arn);
    }),
    both('IAM-2', "the nodes' role has worker, CNI, ECR read-only and SSM", (plan) => {
        const role = plan.at('module.eks.aws_iam_role.node');
        assert.deepEqual(trusts(role), ['ec2.amazonaws.com']);
        assert.deepEqual(attached(plan, role.name), [
            'AmazonEC2ContainerRegistryReadOnly',
            'AmazonEKSWorkerNodePolicy',
            'AmazonEKS_CNI_Policy',
            'AmazonSSMManagedInstanceCore',
        ]);
        assert.equal(plan.all('aws_iam_role_policy', (r) => r.values.role === role.id).length, 0);
    }),
    both('IAM-3', 'aws-node takes the CNI policy', (plan) => {
        const role = plan.at('module.eks.aws_iam_role.irsa["vpc-cni"]');
        assert.equal(subject(role), 'system:serviceaccount:kube-system:aws-node');
        assert.deepEqual(attached(plan, role.name), ['AmazonEKS_CNI_Policy']);
    }),
    both('IAM-4', 'ebs-csi-controller-sa takes the EBS CSI policy', (plan) => {
        const role = plan.at('module.eks.aws_iam_role.irsa["ebs-csi"]');
        assert.equal(subject(role), 'system:serviceaccount:kube-system:ebs-csi-controller-sa');
        assert.deepEqual(attached(plan, role.name), ['AmazonEBSCSIDriverPolicy']);
    }),
    both(
        'IAM-5',
        "Karpenter may run tagged instances, pass the nodes' role, and see the cluster",
        (plan) => {
            const { policy } = plan.at('module.eks.aws_iam_role_policy.karpenter');
            const may = actions(policy);
            for (const action of [
                'ec2:CreateFleet',
                'ec2:RunInstances',
                'ec2:TerminateInstances',
                'ec2:DescribeSpotPriceHistory',
                'iam:PassRole',
                'eks:DescribeCluster',
                'pricing:GetProducts',
                'ssm:GetParameter',
                'sqs:ReceiveMessage',
                'iam:CreateInstanceProfile',
            ]) {
                assert.ok(may.includes(action), `Karpenter lacks ${action}`);
            }
            const pass = statements(policy).find((s) => s.Action.includes('iam:PassRole'));
            assert.deepEqual(pass.Resource, [plan.at('module.eks.aws_iam_role.node').arn]);
            for (const action of [
                'ec2:TerminateInstances',
                'ec2:DeleteLaunchTemplate',
                'ec2:CreateTags',
                'ec2:CreateLaunchTemplate',
            ]) {
                for (const statement of statements(policy).filter((s) =>
                    s.Action.includes(action),
                )) {
                    assert.match(
                        JSON.stringify(statement.Condition ?? {}),
                        /kubernetes\.io\/cluster\//,
                        `${action} reaches what Karpenter does not own`,
                    );
                }
            }
            assert.equal(
                plan.all('aws_cloudwatch_event_target', (r) => r.module === 'eks').length,
                4,
            );
        },
    ),
    check('IAM-6', 'RDS Proxy reads its five secrets', ({ prod, staging }) => {
        const role = prod.at('module.rds.aws_iam_role.proxy[0]');
        assert.deepEqual(trusts(role), ['rds.amazonaws.com']);
        const reads = statements(prod.at('module.rds.aws_iam_role_policy.proxy[0]').policy).find(
            (s) => s.Action.includes('secretsmanager:GetSecretValue'),
        );
        assert.deepEqual(
            sorted(reads.Resource),
            sorted(prod.one('aws_db_proxy').auth.map((a) => a.secret_arn)),
        );
        assert.ok(!staging.has('module.rds.aws_iam_role.proxy[0]'));
    }),
    both('IAM-7', 'RDS monitoring has the enhanced-monitoring policy', (plan) => {
        const role = plan.at('module.rds.aws_iam_role.monitoring');
        assert.deepEqual(trusts(role), ['monitoring.rds.amazonaws.com']);
        assert.deepEqual(attached(plan, role.name), ['AmazonRDSEnhancedMonitoringRole']);
        assert.ok(
            plan.all('aws_db_instance').every((r) => r.values.monitoring_role_arn === role.arn),
        );
    }),
    both('IAM-8', 'the worker has basic execution, VPC access, and its one queue', (plan) => {
        const role = plan.at('module.lambda_worker.aws_iam_role.this');
        assert.deepEqual(attached(plan, role.name), [
            'AWSLambdaBasicExecutionRole',
            'AWSLambdaVPCAccessExecutionRole',
        ]);
        const [consume] = statements(
            plan.at('module.lambda_worker.aws_iam_role_policy.this').policy,
        );
        assert.deepEqual(sorted(consume.Action), [
            'sqs:ChangeMessageVisibility',
            'sqs:DeleteMessage',
            'sqs:GetQueueAttributes',
            'sqs:ReceiveMessage',
        ]);
        assert.deepEqual(consume.Resource, [plan.at('module.sqs.aws_sqs_queue.events').arn]);
    }),
    check('IAM-9', "the edge's role has basic execution and trusts edgelambda too", ({ prod }) => {
        const role = prod.at('module.cloudfront.aws_iam_role.token_check');
        assert.deepEqual(sorted(trusts(role)), [
            'edgelambda.amazonaws.com',
            'lambda.amazonaws.com',
        ]);
        assert.deepEqual(attached(prod, role.name), ['AWSLambdaBasicExecutionRole']);
        assert.equal(prod.all('aws_iam_role_policy', (r) => r.values.role === role.id).length, 0);
    }),
    both(
        'POLICY service accounts',
        'each role of the cluster is bound to one service account',
        (plan) => {
            const bound = plan
                .all('aws_iam_role', (r) => r.values.assume_role_policy.includes('oidc.eks'))
                .map((r) => subject(r.values));
            assert.ok(bound.length >= 12);
            for (const account of bound)
                assert.match(account, /^system:serviceaccount:[a-z-]+:[a-z-]+$/);
            assert.equal(new Set(bound).size, bound.length, 'two roles for one account');
        },
    ),
];
