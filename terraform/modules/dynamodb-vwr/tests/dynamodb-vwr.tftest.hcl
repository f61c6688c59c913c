# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name        = "urr-test"
  kms_key_arn = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "two_tables" {
  command = plan

  assert {
    condition     = length(aws_dynamodb_table.counters) == 1 && length(aws_dynamodb_table.positions) == 1
    error_message = "two"
  }
}

run "none_where_it_is_switched_off" {
  command = plan

  variables {
    enabled = false
  }

  assert {
    condition     = length(aws_dynamodb_table.counters) == 0 && length(aws_dynamodb_table.positions) == 0
    error_message = "none"
  }
}

run "refuses_a_bad_recovery_days" {
  command = plan

  variables {
    recovery_days = 36
  }

  expect_failures = [var.recovery_days]
}

run "refuses_a_bad_kms_key_arn" {
  command = plan

  variables {
    kms_key_arn = "key"
  }

  expect_failures = [var.kms_key_arn]
}
