# The CDN (CF-1 to CF-8). Runs in us-east-1, where CloudFront looks for certificates and edge functions.

data "aws_cloudfront_cache_policy" "disabled" {
  name = "Managed-CachingDisabled"
}

data "aws_cloudfront_origin_request_policy" "all_viewer" {
  name = "Managed-AllViewer"
}

data "aws_cloudfront_origin_request_policy" "all_viewer_except_host" {
  name = "Managed-AllViewerExceptHostHeader"
}

locals {
  every_method = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
  reads        = ["GET", "HEAD", "OPTIONS"]

  # Behaviours besides /*, in the order in which CloudFront tries them.
  behaviors = concat(
    [
      { path = "/static/*", origin = "s3", methods = local.reads, cache = "static", headers = "security", request = null, function = null },
      { path = "/_next/static/*", origin = "s3", methods = local.reads, cache = "immutable", headers = "immutable", request = null, function = null },
    ],
    var.vwr_enabled ? [
      { path = "/vwr/*", origin = "s3", methods = local.reads, cache = "vwr", headers = "security", request = null, function = "rewrite" },
      { path = "/vwr-api/*", origin = "api", methods = local.every_method, cache = "vwr_api", headers = "security", request = "all_viewer_except_host", function = "strip" },
    ] : [],
  )

  request_policies = {
    all_viewer             = data.aws_cloudfront_origin_request_policy.all_viewer.id
    all_viewer_except_host = data.aws_cloudfront_origin_request_policy.all_viewer_except_host.id
  }

  custom_origins = merge(
    { alb = { domain = var.alb_domain, read_timeout = 60 } },
    var.vwr_enabled ? { api = { domain = var.api_domain, read_timeout = 15 } } : {},
  )
}

resource "aws_cloudfront_origin_access_control" "s3" {
  name                              = "${var.name}-frontend"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "this" {
  comment         = var.name
  enabled         = true
  aliases         = var.domain_names
  price_class     = var.price_class
  http_version    = "http2"
  is_ipv6_enabled = true
  web_acl_id      = var.web_acl_arn

  dynamic "origin" {
    for_each = local.custom_origins

    content {
      origin_id   = origin.key
      domain_name = origin.value.domain

      custom_header {
        name  = "X-Custom-Header"
        value = var.origin_secret
      }

      custom_origin_config {
        http_port              = 80
        https_port             = 443
        origin_protocol_policy = "https-only"
        origin_ssl_protocols   = ["TLSv1.2"]
        origin_read_timeout    = origin.value.read_timeout
      }
    }
  }

  origin {
    origin_id                = "s3"
    domain_name              = var.frontend_bucket_domain
    origin_access_control_id = aws_cloudfront_origin_access_control.s3.id
  }

  default_cache_behavior {
    target_origin_id           = "alb"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.every_method
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.disabled.id
    origin_request_policy_id   = local.request_policies["all_viewer"]
    response_headers_policy_id = aws_cloudfront_response_headers_policy.security.id

    lambda_function_association {
      event_type   = "viewer-request"
      lambda_arn   = aws_lambda_function.token_check.qualified_arn
      include_body = false
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors

    content {
      path_pattern               = ordered_cache_behavior.value.path
      target_origin_id           = ordered_cache_behavior.value.origin
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ordered_cache_behavior.value.methods
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = aws_cloudfront_cache_policy.this[ordered_cache_behavior.value.cache].id
      origin_request_policy_id   = try(local.request_policies[ordered_cache_behavior.value.request], null)
      response_headers_policy_id = local.header_policies[ordered_cache_behavior.value.headers]

      dynamic "function_association" {
        for_each = ordered_cache_behavior.value.function == null ? [] : [ordered_cache_behavior.value.function]

        content {
          event_type   = "viewer-request"
          function_arn = aws_cloudfront_function.this[function_association.value].arn
        }
      }
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  logging_config {
    bucket          = var.log_bucket_domain
    prefix          = "cdn/"
    include_cookies = false
  }
}
