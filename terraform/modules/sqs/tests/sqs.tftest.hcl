# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name             = "urr-test"
  alarm_topic_arns = { critical = "arn:aws:sns:ap-northeast-2:111122223333:c", high = "arn:aws:sns:ap-northeast-2:111122223333:h", warning = "arn:aws:sns:ap-northeast-2:111122223333:w" }
}

run "three_receives_make_a_dead_letter" {
  command = plan

  assert {
    condition     = aws_sqs_queue.events.name == "urr-test-ticket-events.fifo"
    error_message = "the name"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.age.alarm_actions) == 1
    error_message = "the alarm acts"
  }
}

run "refuses_a_bad_retention_days" {
  command = plan

  variables {
    retention_days = 15
  }

  expect_failures = [var.retention_days]
}

run "refuses_a_bad_visibility_timeout_seconds" {
  command = plan

  variables {
    visibility_timeout_seconds = 30
  }

  expect_failures = [var.visibility_timeout_seconds]
}

run "refuses_a_bad_long_polling_seconds" {
  command = plan

  variables {
    long_polling_seconds = 21
  }

  expect_failures = [var.long_polling_seconds]
}

run "refuses_a_bad_receives_max" {
  command = plan

  variables {
    receives_max = 0
  }

  expect_failures = [var.receives_max]
}

run "refuses_a_bad_alarm_topic_arns" {
  command = plan

  variables {
    alarm_topic_arns = { high = "arn:aws:sns:x" }
  }

  expect_failures = [var.alarm_topic_arns]
}
