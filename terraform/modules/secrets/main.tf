# Secrets. Terraform never sees a value: passwords come from Secrets Manager's own generator, reached by a
# CloudFormation template (GenerateSecretString), because every Terraform argument that takes a password
# keeps it in the state. Values from outside are put in by an operator into the empty secrets.

locals {
  # RDS refuses / @ " and space in passwords; ElastiCache refuses more, so letters and digits only there.
  generated = merge(
    {
      for user in var.database_users : "Database${title(user)}" => {
        Type           = "AWS::SecretsManager::Secret"
        DeletionPolicy = "Retain"
        Properties = {
          Name        = "${var.name}/database/${user}"
          Description = "User ${user} of the database"
          KmsKeyId    = var.kms_key_arn
          GenerateSecretString = {
            SecretStringTemplate = jsonencode({ username = user })
            GenerateStringKey    = "password"
            PasswordLength       = 40
            ExcludeCharacters    = "/@\" '\\"
          }
        }
      }
    },
    {
      RedisAuth = {
        Type           = "AWS::SecretsManager::Secret"
        DeletionPolicy = "Retain"
        Properties = {
          Name        = "${var.name}/redis/auth"
          Description = "AUTH token of Redis"
          KmsKeyId    = var.kms_key_arn
          GenerateSecretString = {
            SecretStringTemplate = jsonencode({ username = "default" })
            GenerateStringKey    = "password"
            PasswordLength       = 64
            ExcludePunctuation   = true
          }
        }
      }
    },
  )
}

resource "aws_cloudformation_stack" "generated" {
  name = "${var.name}-generated-secrets"

  template_body = jsonencode({
    Description = "Passwords that only Secrets Manager knows"
    Resources   = local.generated
    Outputs     = { for id, resource in local.generated : id => { Value = { Ref = id } } }
  })
}

resource "aws_secretsmanager_secret" "service" {
  for_each = var.service_secrets

  name                    = "${var.name}/${each.value}"
  description             = "Filled by an operator: ${each.value}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}
