# Two keys: one for the cluster's secrets (EKS-2), one for everything else that the platform encrypts
# (logs, topics, databases, images, tables, secrets).

locals {
  account = data.aws_caller_identity.current.account_id

  key_owner = {
    Sid       = "AccountDecidesByIam"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${local.account}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
}

resource "aws_kms_key" "secrets" {
  description             = "${var.name}: Kubernetes secrets"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({ Version = "2012-10-17", Statement = [local.key_owner] })
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-kubernetes-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}

resource "aws_kms_key" "platform" {
  description             = "${var.name}: logs, topics, databases, images, tables"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  # CloudWatch's alarms publish to encrypted topics, its logs are encrypted per group: both need the key.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_owner,
      {
        Sid       = "LogGroups"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${data.aws_region.current.region}:${local.account}:*" } }
      },
      {
        Sid       = "AlarmsAndEvents"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "platform" {
  name          = "alias/${var.name}-platform"
  target_key_id = aws_kms_key.platform.key_id
}
