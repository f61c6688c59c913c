output "name_servers" {
  description = "Name servers to enter where the domain was registered."
  value       = aws_route53_zone.this.name_servers
}

output "regional_certificate_arn" {
  description = "Certificate of the ALB."
  value       = aws_acm_certificate_validation.regional.certificate_arn
}

output "cdn_certificate_arn" {
  description = "Certificate of the CDN, in us-east-1; null without a CDN."
  value       = one(aws_acm_certificate_validation.cdn[*].certificate_arn)
}

output "origin_name" {
  description = "Name by which the CDN reaches the ALB."
  value       = local.origin_name
}
