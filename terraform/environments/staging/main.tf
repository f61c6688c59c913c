# Staging: no CDN and no WAF (the load balancer admits office and CI), images come from prod's repositories,
# the waiting room stands ready and switched off. What differs in size differs in variables.tf only.

locals {
  origins = ["https://${var.domain_name}"]
}

module "vpc" {
  source = "../../modules/vpc"

  name                    = var.name
  cluster_name            = var.cluster_name
  cidr                    = var.vpc_cidr
  availability_zones      = var.availability_zones
  subnet_numbers          = var.subnet_numbers
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = module.eks.platform_key_arn
}

module "vpc_endpoints" {
  source = "../../modules/vpc-endpoints"

  name            = var.name
  region          = var.region
  vpc_id          = module.vpc.vpc_id
  vpc_cidr        = module.vpc.cidr
  subnet_ids      = module.vpc.subnet_ids["app"]
  route_table_ids = module.vpc.route_table_ids
}

module "eks" {
  source = "../../modules/eks"

  name                            = var.name
  cluster_name                    = var.cluster_name
  kubernetes_version              = var.kubernetes_version
  vpc_id                          = module.vpc.vpc_id
  subnet_ids                      = module.vpc.subnet_ids["app"]
  load_balancer_security_group_id = module.alb.security_group_id
  node_group_name                 = var.node_group_name
  instance_types                  = var.node_instance_types
  desired_nodes                   = var.nodes_desired
  min_nodes                       = var.nodes_min
  max_nodes                       = var.nodes_max
  capacity_type                   = var.node_capacity_type
  disk_gb                         = var.node_disk_gb
  administrators                  = var.administrators
}

module "secrets" {
  source = "../../modules/secrets"

  name        = var.name
  kms_key_arn = module.eks.platform_key_arn
}

module "rds" {
  source = "../../modules/rds"

  name                  = var.name
  engine_version        = var.database_version
  instance_class        = var.database_class
  storage_gb            = var.database_storage_gb
  storage_max_gb        = var.database_storage_max_gb
  multi_az              = var.database_multi_az
  replica_enabled       = var.database_replica_enabled
  proxy_enabled         = var.database_proxy_enabled
  deletion_protection   = var.deletion_protection
  backup_retention_days = var.database_backup_days
  log_retention_days    = var.log_retention_days
  vpc_id                = module.vpc.vpc_id
  database_subnet_ids   = module.vpc.subnet_ids["database"]
  proxy_subnet_ids      = module.vpc.subnet_ids["app"]
  database_secret_arns  = module.secrets.database_secret_arns
  kms_key_arn           = module.eks.platform_key_arn

  client_security_group_ids = {
    nodes  = module.eks.nodes_security_group_id
    worker = module.lambda_worker.security_group_id
  }
  replica_client_security_group_ids = { nodes = module.eks.nodes_security_group_id }
}

module "elasticache" {
  source = "../../modules/elasticache"

  name               = var.name
  engine_version     = var.redis_version
  node_type          = var.redis_node_type
  nodes              = var.redis_nodes
  failover           = var.redis_failover
  log_retention_days = var.log_retention_days
  vpc_id             = module.vpc.vpc_id
  subnet_ids         = module.vpc.subnet_ids["cache"]
  auth_secret_arn    = module.secrets.redis_secret_arn
  kms_key_arn        = module.eks.platform_key_arn

  client_security_group_ids = {
    nodes  = module.eks.nodes_security_group_id
    worker = module.lambda_worker.security_group_id
  }
}

module "msk" {
  source = "../../modules/msk"

  name                      = var.name
  kafka_version             = var.kafka_version
  brokers                   = var.kafka_brokers
  instance_type             = var.kafka_instance_type
  disk_gb                   = var.kafka_disk_gb
  mutual_tls_authority_arns = var.kafka_mutual_tls_authority_arns
  log_retention_days        = var.log_retention_days
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = module.vpc.subnet_ids["streaming"]
  nodes_security_group_id   = module.eks.nodes_security_group_id
  alarm_topic_arns          = module.monitoring.alarm_topic_arns
  kms_key_arn               = module.eks.platform_key_arn
}

module "alb" {
  source = "../../modules/alb"

  name                    = var.name
  vpc_id                  = module.vpc.vpc_id
  subnet_ids              = module.vpc.subnet_ids["public"]
  deletion_protection     = var.deletion_protection
  certificate_arn         = module.route53.regional_certificate_arn
  cloudfront_only         = false
  allowed_cidrs           = var.allowed_cidrs
  gateway_paths           = ["/api/*", "/vwr-api/*", "/vwr/*"]
  nodes_security_group_id = module.eks.nodes_security_group_id
  access_logs_enabled     = var.access_logs_enabled
  access_log_bucket       = module.s3.logs_bucket_name
}

module "route53" {
  source    = "../../modules/route53"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  domain_name  = var.domain_name
  cdn_enabled  = false
  alb_dns_name = module.alb.dns_name
  alb_zone_id  = module.alb.zone_id
}

module "s3" {
  source = "../../modules/s3"

  name             = var.name
  frontend_enabled = false
  logs_enabled     = var.access_logs_enabled
  allowed_origins  = local.origins
}

module "sqs" {
  source = "../../modules/sqs"

  name             = var.name
  alarm_topic_arns = module.monitoring.alarm_topic_arns
}

module "dynamodb_vwr" {
  source = "../../modules/dynamodb-vwr"

  enabled             = var.enable_vwr
  name                = var.name
  deletion_protection = var.deletion_protection
  kms_key_arn         = module.eks.platform_key_arn
}

module "lambda_vwr" {
  source = "../../modules/lambda-vwr"

  enabled            = var.enable_vwr
  name               = var.name
  api_package        = var.vwr_api_package
  advancer_package   = var.vwr_advancer_package
  api_concurrency    = var.vwr_api_concurrency
  people_per_minute  = var.vwr_people_per_minute
  tracing_enabled    = var.tracing_enabled
  table_names        = module.dynamodb_vwr.table_names
  table_arns         = module.dynamodb_vwr.table_arns
  signing_secret_arn = module.secrets.service_secret_arns["signing-keys"]
  log_retention_days = var.log_retention_days
  kms_key_arn        = module.eks.platform_key_arn
}

module "api_gateway_vwr" {
  source = "../../modules/api-gateway-vwr"

  enabled               = var.enable_vwr
  name                  = var.name
  rate_limit            = var.vwr_rate_limit
  burst_limit           = var.vwr_burst_limit
  direct_access_allowed = var.vwr_direct_access_allowed
  function              = module.lambda_vwr.api_function
  origin_secret_arn     = module.secrets.service_secret_arns["origin-header"]
  authorizer_package    = var.authorizer_package
  allowed_origins       = local.origins
  log_retention_days    = var.log_retention_days
  kms_key_arn           = module.eks.platform_key_arn
}

module "lambda_worker" {
  source = "../../modules/lambda-worker"

  name                        = var.name
  package                     = var.worker_package
  concurrency                 = var.worker_concurrency
  tracing_enabled             = var.tracing_enabled
  vpc_id                      = module.vpc.vpc_id
  subnet_ids                  = module.vpc.subnet_ids["streaming"]
  database_security_group_id  = module.rds.entry_security_group_id
  cache_security_group_id     = module.elasticache.security_group_id
  endpoints_security_group_id = module.vpc_endpoints.security_group_id
  database_endpoint           = module.rds.write_endpoint
  cache_endpoint              = module.elasticache.primary_endpoint
  database_secret_arn         = module.secrets.database_secret_arns["ticket"]
  cache_secret_arn            = module.secrets.redis_secret_arn
  queue_arn                   = module.sqs.queue_arn
  alarm_topic_arns            = module.monitoring.alarm_topic_arns
  log_retention_days          = var.log_retention_days
  kms_key_arn                 = module.eks.platform_key_arn
}

module "monitoring" {
  source = "../../modules/monitoring"

  name               = var.name
  alarm_emails       = var.alarm_emails
  slack_enabled      = var.slack_enabled
  slack_team_id      = var.slack_team_id
  slack_channel_id   = var.slack_channel_id
  oidc_provider_arn  = module.eks.oidc_provider_arn
  oidc_issuer        = module.eks.oidc_issuer
  log_retention_days = var.log_retention_days
  kms_key_arn        = module.eks.platform_key_arn
}

module "iam" {
  source = "../../modules/iam"

  name                    = var.name
  region                  = var.region
  namespace               = var.namespace
  oidc_provider_arn       = module.eks.oidc_provider_arn
  oidc_issuer             = module.eks.oidc_issuer
  queue_arn               = module.sqs.queue_arn
  kafka_cluster_arn       = module.msk.cluster_arn
  posters_bucket_arn      = module.s3.posters_bucket.arn
  target_group_arns       = module.alb.target_group_arns
  secret_name_prefix      = module.secrets.name_prefix
  master_secret_arn       = module.rds.master_secret_arn
  kms_key_arn             = module.eks.platform_key_arn
  github_repository       = var.github_repository
  github_environment      = "staging"
  github_provider_created = var.github_provider_created
  images_pushed           = false
  assets_uploaded         = false
}
