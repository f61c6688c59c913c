import assert from 'node:assert/strict';
import { sorted, statements } from '../lib/plan.mjs';
import { both } from './check.mjs';

const topic = (plan, severity) =>
    plan.at(`module.monitoring.aws_sns_topic.alarms["${severity}"]`).arn;

// Row, metric, the comparison as the document writes it, severity; what the dimensions must name.
function alarm(
    row,
    says,
    { namespace, metric, statistic, period, comparison, threshold, severity, names },
) {
    return both(row, says, (plan) => {
        const found = plan.one('aws_cloudwatch_metric_alarm', (r) =>
            r.values.alarm_description.startsWith(`${row} `),
        );
        assert.deepEqual(
            [
                found.namespace,
                found.metric_name,
                found.statistic,
                found.comparison_operator,
                found.threshold,
            ],
            [namespace, metric, statistic, comparison, threshold],
        );
        if (period) assert.deepEqual([found.period, found.evaluation_periods], [period, 1]);
        assert.deepEqual(
            [found.alarm_actions, found.ok_actions],
            [[topic(plan, severity)], [topic(plan, severity)]],
        );
        assert.deepEqual(Object.values(found.dimensions), [names(plan)]);
    });
}

const above = 'GreaterThanThreshold',
    below = 'LessThanThreshold';
const kafka = {
    namespace: 'AWS/Kafka',
    statistic: 'Maximum',
    severity: 'critical',
    names: (p) => p.one('aws_msk_cluster').cluster_name,
};
const worker = {
    namespace: 'AWS/Lambda',
    names: (p) => p.at('module.lambda_worker.aws_lambda_function.this').function_name,
};
const queue = (which) => ({
    namespace: 'AWS/SQS',
    statistic: 'Maximum',
    names: (p) => p.at(`module.sqs.aws_sqs_queue.${which}`).name,
});

export default [
    alarm('ALM-1', 'no active controller: critical', {
        ...kafka,
        metric: 'ActiveControllerCount',
        comparison: below,
        threshold: 1,
    }),
    alarm('ALM-2', 'offline partitions: critical', {
        ...kafka,
        metric: 'OfflinePartitionsCount',
        comparison: above,
        threshold: 0,
    }),
    alarm('ALM-3', 'more than 5 errors of the worker in one period of 10 minutes: high', {
        ...worker,
        metric: 'Errors',
        statistic: 'Sum',
        period: 600,
        comparison: above,
        threshold: 5,
        severity: 'high',
    }),
    alarm('ALM-4', 'the worker takes more than 24 s: warning', {
        ...worker,
        metric: 'Duration',
        statistic: 'Maximum',
        comparison: above,
        threshold: 24000,
        severity: 'warning',
    }),
    alarm('ALM-5', 'the worker is throttled: high', {
        ...worker,
        metric: 'Throttles',
        statistic: 'Sum',
        comparison: above,
        threshold: 0,
        severity: 'high',
    }),
    alarm('ALM-6', 'dead letters: high', {
        ...queue('dead_letters'),
        metric: 'ApproximateNumberOfMessagesVisible',
        comparison: above,
        threshold: 0,
        severity: 'high',
    }),
    alarm('ALM-7', 'a message older than 10 minutes: warning', {
        ...queue('events'),
        metric: 'ApproximateAgeOfOldestMessage',
        comparison: above,
        threshold: 600,
        severity: 'warning',
    }),
    both(
        'ALM-8',
        'alarms go to a topic of their severity, which CloudWatch may use; e-mail and Slack by setting',
        (plan) => {
            assert.deepEqual(sorted(plan.all('aws_sns_topic').map((r) => r.index)), [
                'critical',
                'high',
                'warning',
            ]);
            for (const { index, values } of plan.all('aws_sns_topic_policy')) {
                const [allow] = statements(values.policy);
                assert.deepEqual(
                    [allow.Principal.Service, allow.Action, allow.Resource],
                    ['cloudwatch.amazonaws.com', 'sns:Publish', topic(plan, index)],
                );
            }
            const key = statements(plan.at('module.eks.aws_kms_key.platform').policy);
            assert.ok(
                key.some((s) => [s.Principal.Service].flat().includes('cloudwatch.amazonaws.com')),
                'CloudWatch could not publish to an encrypted topic',
            );
            assert.ok(
                'alarm_emails' in plan.json.variables && 'slack_enabled' in plan.json.variables,
            );
        },
    ),
    both(
        'MON-1',
        'Prometheus may write to AMP and nothing else; AMG reads AMP and CloudWatch by SSO',
        (plan) => {
            const role = plan.at('module.monitoring.aws_iam_role.prometheus');
            const subject = Object.entries(
                statements(role.assume_role_policy)[0].Condition.StringEquals,
            ).find(([k]) => k.endsWith(':sub'))[1];
            assert.match(subject, /:kube-prometheus-stack-prometheus$/);
            const [write, ...others] = statements(
                plan.at('module.monitoring.aws_iam_role_policy.prometheus').policy,
            );
            assert.deepEqual(
                [write.Action, write.Resource, others],
                [['aps:RemoteWrite'], [plan.one('aws_prometheus_workspace').arn], []],
            );
            const grafana = plan.one('aws_grafana_workspace');
            assert.deepEqual(
                [grafana.authentication_providers, sorted(grafana.data_sources)],
                [['AWS_SSO'], ['CLOUDWATCH', 'PROMETHEUS']],
            );
        },
    ),
    both('MON-2', 'AMP and AMG stand outside the cluster and depend on nothing in it', (plan) => {
        assert.equal(plan.all('aws_prometheus_workspace').length, 1);
        assert.equal(plan.all('aws_grafana_workspace').length, 1);
        assert.equal(plan.one('aws_grafana_workspace').vpc_configuration?.length ?? 0, 0);
    }),
];
