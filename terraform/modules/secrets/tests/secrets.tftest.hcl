# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name        = "urr-test"
  kms_key_arn = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "values_are_made_by_secrets_manager" {
  command = plan

  assert {
    condition     = alltrue([for r in values(jsondecode(aws_cloudformation_stack.generated.template_body).Resources) : can(r.Properties.GenerateSecretString)])
    error_message = "generated"
  }

  assert {
    condition     = length(aws_secretsmanager_secret.service) == 5
    error_message = "five empty ones"
  }
}

run "refuses_a_bad_recovery_window_days" {
  command = plan

  variables {
    recovery_window_days = 3
  }

  expect_failures = [var.recovery_window_days]
}

run "refuses_a_bad_database_users" {
  command = plan

  variables {
    database_users = []
  }

  expect_failures = [var.database_users]
}
