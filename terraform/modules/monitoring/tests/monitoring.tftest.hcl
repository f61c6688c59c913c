# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name              = "urr-test"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/o"
  oidc_issuer       = "oidc.eks.ap-northeast-2.amazonaws.com/id/O"
  kms_key_arn       = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "three_topics" {
  command = plan

  assert {
    condition     = length(aws_sns_topic.alarms) == 3
    error_message = "one for each severity"
  }

  assert {
    condition     = length(aws_chatbot_slack_channel_configuration.alarms) == 0
    error_message = "no Slack"
  }
}

run "mail_and_slack_by_setting" {
  command = plan

  variables {
    alarm_emails     = { critical = ["a@urr.example", "b@urr.example"], warning = ["a@urr.example"] }
    slack_enabled    = true
    slack_team_id    = "T0123ABCD"
    slack_channel_id = "C0123ABCD"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 3
    error_message = "three subscriptions"
  }

  assert {
    condition     = length(aws_chatbot_slack_channel_configuration.alarms) == 1
    error_message = "one channel"
  }
}

run "refuses_a_bad_alarm_emails" {
  command = plan

  variables {
    alarm_emails = { loud = ["a@urr.example"] }
  }

  expect_failures = [var.alarm_emails]
}

run "refuses_a_bad_grafana_version" {
  command = plan

  variables {
    grafana_version = "ten"
  }

  expect_failures = [var.grafana_version]
}
