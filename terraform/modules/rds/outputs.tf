output "write_endpoint" {
  description = "Where services connect: the proxy, or the primary where there is no proxy."
  value       = var.proxy_enabled ? aws_db_proxy.this[0].endpoint : aws_db_instance.primary.address
}

output "read_endpoint" {
  description = "Where read-only queries go: the replica, or the primary where there is none."
  value       = var.replica_enabled ? aws_db_instance.replica[0].address : aws_db_instance.primary.address
}

output "entry_security_group_id" {
  description = "Security group of what clients connect to: the proxy's, or the primary's."
  value       = var.proxy_enabled ? aws_security_group.proxy[0].id : aws_security_group.primary.id
}

output "master_secret_arn" {
  description = "Secret of the master user, which RDS made; the migration Job reads it."
  value       = aws_db_instance.primary.master_user_secret[0].secret_arn
}
