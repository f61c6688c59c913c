# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name             = "urr-test"
  distribution_arn = "arn:aws:cloudfront::111122223333:distribution/D"
  allowed_origins  = ["https://urr.example"]
}

run "three_private_buckets" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket.this) == 3
    error_message = "frontend, posters, logs"
  }

  assert {
    condition     = alltrue([for b in aws_s3_bucket_public_access_block.this : b.restrict_public_buckets])
    error_message = "private"
  }
}

run "logs_and_frontend_can_be_left_out" {
  command = plan

  variables {
    logs_enabled     = false
    frontend_enabled = false
    distribution_arn = null
  }

  assert {
    condition     = keys(aws_s3_bucket.this) == ["posters"]
    error_message = "posters only"
  }
}

run "refuses_a_bad_allowed_origins" {
  command = plan

  variables {
    allowed_origins = ["http://urr.example"]
  }

  expect_failures = [var.allowed_origins]
}

run "refuses_a_bad_glacier_after_days" {
  command = plan

  variables {
    glacier_after_days = 40
  }

  expect_failures = [var.glacier_after_days]
}

run "refuses_a_bad_delete_after_days" {
  command = plan

  variables {
    delete_after_days = 100
  }

  expect_failures = [var.delete_after_days]
}
