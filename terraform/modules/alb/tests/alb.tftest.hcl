# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                    = "urr-test"
  vpc_id                  = "vpc-1"
  subnet_ids              = ["subnet-a", "subnet-c"]
  certificate_arn         = "arn:aws:acm:ap-northeast-2:111122223333:certificate/c"
  nodes_security_group_id = "sg-nodes"
  access_logs_enabled     = false
  origin_secrets          = ["0123456789abcdef0123456789abcdef"]
}

run "a_request_without_the_header_is_refused" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "403"
    error_message = "403 by default"
  }

  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.this : length(rule.condition) == 2])
    error_message = "path and header"
  }
}

run "where_there_is_no_cdn_a_list_of_ranges_may_connect" {
  command = plan

  variables {
    cloudfront_only = false
    origin_secrets  = []
    allowed_cidrs   = ["203.0.113.0/24"]
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.allowed) == 2
    error_message = "443 and 80"
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.cloudfront) == 0
    error_message = "no prefix list"
  }

  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.this : length(rule.condition) == 1])
    error_message = "no header asked for"
  }
}

run "refuses_a_bad_ssl_policy" {
  command = plan

  variables {
    ssl_policy = "ELBSecurityPolicy-2016-08"
  }

  expect_failures = [var.ssl_policy]
}

run "refuses_a_bad_origin_secrets" {
  command = plan

  variables {
    origin_secrets = ["short"]
  }

  expect_failures = [var.origin_secrets]
}

run "refuses_a_bad_allowed_cidrs" {
  command = plan

  variables {
    allowed_cidrs = ["everywhere"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "refuses_a_bad_gateway_paths" {
  command = plan

  variables {
    gateway_paths = []
  }

  expect_failures = [var.gateway_paths]
}
