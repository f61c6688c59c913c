output "backend_config" {
  description = "What to give to `terraform init -backend-config=…` of an environment."
  value = {
    bucket         = aws_s3_bucket.state.id
    region         = var.region
    dynamodb_table = aws_dynamodb_table.locks.name
    kms_key_id     = aws_kms_key.state.arn
  }
}
