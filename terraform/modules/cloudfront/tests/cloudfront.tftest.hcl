# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                   = "urr-test"
  domain_names           = ["urr.example"]
  certificate_arn        = "arn:aws:acm:us-east-1:111122223333:certificate/c"
  web_acl_arn            = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/w"
  alb_domain             = "origin.urr.example"
  frontend_bucket_domain = "bucket.s3.ap-northeast-2.amazonaws.com"
  api_domain             = "api.execute-api.ap-northeast-2.amazonaws.com"
  origin_secret          = "0123456789abcdef0123456789abcdef"
  edge_package           = "../../../build/edge/token-check.zip"
  rewrite_function       = "../../../edge/functions/vwr-rewrite.js"
  strip_function         = "../../../edge/functions/vwr-api-strip.js"
  log_bucket_domain      = "logs.s3.amazonaws.com"
}

run "four_behaviours_besides_the_default" {
  command = plan

  assert {
    condition     = [for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.path_pattern] == ["/static/*", "/_next/static/*", "/vwr/*", "/vwr-api/*"]
    error_message = "in this order"
  }

  assert {
    condition     = aws_cloudfront_cache_policy.this["vwr_api"].max_ttl == 1
    error_message = "a second at most"
  }
}

run "without_a_waiting_room_two_remain" {
  command = plan

  variables {
    vwr_enabled = false
    api_domain  = null
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this.ordered_cache_behavior) == 2
    error_message = "static files only"
  }

  assert {
    condition     = length(aws_cloudfront_function.this) == 0
    error_message = "no functions"
  }
}

run "refuses_a_bad_price_class" {
  command = plan

  variables {
    price_class = "PriceClass_Cheap"
  }

  expect_failures = [var.price_class]
}

run "refuses_a_bad_origin_secret" {
  command = plan

  variables {
    origin_secret = "short"
  }

  expect_failures = [var.origin_secret]
}

run "refuses_a_bad_edge_package" {
  command = plan

  variables {
    edge_package = "index.js"
  }

  expect_failures = [var.edge_package]
}

run "refuses_a_bad_vwr_api_ttl_max_seconds" {
  command = plan

  variables {
    vwr_api_ttl_max_seconds = 60
  }

  expect_failures = [var.vwr_api_ttl_max_seconds]
}

run "refuses_a_bad_domain_names" {
  command = plan

  variables {
    domain_names = ["not a name"]
  }

  expect_failures = [var.domain_names]
}
