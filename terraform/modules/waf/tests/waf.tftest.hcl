# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name = "urr-test"
}

run "four_rules_in_order" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl.this.rule) == 4
    error_message = "four rules"
  }

  assert {
    condition     = aws_wafv2_web_acl.this.scope == "CLOUDFRONT"
    error_message = "of the CDN"
  }
}

run "refuses_a_bad_rate_limit" {
  command = plan

  variables {
    rate_limit = 10
  }

  expect_failures = [var.rate_limit]
}

run "refuses_a_bad_log_retention_days" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}
