# Redis (RED-1 to RED-5).

locals {
  logs = ["slow-log", "engine-log"]
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

# Lines and locks must not be evicted: a full store refuses writes instead.
resource "aws_elasticache_parameter_group" "this" {
  name   = "${var.name}-redis7"
  family = "redis7"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(local.logs)

  name              = "/aws/elasticache/${var.name}/${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# AUTH (RED-3): the default user's password is resolved from Secrets Manager by CloudFormation, since the
# argument auth_token of Terraform's own resource would keep it in the state. Clients send AUTH as ever.
resource "aws_cloudformation_stack" "auth" {
  name = "${var.name}-redis-auth"

  template_body = jsonencode({
    Description = "The user that Redis' clients sign in as"
    Resources = {
      DefaultUser = {
        Type = "AWS::ElastiCache::User"
        Properties = {
          Engine       = "redis"
          UserId       = "${var.name}-default"
          UserName     = "default"
          AccessString = "on ~* &* +@all"
          AuthenticationMode = {
            Type      = "password"
            Passwords = ["{{resolve:secretsmanager:${var.auth_secret_arn}:SecretString:password}}"]
          }
        }
      }
      Users = {
        Type = "AWS::ElastiCache::UserGroup"
        Properties = {
          Engine      = "redis"
          UserGroupId = "${var.name}-users"
          UserIds     = [{ Ref = "DefaultUser" }]
        }
      }
    }
    Outputs = { Users = { Value = { Ref = "Users" } } }
  })
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Lines, seat locks, rate limits, sessions"
  engine               = "redis"
  engine_version       = var.engine_version
  node_type            = var.node_type
  port                 = 6379

  num_cache_clusters         = var.nodes
  automatic_failover_enabled = var.failover
  multi_az_enabled           = var.failover

  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = [aws_security_group.this.id]
  parameter_group_name = aws_elasticache_parameter_group.this.name

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_cloudformation_stack.auth.outputs["Users"]]

  snapshot_retention_limit   = var.snapshot_retention_days
  snapshot_window            = "18:30-19:30"
  maintenance_window         = "mon:20:00-mon:21:00"
  auto_minor_version_upgrade = true

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      log_type         = log_delivery_configuration.key
      destination_type = "cloudwatch-logs"
      destination      = log_delivery_configuration.value.name
      log_format       = "json"
    }
  }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-redis"
  description = "Redis"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-redis" }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "SG-6 SG-8 ${each.key} to Redis"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}
