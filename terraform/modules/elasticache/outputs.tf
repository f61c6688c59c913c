output "primary_endpoint" {
  description = "Where services connect, by TLS."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "security_group_id" {
  description = "Security group of Redis."
  value       = aws_security_group.this.id
}
