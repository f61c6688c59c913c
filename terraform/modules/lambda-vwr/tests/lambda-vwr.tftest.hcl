# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name               = "urr-test"
  api_package        = "../../../build/functions/vwr-api.zip"
  advancer_package   = "../../../build/functions/vwr-advancer.zip"
  table_names        = { counters = "c", positions = "p" }
  table_arns         = ["arn:aws:dynamodb:ap-northeast-2:111122223333:table/c"]
  signing_secret_arn = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:s"
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "the_advancer_runs_one_at_a_time" {
  command = plan

  assert {
    condition     = aws_lambda_function.this["advancer"].reserved_concurrent_executions == 1
    error_message = "one"
  }

  assert {
    condition     = aws_lambda_function.this["api"].reserved_concurrent_executions == 100
    error_message = "a hundred"
  }
}

run "nothing_where_it_is_switched_off" {
  command = plan

  variables {
    enabled     = false
    table_names = { counters = null, positions = null }
    table_arns  = []
  }

  assert {
    condition     = length(aws_lambda_function.this) == 0 && length(aws_iam_role.this) == 0
    error_message = "nothing"
  }
}

run "tracing_can_be_left_out" {
  command = plan

  variables {
    tracing_enabled = false
  }

  assert {
    condition     = aws_lambda_function.this["api"].tracing_config[0].mode == "PassThrough"
    error_message = "no tracing"
  }
}

run "refuses_a_bad_api_package" {
  command = plan

  variables {
    api_package = "bootstrap"
  }

  expect_failures = [var.api_package]
}

run "refuses_a_bad_api_concurrency" {
  command = plan

  variables {
    api_concurrency = 0
  }

  expect_failures = [var.api_concurrency]
}

run "refuses_a_bad_people_per_minute" {
  command = plan

  variables {
    people_per_minute = 0
  }

  expect_failures = [var.people_per_minute]
}

run "refuses_a_bad_table_names" {
  command = plan

  variables {
    table_names = { counters = null, positions = "p" }
  }

  expect_failures = [var.table_names]
}
