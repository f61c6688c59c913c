#!/usr/bin/env node
// What prod costs: a month idle, and a sale. `cost.mjs` prints the tables of docs/cost.md; `cost.mjs --write`
// puts them there, `--check` fails where they are out of date. Change a figure here and run it again.
// Sale figures may be given: FANS, SEATS, WAIT_MINUTES.
import fs from 'node:fs';
import path from 'node:path';

const HOURS = 730;

// Where a price was read. Nothing here asks AWS; compare a line with the list of the day before relying on it.
export const sources = {
    list: "AWS's Price List files for ap-northeast-2, read on 2026-10-01, as the catalogue infrafit (비용·과금 구조) quotes them",
    query: "AWS's Price List API for ap-northeast-2, asked on 2026-06-12, as quoted in a public program's source",
    cdn: "aws.amazon.com/cloudfront/pricing, column of South Korea, an undated stored copy",
    report: 'cur.vantage.sh, AmazonCloudFront, an undated stored copy',
    waf: 'c3x.dev, AWS WAF cost explained, and awsnegotiations.com, both of 2026; the same everywhere',
    article: 'a public article that works out an example by the list; the same in most regions',
    seoul: "AWS's Price List API for ap-northeast-2, as a public program's undated table of 54 instances up to generation 8 quotes it",
    east: 'the golden files of infracost (commits 2599472, 5437ae3, 34467f6, 69c3645, 04322d6), which asks the Price List API; the same everywhere, or in the column named',
    edge: "CloudFront's price page as several public guides quote it, undated; the same everywhere",
    grafana: 'aws.amazon.com/grafana/pricing, an undated stored copy; the same everywhere',
    scaled: 'US East by infracost, Karpenter (2026-01-19) or public programs, times what the like costs in Seoul over US East: see the formulas',
};

// What no list of Seoul quoted here has, from US East's: there, USD for a t3.medium and an r6g.xlarge hour and a
// GB of gp3 a month. Seoul's are 0.052, 0.244 and 0.0912.
const dearer = { t3: 0.052 / 0.0416, r6g: 0.244 / 0.2016, gp3: 0.0912 / 0.08 };

// USD, Asia Pacific (Seoul), on demand, without tax or free tiers: [price, where it was read].
export const prices = {
    nat_hour: [0.059, 'list'],
    nat_gb: [0.059, 'list'],
    address_hour: [0.005, 'list'],
    endpoint_hour: [0.013, 'list'],
    eks_hour: [0.1, 'list'],
    eks_extended_hour: [0.6, 'list'],
    t3_medium_hour: [0.052, 'list'],
    m5_xlarge_hour: [0.236, 'seoul'],
    gp3_gb: [0.0912, 'list'],
    key_month: [1, 'list'],
    db_t4g_micro_hour: [0.025, 'list'],
    db_t4g_micro_multi_hour: [0.051, 'list'],
    db_gp3_gb: [0.131, 'list'],
    db_gp3_multi_gb: [0.262, 'list'],
    proxy_vcpu_hour: [0.018, 'list'],
    r6g_large_hour: [0.206 * dearer.r6g, 'scaled'],
    kafka_t3_small_hour: [0.0456 * dearer.t3, 'scaled'],
    kafka_gb: [0.1 * dearer.gp3, 'scaled'],
    alb_hour: [0.0225, 'list'],
    lcu_hour: [0.008, 'list'],
    waf_acl_month: [5, 'waf'],
    waf_rule_month: [1, 'waf'],
    waf_million: [0.6, 'waf'],
    zone_month: [0.5, 'east'],
    cdn_gb: [0.12, 'cdn'],
    cdn_10k_requests: [0.012, 'east'], // HTTPS, Asia Pacific
    function_million: [0.1, 'report'],
    edge_million: [0.6, 'edge'],
    edge_gb_second: [0.00005001, 'edge'],
    api_million: [1 * dearer.t3, 'scaled'], // by the dearest of the three
    lambda_million: [0.2, 'list'],
    lambda_arm_gb_second: [0.0000133334, 'list'],
    dynamodb_write_million: [0.68, 'query'],
    dynamodb_read_million: [0.1355, 'query'],
    sqs_million: [0.5, 'east'], // FIFO
    logs_gb: [0.76, 'list'],
    grafana_editor: [9, 'grafana'],
    metrics_10_million: [0.9, 'article'], // of the first two billion a month
    metrics_more_10_million: [0.35, 'article'],
    alarm_month: [0.1, 'east'],
    secret_month: [0.4, 'list'],
    ecr_gb: [0.1, 'list'],
};
const p = Object.fromEntries(Object.entries(prices).map(([name, [usd]]) => [name, usd]));

const samples = 100_000 * 60 * HOURS; // of 100,000 series, one a minute
const ingested = (count) =>
    (Math.min(count, 2e9) * p.metrics_10_million +
        Math.max(0, count - 2e9) * p.metrics_more_10_million) /
    1e7;

// Everything that runs whether or not anyone comes, by module: [module, what, quantity, USD a month].
export const idle = [
    [
        'vpc',
        '2 NAT gateways and their addresses',
        '730 h',
        2 * HOURS * (p.nat_hour + p.address_hour),
    ],
    ['vpc', 'traffic through them', '50 GB', 50 * p.nat_gb],
    ['vpc-endpoints', '10 interfaces in 2 zones', '730 h', 20 * HOURS * p.endpoint_hour],
    ['eks', 'control plane, a version in standard support', '730 h', HOURS * p.eks_hour],
    ['eks', '3 t3.medium with 20 GB each', '730 h', 3 * (HOURS * p.t3_medium_hour + 20 * p.gp3_gb)],
    [
        'eks',
        'nodes of Karpenter for 20 pods: 2 t3.medium',
        '730 h',
        2 * (HOURS * p.t3_medium_hour + 30 * p.gp3_gb),
    ],
    ['eks', '2 keys', '', 2 * p.key_month],
    [
        'rds',
        'db.t4g.micro, Multi-AZ, 50 GB',
        '730 h',
        HOURS * p.db_t4g_micro_multi_hour + 50 * p.db_gp3_multi_gb,
    ],
    ['rds', 'read replica, 50 GB', '730 h', HOURS * p.db_t4g_micro_hour + 50 * p.db_gp3_gb],
    ['rds', 'RDS Proxy, 2 vCPU at least', '730 h', 2 * HOURS * p.proxy_vcpu_hour],
    ['elasticache', '2 cache.r6g.large', '730 h', 2 * HOURS * p.r6g_large_hour],
    [
        'msk',
        '2 kafka.t3.small, 50 GB each',
        '730 h',
        2 * (HOURS * p.kafka_t3_small_hour + 50 * p.kafka_gb),
    ],
    ['alb', 'load balancer and 1 LCU', '730 h', HOURS * (p.alb_hour + p.lcu_hour)],
    ['waf', 'ACL and 4 rules', '', p.waf_acl_month + 4 * p.waf_rule_month],
    [
        'monitoring',
        'metrics: 100,000 series a minute',
        '4.4 billion samples',
        ingested(samples),
    ],
    ['monitoring', '2 editors of Grafana', '', 2 * p.grafana_editor],
    ['all', 'logs', '20 GB', 20 * p.logs_gb],
    [
        'all',
        '7 alarms, 12 secrets, a zone, 40 GB of images and files',
        '',
        7 * p.alarm_month + 12 * p.secret_month + p.zone_month + 40 * p.ecr_gb,
    ],
];

export const defaults = { FANS: 1_000_000, SEATS: 50_000, WAIT_MINUTES: 30 };

// A sale: what the fans cause beyond idle. Each fan loads the site and the waiting page, polls the room's
// state, asks for a number once and for admission twice; one in four reaches the seats before they are gone.
export function sale({ FANS: fans, SEATS: seats, WAIT_MINUTES: minutes }) {
    const assets = 30,
        polls = (minutes * 60) / 10,
        room = 3;
    const inside = Math.min(fans, 4 * seats + fans / 20);
    const dynamic = 4 * fans + 40 * inside;
    const requests = fans * (assets + polls + room) + dynamic;
    const million = (n) => n / 1e6;
    const gigabytes = fans * 0.0006 + (fans * polls * 0.8 + dynamic * 2) / 1e6;
    const stateFetches = 25 * minutes * 60 * 2; // once a second from each of some 25 regional caches
    const api = fans * room + stateFetches;
    const hours = Math.max(2, minutes / 30);
    const count = (n) =>
        n >= 1e6 ? `${million(n).toFixed(1)} million` : Math.round(n).toLocaleString('en');
    return [
        ['cloudfront', 'requests', count(requests), (requests / 1e4) * p.cdn_10k_requests],
        ['cloudfront', 'traffic', `${Math.round(gigabytes)} GB`, gigabytes * p.cdn_gb],
        [
            'cloudfront',
            'CloudFront Functions',
            count(fans * (polls + room + 2)),
            million(fans * (polls + room + 2)) * p.function_million,
        ],
        [
            'cloudfront',
            'token checks, 128 MB, 2 ms',
            count(dynamic),
            million(dynamic) * p.edge_million + dynamic * 0.002 * 0.125 * p.edge_gb_second,
        ],
        ['waf', 'inspected requests', count(requests), million(requests) * p.waf_million],
        ['api-gateway-vwr', 'calls', count(api), million(api) * p.api_million],
        [
            'lambda-vwr',
            'calls of 256 MB, 20 ms',
            count(api),
            million(api) * p.lambda_million + api * 0.02 * 0.25 * p.lambda_arm_gb_second,
        ],
        [
            'dynamodb-vwr',
            'writes of leases, log, counters; reads',
            count(stateFetches + 20 * minutes * 60),
            million(20 * minutes * 60) * p.dynamodb_write_million +
                million(stateFetches) * p.dynamodb_read_million,
        ],
        [
            'alb',
            'LCUs at 25 connections a second each',
            `${hours} h`,
            (dynamic / (hours * 3600) / 25) * p.lcu_hour * hours,
        ],
        ['eks', '8 m5.xlarge of Karpenter', `${hours} h`, 8 * p.m5_xlarge_hour * hours],
        [
            'sqs, lambda-worker',
            'admissions and reservations',
            count(inside + 3 * seats),
            million(inside + 3 * seats) * (3 * p.sqs_million + p.lambda_million),
        ],
        [
            'all',
            'logs of the program',
            `${Math.round(million(dynamic) * 0.5)} GB`,
            million(dynamic) * 0.5 * p.logs_gb,
        ],
    ];
}

const sum = (rows) => rows.reduce((total, row) => total + row[3], 0);
const money = (value) => value.toFixed(value < 10 ? 2 : 0);
const table = (rows) =>
    [
        '| module | what | how much | USD |',
        '|---|---|---|---:|',
        ...rows.map(
            ([module, what, much, usd]) => `| ${module} | ${what} | ${much} | ${money(usd)} |`,
        ),
        `| | **together** | | **${money(sum(rows))}** |`,
    ].join('\n');

export function report(figures = defaults) {
    const rows = sale(figures);
    return `## A month idle

${table(idle)}

On a version in extended support the control plane costs ${money(HOURS * p.eks_extended_hour)} USD.

## A sale of ${figures.SEATS.toLocaleString('en')} seats with ${figures.FANS.toLocaleString('en')} fans who wait ${figures.WAIT_MINUTES} minutes on average

${table(rows)}

That is ${((sum(rows) / figures.FANS) * 100).toFixed(2)} US cents a fan, ${((sum(rows) / figures.SEATS) * 100).toFixed(2)} a seat.

## Where each price was read

| where | which |
|---|---|
${Object.entries(sources)
    .map(
        ([key, where]) =>
            `| ${where} | ${Object.entries(prices)
                .filter(([, [, source]]) => source === key)
                .map(([name, [usd]]) => `${name} ${Number(usd.toPrecision(4 + (usd < 0.001) * 5))}`)
                .join(', ')} |`,
    )
    .join('\n')}
`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
    const given = Object.fromEntries(
        Object.entries(defaults).map(([name, value]) => [name, Number(process.env[name] ?? value)]),
    );
    const file = path.resolve(path.dirname(process.argv[1]), '../../docs/cost.md');
    const mark = '<!-- tables: written by scripts/infrastructure/cost.mjs --write -->\n';
    const mode = process.argv[2];
    if (mode === undefined) console.log(report(given));
    else {
        const text = fs.readFileSync(file, 'utf8');
        const next = text.slice(0, text.indexOf(mark) + mark.length) + report();
        if (mode === '--write') fs.writeFileSync(file, next);
        else if (text !== next)
            throw new Error(
                'docs/cost.md is out of date: run scripts/infrastructure/cost.mjs --write',
            );
    }
}
