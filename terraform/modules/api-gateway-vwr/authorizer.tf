# Compares X-Custom-Header with the secret. The value is read by the function, so neither its environment
# nor the state holds it; API Gateway keeps the answer for five minutes.

locals {
  authorizer_count = var.enabled && !var.direct_access_allowed ? 1 : 0
}

resource "aws_cloudwatch_log_group" "authorizer" {
  count = local.authorizer_count

  name              = "/aws/lambda/${var.name}-vwr-authorizer"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_iam_role" "authorizer" {
  count = local.authorizer_count

  name = "${var.name}-vwr-authorizer"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "authorizer" {
  count = local.authorizer_count

  name = "what-it-needs"
  role = aws_iam_role.authorizer[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.authorizer[0].arn}:*"]
      },
      {
        Sid      = "HeaderValues"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [var.origin_secret_arn]
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.kms_key_arn]
      },
    ]
  })
}

resource "aws_lambda_function" "authorizer" {
  count = local.authorizer_count

  function_name    = "${var.name}-vwr-authorizer"
  description      = "Admits what CloudFront sent"
  role             = aws_iam_role.authorizer[0].arn
  runtime          = "nodejs20.x"
  architectures    = ["arm64"]
  handler          = "index.handler"
  filename         = var.authorizer_package
  source_code_hash = filebase64sha256(var.authorizer_package)
  memory_size      = 128
  timeout          = 5
  kms_key_arn      = var.kms_key_arn

  environment {
    variables = { ORIGIN_SECRET_ARN = var.origin_secret_arn }
  }

  depends_on = [aws_cloudwatch_log_group.authorizer, aws_iam_role_policy.authorizer]
}

resource "aws_apigatewayv2_authorizer" "header" {
  count = local.authorizer_count

  api_id                            = aws_apigatewayv2_api.this[0].id
  name                              = "cloudfront-header"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.authorizer[0].invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.X-Custom-Header"]
  authorizer_result_ttl_in_seconds  = 300
}

resource "aws_lambda_permission" "authorizer" {
  count = local.authorizer_count

  statement_id  = "ApiMayAsk"
  function_name = aws_lambda_function.authorizer[0].function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this[0].execution_arn}/authorizers/${aws_apigatewayv2_authorizer.header[0].id}"
}
