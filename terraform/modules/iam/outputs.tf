output "role_arns" {
  description = "Roles by account, for the annotations of service accounts."
  value       = { for account, role in aws_iam_role.this : account => role.arn }
}

output "delivery_role_arns" {
  description = "Roles of the delivery workflows: images, assets."
  value       = { for name, role in aws_iam_role.delivery : name => role.arn }
}
