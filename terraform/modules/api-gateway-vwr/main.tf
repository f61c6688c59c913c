# The waiting room's API (APG-1, APG-2). Only what carries CloudFront's header passes, so that WAF cannot
# be gone round; a setting opens the direct way that the document draws.

locals {
  count = var.enabled ? 1 : 0

  routes = [
    "POST /vwr/assign/{eventId}",
    "GET /vwr/check/{eventId}/{requestId}",
    "GET /vwr/status/{eventId}",
    "PUT /vwr/rooms/{eventId}", # the room's steering, signed by queue
  ]
}

resource "aws_apigatewayv2_api" "this" {
  count = local.count

  name          = "${var.name}-vwr"
  description   = "Virtual waiting room"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins     = var.allowed_origins
    allow_methods     = ["GET", "POST", "PUT"]
    allow_headers     = ["content-type", "idempotency-key", "x-urr-receipt"]
    allow_credentials = true
    max_age           = 600
  }
}

resource "aws_apigatewayv2_integration" "this" {
  count = local.count

  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = var.function.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 10000
}

resource "aws_apigatewayv2_route" "this" {
  for_each = var.enabled ? toset(local.routes) : []

  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = each.value
  target             = "integrations/${aws_apigatewayv2_integration.this[0].id}"
  authorization_type = var.direct_access_allowed ? "NONE" : "CUSTOM"
  authorizer_id      = var.direct_access_allowed ? null : aws_apigatewayv2_authorizer.header[0].id
}

resource "aws_lambda_permission" "api" {
  count = local.count

  statement_id  = "ApiMayCall"
  function_name = var.function.name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this[0].execution_arn}/*/*"
}

resource "aws_cloudwatch_log_group" "access" {
  count = local.count

  name              = "/aws/apigateway/${var.name}-vwr"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_apigatewayv2_stage" "this" {
  count = local.count

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.rate_limit
    throttling_burst_limit   = var.burst_limit
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access[0].arn
    format = jsonencode({
      requestId = "$context.requestId"
      time      = "$context.requestTime"
      route     = "$context.routeKey"
      status    = "$context.status"
      latency   = "$context.responseLatency"
      refused   = "$context.authorizer.error"
    })
  }
}
