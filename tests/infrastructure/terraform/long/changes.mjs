// What a change of each variable must do to a standing environment: `action address`, as patterns.
// Every change that the plan makes must match one of them, and each of them must match a change.
// Values are as for TF_VAR_x: bare text, or JSON for lists and maps.
const create = (address) => `create ${address}`;
const update = (address) => `update ${address}`;
const replace = (address) => `replace ${address}`;
const gone = (address) => `delete ${address}`;

// Whatever bears a name, or points at what does: the whole module or environment moves.
const ANY = '\\w+ .*';

export const changes = {
    prod: {
        cluster_name: ['urr-other', [replace('module.eks.aws_eks_cluster.this'), ANY]],
        namespace: ['urr-other', [update('module.iam.aws_iam_role.this\\["\\w+"\\]')]],
        domain_name: [
            'tickets.example',
            [update('module.cloudfront.aws_cloudfront_distribution.this'), ANY],
        ],
        github_repository: [
            'owner/other',
            [update('module.iam.aws_iam_role.delivery\\["(images|assets)"\\]')],
        ],
        github_provider_created: [
            'false',
            [gone('module.iam.aws_iam_openid_connect_provider.github\\[0\\]')],
        ],
        vpc_cidr: [
            '10.9.0.0/16',
            [replace('module.vpc.aws_vpc.this'), replace('module.vpc.aws_subnet.this.*'), ANY],
        ],
        availability_zones: [
            '{"a":"ap-northeast-2a","c":"ap-northeast-2b"}',
            [replace('module.vpc.aws_subnet.this\\["\\w+-c"\\]'), ANY],
        ],
        subnet_numbers: [
            '{"public":0,"app":10,"database":20,"cache":30,"streaming":50}',
            [replace('module.vpc.aws_subnet.this\\["streaming-[ac]"\\]'), ANY],
        ],
        kubernetes_version: ['1.29', [update('module.eks.aws_eks_cluster.this')]],
        administrators: [
            '{"ann":"arn:aws:iam::111122223333:role/ann"}',
            [
                create('module.eks.aws_eks_access_entry.administrator\\["ann"\\]'),
                create('module.eks.aws_eks_access_policy_association.administrator\\["ann"\\]'),
            ],
        ],
        node_group_name: [
            'urr-other-ng',
            [
                replace('module.eks.aws_eks_node_group.initial'),
                '\\w+ module.eks.aws_launch_template.initial',
            ],
        ],
        node_instance_types: ['["t3.large"]', [update('module.eks.aws_eks_node_group.initial')]],
        nodes_desired: ['4', []], // counts at creation only: later it belongs to whoever scales
        nodes_min: ['3', [update('module.eks.aws_eks_node_group.initial')]],
        nodes_max: ['8', [update('module.eks.aws_eks_node_group.initial')]],
        node_capacity_type: ['SPOT', [replace('module.eks.aws_eks_node_group.initial')]],
        node_disk_gb: ['40', [update('module.eks.aws_launch_template.initial')]],
        database_version: ['16.5', [update('module.rds.aws_db_instance.primary')]],
        database_class: [
            'db.t4g.medium',
            [
                update('module.rds.aws_db_instance.primary'),
                update('module.rds.aws_db_instance.replica\\[0\\]'),
            ],
        ],
        database_replica_class: [
            'db.t4g.small',
            [update('module.rds.aws_db_instance.replica\\[0\\]')],
        ],
        database_storage_gb: ['60', [update('module.rds.aws_db_instance.primary')]],
        database_storage_max_gb: [
            '200',
            [update('module.rds.aws_db_instance.(primary|replica\\[0\\])')],
        ],
        database_multi_az: ['false', [update('module.rds.aws_db_instance.primary')]],
        database_replica_enabled: [
            'false',
            [
                gone('module.rds.aws_db_instance.replica\\[0\\]'),
                gone('module.rds.aws_security_group.replica\\[0\\]'),
                gone(
                    'module.rds.aws_vpc_security_group_ingress_rule.client_to_replica\\["nodes"\\]',
                ),
                gone('module.rds.aws_cloudwatch_log_group.this\\["replica/\\w+"\\]'),
            ],
        ],
        database_proxy_enabled: [
            'false',
            [
                gone('module.rds.aws_db_proxy.this\\[0\\]'),
                create('module.rds.aws_vpc_security_group_ingress_rule.client_to_primary.*'),
                gone('module.rds.*'),
                update('module.lambda_worker.*'),
            ],
        ],
        deletion_protection: [
            'false',
            [
                update('module.rds.aws_db_instance.*'),
                update('module.alb.aws_lb.this'),
                update('module.dynamodb_vwr.aws_dynamodb_table.*'),
            ],
        ],
        database_backup_days: ['14', [update('module.rds.aws_db_instance.primary')]],
        redis_version: [
            '7.2',
            [update('module.elasticache.aws_elasticache_replication_group.this')],
        ],
        redis_node_type: [
            'cache.r6g.xlarge',
            [update('module.elasticache.aws_elasticache_replication_group.this')],
        ],
        redis_nodes: ['3', [update('module.elasticache.aws_elasticache_replication_group.this')]],
        redis_failover: [
            'false',
            [update('module.elasticache.aws_elasticache_replication_group.this')],
        ],
        kafka_version: [
            '3.7.0',
            [
                update('module.msk.aws_msk_cluster.this'),
                update('module.msk.aws_msk_configuration.this'),
            ],
        ],
        kafka_brokers: ['4', [update('module.msk.aws_msk_cluster.this')]],
        kafka_instance_type: ['kafka.m5.large', [update('module.msk.aws_msk_cluster.this')]],
        kafka_disk_gb: ['100', [update('module.msk.aws_msk_cluster.this')]],
        kafka_mutual_tls_authority_arns: [
            '["arn:aws:acm-pca:ap-northeast-2:111122223333:certificate-authority/a"]',
            [update('module.msk.aws_msk_cluster.this')],
        ],
        origin_secrets: [
            '["another-value-of-the-header-0123456789","sentinel-value-of-the-origin-header-0123456789"]',
            [
                update('module.cloudfront.aws_cloudfront_distribution.this'),
                update('module.alb.aws_lb_listener_rule.this\\["(gateway|frontend)"\\]'),
            ],
        ],
        price_class: [
            'PriceClass_All',
            [update('module.cloudfront.aws_cloudfront_distribution.this')],
        ],
        static_ttl_seconds: [
            '7200',
            [update('module.cloudfront.aws_cloudfront_cache_policy.this\\["static"\\]')],
        ],
        vwr_ttl_seconds: [
            '60',
            [update('module.cloudfront.aws_cloudfront_cache_policy.this\\["vwr"\\]')],
        ],
        vwr_api_ttl_max_seconds: [
            '2',
            [update('module.cloudfront.aws_cloudfront_cache_policy.this\\["vwr_api"\\]')],
        ],
        waf_rate_limit: ['4000', [update('module.waf.aws_wafv2_web_acl.this')]],
        edge_package: [
            '../../../build/other.zip',
            [update('module.cloudfront.aws_lambda_function.token_check')],
        ],
        rewrite_function: [
            '../../../build/other.js',
            [update('module.cloudfront.aws_cloudfront_function.this\\["rewrite"\\]')],
        ],
        strip_function: [
            '../../../build/other.js',
            [update('module.cloudfront.aws_cloudfront_function.this\\["strip"\\]')],
        ],
        enable_vwr: [
            'false',
            [
                gone('module.(lambda_vwr|dynamodb_vwr|api_gateway_vwr)\\..*'),
                update('module.cloudfront.aws_cloudfront_distribution.this'),
                gone('module.cloudfront.aws_cloudfront_function.*'),
            ],
        ],
        vwr_rate_limit: [
            '4000',
            [update('module.api_gateway_vwr.aws_apigatewayv2_stage.this\\[0\\]')],
        ],
        vwr_burst_limit: [
            '12000',
            [update('module.api_gateway_vwr.aws_apigatewayv2_stage.this\\[0\\]')],
        ],
        vwr_direct_access_allowed: [
            'true',
            [
                gone('module.api_gateway_vwr.*authorizer.*'),
                gone('module.api_gateway_vwr.aws_apigatewayv2_authorizer.header\\[0\\]'),
                update('module.api_gateway_vwr.aws_apigatewayv2_route.*'),
            ],
        ],
        vwr_api_concurrency: [
            '200',
            [update('module.lambda_vwr.aws_lambda_function.this\\["api"\\]')],
        ],
        vwr_people_per_minute: [
            '800',
            [update('module.lambda_vwr.aws_lambda_function.this\\["advancer"\\]')],
        ],
        worker_concurrency: [
            '20',
            [
                update('module.lambda_worker.aws_lambda_function.this'),
                update('module.lambda_worker.aws_lambda_event_source_mapping.queue'),
            ],
        ],
        tracing_enabled: [
            'false',
            [
                update(
                    'module.(lambda_worker|lambda_vwr).aws_(lambda_function|iam_role_policy).this.*',
                ),
            ],
        ],
        vwr_api_package: [
            '../../../build/other.zip',
            [update('module.lambda_vwr.aws_lambda_function.this\\["api"\\]')],
        ],
        vwr_advancer_package: [
            '../../../build/other.zip',
            [update('module.lambda_vwr.aws_lambda_function.this\\["advancer"\\]')],
        ],
        worker_package: [
            '../../../build/other.zip',
            [update('module.lambda_worker.aws_lambda_function.this')],
        ],
        authorizer_package: [
            '../../../build/other.zip',
            [update('module.api_gateway_vwr.aws_lambda_function.authorizer\\[0\\]')],
        ],
        pull_account_ids: [
            '["444455556666"]',
            [create('module.ecr.aws_ecr_repository_policy.pull.*')],
        ],
        log_retention_days: ['90', [update('module\\.\\w+\\.aws_cloudwatch_log_group\\..*')]],
        alarm_emails: [
            '{"critical":["ann@urr.example"]}',
            [
                create(
                    'module.monitoring.aws_sns_topic_subscription.email\\["critical ann@urr.example"\\]',
                ),
            ],
        ],
        slack_enabled: [
            { slack_enabled: 'true', slack_team_id: 'T0123ABCD', slack_channel_id: 'C0123ABCD' },
            [
                create('module.monitoring.aws_chatbot_slack_channel_configuration.alarms\\[0\\]'),
                create('module.monitoring.aws_iam_role(_policy)?.slack\\[0\\]'),
            ],
        ],
    },
    staging: {
        enable_vwr: [
            'true',
            [
                create('module.lambda_vwr.aws_lambda_function.this\\["(api|advancer)"\\]'),
                create('module.dynamodb_vwr.aws_dynamodb_table.(counters|positions)\\[0\\]'),
                create('module.api_gateway_vwr.aws_apigatewayv2_stage.this\\[0\\]'),
                create('module.(lambda_vwr|api_gateway_vwr)\\..*'),
            ],
        ],
        allowed_cidrs: [
            '["203.0.113.0/24"]',
            [
                create(
                    'module.alb.aws_vpc_security_group_ingress_rule.allowed\\["https? 203.0.113.0/24"\\]',
                ),
            ],
        ],
        database_proxy_enabled: [
            'true',
            [
                create('module.rds.aws_db_proxy.this\\[0\\]'),
                create('module.rds.*'),
                gone('module.rds.aws_vpc_security_group_ingress_rule.client_to_primary.*'),
                update('module.lambda_worker.*'),
            ],
        ],
        worker_concurrency: [
            '8',
            [
                update('module.lambda_worker.aws_lambda_function.this'),
                update('module.lambda_worker.aws_lambda_event_source_mapping.queue'),
            ],
        ],
        access_logs_enabled: ['false', [gone('module.s3.*'), update('module.alb.aws_lb.this')]],
    },
};

// Variables that are played elsewhere or cannot change by themselves.
export const unplayed = {
    name: 'the prefix of everything: a change is another environment',
    region: 'a change is another environment',
    slack_team_id: 'played with slack_enabled',
    slack_channel_id: 'played with slack_enabled',
    access_logs_enabled: 'the CDN of prod needs its bucket; played in staging',
};
