output "database_secret_arns" {
  description = "Secret of each database user (username, password), by user."
  value       = { for user in var.database_users : user => aws_cloudformation_stack.generated.outputs["Database${title(user)}"] }
}

output "redis_secret_arn" {
  description = "Secret of Redis (username, password)."
  value       = aws_cloudformation_stack.generated.outputs["RedisAuth"]
}

output "service_secret_arns" {
  description = "Secrets that an operator fills, by name."
  value       = { for name, secret in aws_secretsmanager_secret.service : name => secret.arn }
}

output "name_prefix" {
  description = "What the names of all secrets of this environment begin with."
  value       = "${var.name}/"
}
