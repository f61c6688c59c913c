output "distribution_arn" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.this.arn
}

output "domain_name" {
  description = "CloudFront's own name of the distribution."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "zone_id" {
  description = "Hosted zone of that name, for alias records."
  value       = aws_cloudfront_distribution.this.hosted_zone_id
}
