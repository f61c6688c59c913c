# Buckets (S3-1, S3-2): static files behind the CDN, posters that ticket keeps, access logs. All private,
# all versioned, TLS only.

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id

  buckets = merge(
    { posters = "${var.name}-posters-${local.account}" },
    var.frontend_enabled ? { frontend = "${var.name}-frontend-${local.account}" } : {},
    var.logs_enabled ? { logs = "${var.name}-logs-${local.account}" } : {},
  )

  # Read by the CDN only, and only for this distribution (origin access control).
  cdn_may_read = [for bucket in aws_s3_bucket.this : {
    Sid       = "CdnMayRead"
    Effect    = "Allow"
    Principal = { Service = "cloudfront.amazonaws.com" }
    Action    = "s3:GetObject"
    Resource  = "${bucket.arn}/*"
    Condition = { StringEquals = { "AWS:SourceArn" = var.distribution_arn } }
  } if bucket.bucket == "${var.name}-frontend-${local.account}"]

  balancer_may_log = [for bucket in aws_s3_bucket.this : {
    Sid       = "LoadBalancerMayLog"
    Effect    = "Allow"
    Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
    Action    = "s3:PutObject"
    Resource  = "${bucket.arn}/alb/AWSLogs/${local.account}/*"
  } if bucket.bucket == "${var.name}-logs-${local.account}"]

  statements = { frontend = local.cdn_may_read, logs = local.balancer_may_log, posters = [] }
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket = each.value
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

# SSE-S3: CloudFront and the load balancer's log delivery cannot use a key of ours without more rights.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# CloudFront's own logging writes with an ACL; nothing else does.
resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = each.key == "logs" ? "BucketOwnerPreferred" : "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.statements[each.key], [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [each.value.arn, "${each.value.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }])
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_cors_configuration" "frontend" {
  count = var.frontend_enabled ? 1 : 0

  bucket = aws_s3_bucket.this["frontend"].id

  cors_rule {
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = var.allowed_origins
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}
