// A bad value of each variable, which must be refused with one clear line; all of a round are given in one
// plan. The second round has those whose rule looks at another variable too. Bools need none: their type
// refuses whatever is neither true nor false.
export const bad = {
  prod: [
    {
      name: 'Urr Prod', cluster_name: 'X', namespace: 'urr_spring', region: 'seoul', domain_name: 'urr', github_repository: 'urr', vpc_cidr: '10.0.0.0/20',
      availability_zones: '{"a":"ap-northeast-2a"}', subnet_numbers: '{"public":0,"app":10,"database":20,"cache":30,"streaming":41}', kubernetes_version: '1.27',
      administrators: '{"ann":"ann"}', node_group_name: 'NG', node_instance_types: '["big"]', nodes_min: '0', nodes_max: '51', node_capacity_type: 'CHEAP',
      node_disk_gb: '5', database_version: '15.2', database_class: 't4g.micro', database_replica_class: 'micro', database_storage_gb: '10', database_backup_days: '0',
      redis_version: '6.2', redis_node_type: 'r6g.large', redis_nodes: '0', kafka_version: 'three', kafka_brokers: '3', kafka_instance_type: 't3.small',
      kafka_disk_gb: '0', kafka_mutual_tls_authority_arns: '["authority"]', origin_secrets: '["short"]', price_class: 'PriceClass_Cheap', static_ttl_seconds: '-1',
      vwr_ttl_seconds: '90000', vwr_api_ttl_max_seconds: '60', waf_rate_limit: '10', edge_package: 'index.js', rewrite_function: 'rewrite.zip', strip_function: 'strip',
      vwr_rate_limit: '0', vwr_api_concurrency: '0', vwr_people_per_minute: '0', worker_concurrency: '1', vwr_api_package: 'api', vwr_advancer_package: 'advancer',
      worker_package: 'worker', authorizer_package: 'authorizer', pull_account_ids: '["12"]', log_retention_days: '31', alarm_emails: '{"loud":["ann@urr.example"]}',
    },
    {
      nodes_desired: '9', database_storage_max_gb: '40', redis_failover: { redis_failover: 'true', redis_nodes: '1' }, vwr_burst_limit: '100',
      slack_team_id: { slack_enabled: 'true', slack_team_id: 'team' }, slack_channel_id: { slack_channel_id: 'channel' },
    },
  ],
  staging: [{ allowed_cidrs: '["everywhere"]', vwr_burst_limit: '100', nodes_desired: '9' }],
};
