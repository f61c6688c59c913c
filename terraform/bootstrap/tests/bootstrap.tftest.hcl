variables {
  bucket_name = "urr-test-states"
}

run "states_are_versioned_private_and_locked" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "an overwritten state can be brought back"
  }

  assert {
    condition     = aws_dynamodb_table.locks.hash_key == "LockID"
    error_message = "the key that Terraform's lock wants"
  }
}

run "refuses_a_bad_bucket_name" {
  command = plan

  variables {
    bucket_name = "Urr"
  }

  expect_failures = [var.bucket_name]
}

run "refuses_a_bad_table_name" {
  command = plan

  variables {
    table_name = "a b"
  }

  expect_failures = [var.table_name]
}

run "refuses_a_bad_region" {
  command = plan

  variables {
    region = "seoul"
  }

  expect_failures = [var.region]
}
