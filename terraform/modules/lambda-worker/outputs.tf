output "security_group_id" {
  description = "Security group of the worker, which databases and cache admit."
  value       = aws_security_group.this.id
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}
