# The waiting room as functions (FN-1, FN-2): our C++ on the custom runtime, arm64. The same core runs as
# `urr serve vwr` where there is no cloud.

locals {
  functions = var.enabled ? {
    api = {
      says        = "VWR API", package = var.api_package, memory = 256, timeout = 10, concurrency = var.api_concurrency
      environment = {}
    }
    # A timeout of 70 s overlaps the period of 60 s: one at a time, so that nobody is counted twice.
    advancer = {
      says        = "VWR counter advancer", package = var.advancer_package, memory = 128, timeout = 70, concurrency = 1
      environment = { URR_VWR_PEOPLE_PER_MINUTE = tostring(var.people_per_minute) }
    }
  } : {}
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-vwr-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name                  = "${var.name}-vwr-${each.key}"
  description                    = each.value.says
  role                           = aws_iam_role.this[each.key].arn
  runtime                        = "provided.al2023"
  architectures                  = ["arm64"]
  handler                        = "bootstrap"
  filename                       = each.value.package
  source_code_hash               = filebase64sha256(each.value.package)
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.concurrency
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = merge({
      URR_VWR_COUNTERS_TABLE  = var.table_names.counters
      URR_VWR_POSITIONS_TABLE = var.table_names.positions
      URR_VWR_SIGNING_SECRET  = var.signing_secret_arn
    }, each.value.environment)
  }

  tracing_config {
    mode = var.tracing_enabled ? "Active" : "PassThrough"
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

# Once a minute; within it the function moves the counter in steps of a second.
resource "aws_cloudwatch_event_rule" "minute" {
  count = var.enabled ? 1 : 0

  name                = "${var.name}-vwr-advancer"
  description         = "Starts the counter advancer"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "minute" {
  count = var.enabled ? 1 : 0

  rule = aws_cloudwatch_event_rule.minute[0].name
  arn  = aws_lambda_function.this["advancer"].arn
}

resource "aws_lambda_permission" "minute" {
  count = var.enabled ? 1 : 0

  statement_id  = "EventBridgeMayStart"
  function_name = aws_lambda_function.this["advancer"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.minute[0].arn
}

# What fails even so is kept for a look; the next minute's start makes up for it.
resource "aws_sqs_queue" "failures" {
  count = var.enabled ? 1 : 0

  name                      = "${var.name}-vwr-advancer-failures"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_lambda_function_event_invoke_config" "advancer" {
  count = var.enabled ? 1 : 0

  function_name                = aws_lambda_function.this["advancer"].function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures[0].arn
    }
  }
}
