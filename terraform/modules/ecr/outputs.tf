output "repository_urls" {
  description = "Address of each repository, by service."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.repository_url }
}

output "repository_arns" {
  description = "ARNs of the repositories, for those who push."
  value       = [for repository in aws_ecr_repository.this : repository.arn]
}
