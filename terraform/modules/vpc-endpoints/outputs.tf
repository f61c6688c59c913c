output "security_group_id" {
  description = "Security group of the interface endpoints, for those whose egress is restricted."
  value       = aws_security_group.this.id
}

output "s3_prefix_list_id" {
  description = "Prefix list of S3 behind the gateway endpoint."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}
