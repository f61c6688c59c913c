# The ticket worker (FN-4, IAM-8, SG-8, ALM-3 to ALM-5): consumes the ticket queue in order and writes the
# evidence ledger. Our C++ on the custom runtime, arm64. It calls no service of the cluster.

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}-ticket-worker"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "this" {
  function_name                  = "${var.name}-ticket-worker"
  description                    = "Consumes ticket events"
  role                           = aws_iam_role.this.arn
  runtime                        = "provided.al2023"
  architectures                  = ["arm64"]
  handler                        = "bootstrap"
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.concurrency
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = {
      URR_DATABASE_HOST   = var.database_endpoint
      URR_DATABASE_NAME   = "ticket_db"
      URR_DATABASE_SECRET = var.database_secret_arn
      URR_REDIS_HOST      = var.cache_endpoint
      URR_REDIS_SECRET    = var.cache_secret_arn
    }
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.this.id]
  }

  tracing_config {
    mode = var.tracing_enabled ? "Active" : "PassThrough"
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this, aws_iam_role_policy_attachment.vpc]
}

# Partial answers: a message that fails does not repeat its whole batch. A FIFO queue takes no batching
# window (AWS refuses it), so the document's 5 s come from the queue's long polling instead.
resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn        = var.queue_arn
  function_name           = aws_lambda_function.this.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  # Without it the poller would be throttled by the reserved concurrency and messages become dead letters.
  scaling_config {
    maximum_concurrency = var.concurrency
  }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-ticket-worker"
  description = "Ticket worker"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-ticket-worker" }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = {
    database  = { group = var.database_security_group_id, port = 5432 }
    cache     = { group = var.cache_security_group_id, port = 6379 }
    endpoints = { group = var.endpoints_security_group_id, port = 443 }
  }

  security_group_id            = aws_security_group.this.id
  description                  = "SG-8 worker to ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}
