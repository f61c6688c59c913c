# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                        = "urr-test"
  package                     = "../../../build/functions/ticket-worker.zip"
  vpc_id                      = "vpc-1"
  subnet_ids                  = ["subnet-a", "subnet-c"]
  database_security_group_id  = "sg-db"
  cache_security_group_id     = "sg-cache"
  endpoints_security_group_id = "sg-endpoints"
  database_endpoint           = "db.internal"
  cache_endpoint              = "cache.internal"
  database_secret_arn         = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:t"
  cache_secret_arn            = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:r"
  queue_arn                   = "arn:aws:sqs:ap-northeast-2:111122223333:q.fifo"
  alarm_topic_arns            = { critical = "arn:aws:sns:ap-northeast-2:111122223333:c", high = "arn:aws:sns:ap-northeast-2:111122223333:h", warning = "arn:aws:sns:ap-northeast-2:111122223333:w" }
  kms_key_arn                 = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "a_failed_message_does_not_repeat_its_batch" {
  command = plan

  assert {
    condition     = tolist(aws_lambda_event_source_mapping.queue.function_response_types) == tolist(["ReportBatchItemFailures"])
    error_message = "partial answers"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["duration"].threshold == 24000
    error_message = "four fifths of 30 s"
  }
}

run "the_alarm_follows_the_timeout" {
  command = plan

  variables {
    timeout_seconds = 60
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["duration"].threshold == 48000
    error_message = "four fifths of 60 s"
  }
}

run "refuses_a_bad_memory_mb" {
  command = plan

  variables {
    memory_mb = 64
  }

  expect_failures = [var.memory_mb]
}

run "refuses_a_bad_timeout_seconds" {
  command = plan

  variables {
    timeout_seconds = 901
  }

  expect_failures = [var.timeout_seconds]
}

run "refuses_a_bad_concurrency" {
  command = plan

  variables {
    concurrency = 1
  }

  expect_failures = [var.concurrency]
}

run "refuses_a_bad_batch_size" {
  command = plan

  variables {
    batch_size = 11
  }

  expect_failures = [var.batch_size]
}
