# One rule per bucket: logs cool down and go (S3-2); old versions of files stay a week.

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count = var.logs_enabled ? 1 : 0

  bucket = aws_s3_bucket.this["logs"].id

  rule {
    id     = "cool-down-and-go"
    status = "Enabled"

    filter {}

    transition {
      days          = var.infrequent_after_days
      storage_class = "STANDARD_IA"
    }

    transition {
      days          = var.glacier_after_days
      storage_class = "GLACIER"
    }

    expiration {
      days = var.delete_after_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  for_each = { for name, bucket in aws_s3_bucket.this : name => bucket if name != "logs" }

  bucket = each.value.id

  rule {
    id     = "old-versions-go"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
