# One role per function: the two tables, the signing secret, its own log group, and nothing else.

locals {
  table_actions = {
    api      = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    advancer = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"]
  }

  traces = var.tracing_enabled ? [{
    Sid      = "Trace"
    Effect   = "Allow"
    Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    Resource = ["*"] # X-Ray knows no resources
  }] : []

  failures = { for key in keys(local.functions) : key => key == "advancer" ? [{
    Sid      = "KeepFailures"
    Effect   = "Allow"
    Action   = ["sqs:SendMessage"]
    Resource = [aws_sqs_queue.failures[0].arn]
  }] : [] }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name = "${var.name}-vwr-${each.key}"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name = "what-it-needs"
  role = aws_iam_role.this[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
      },
      {
        Sid      = "Tables"
        Effect   = "Allow"
        Action   = local.table_actions[each.key]
        Resource = var.table_arns
      },
      {
        Sid      = "SigningKeys"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [var.signing_secret_arn]
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.kms_key_arn]
      },
    ], local.traces, local.failures[each.key])
  })
}
