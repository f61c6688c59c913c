output "frontend_bucket" {
  description = "Bucket of static files: name, ARN, regional domain; null where there is none."
  value = var.frontend_enabled ? {
    name   = aws_s3_bucket.this["frontend"].id
    arn    = aws_s3_bucket.this["frontend"].arn
    domain = aws_s3_bucket.this["frontend"].bucket_regional_domain_name
  } : null
}

output "posters_bucket" {
  description = "Bucket of posters: name and ARN."
  value       = { name = aws_s3_bucket.this["posters"].id, arn = aws_s3_bucket.this["posters"].arn }
}

output "logs_bucket_domain" {
  description = "Domain of the bucket of access logs, to which the CDN writes; null where there is none."
  value       = var.logs_enabled ? aws_s3_bucket.this["logs"].bucket_domain_name : null

  # CloudFront writes with an ACL, which the bucket must know.
  depends_on = [aws_s3_bucket_ownership_controls.this]
}

output "logs_bucket_name" {
  description = "Name of the bucket of access logs, to which the load balancer writes; null where there is none."
  value       = var.logs_enabled ? aws_s3_bucket.this["logs"].id : null

  # The load balancer tries to write when it is told of the bucket.
  depends_on = [aws_s3_bucket_policy.this]
}
