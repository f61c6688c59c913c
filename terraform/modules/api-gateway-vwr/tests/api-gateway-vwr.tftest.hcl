# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name               = "urr-test"
  function           = { name = "f", arn = "arn:aws:lambda:ap-northeast-2:111122223333:function:f", invoke_arn = "arn:aws:apigateway:x" }
  origin_secret_arn  = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:o"
  authorizer_package = "../../../build/edge/authorizer.zip"
  allowed_origins    = ["https://urr.example"]
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "the_header_is_asked_for" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_route.this) == 4
    error_message = "four routes"
  }

  assert {
    condition     = alltrue([for r in aws_apigatewayv2_route.this : r.authorization_type == "CUSTOM"])
    error_message = "each asks"
  }
}

run "the_direct_way_can_be_opened" {
  command = plan

  variables {
    direct_access_allowed = true
  }

  assert {
    condition     = alltrue([for r in aws_apigatewayv2_route.this : r.authorization_type == "NONE"])
    error_message = "none asks"
  }

  assert {
    condition     = length(aws_lambda_function.authorizer) == 0
    error_message = "no authorizer"
  }
}

run "nothing_where_it_is_switched_off" {
  command = plan

  variables {
    enabled  = false
    function = null
  }

  assert {
    condition     = length(aws_apigatewayv2_api.this) == 0
    error_message = "nothing"
  }
}

run "refuses_a_bad_rate_limit" {
  command = plan

  variables {
    rate_limit = 0
  }

  expect_failures = [var.rate_limit]
}

run "refuses_a_bad_burst_limit" {
  command = plan

  variables {
    burst_limit = 100
  }

  expect_failures = [var.burst_limit]
}

run "refuses_a_bad_function" {
  command = plan

  variables {
    function = null
  }

  expect_failures = [var.function]
}
