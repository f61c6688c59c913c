# Code at the edge: two CloudFront Functions and the token check on Lambda@Edge (FN-3, IAM-9).

locals {
  functions = {
    rewrite = { source = var.rewrite_function, says = "Finds the waiting page of an event" }
    strip   = { source = var.strip_function, says = "Strips /vwr-api before the API" }
  }
}

resource "aws_cloudfront_function" "this" {
  for_each = var.vwr_enabled ? local.functions : {}

  name    = "${var.name}-${each.key}"
  comment = each.value.says
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file(each.value.source)
}

resource "aws_iam_role" "token_check" {
  name = "${var.name}-edge-token-check"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "token_check" {
  role       = aws_iam_role.token_check.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

# Edge functions log in the region that served, under this name; the one in us-east-1 is ours to keep short.
resource "aws_cloudwatch_log_group" "token_check" {
  name              = "/aws/lambda/us-east-1.${var.name}-edge-token-check"
  retention_in_days = var.log_retention_days
}

# No environment, no network: it verifies Ed25519 with the public keys in its package.
resource "aws_lambda_function" "token_check" {
  function_name    = "${var.name}-edge-token-check"
  description      = "Lets in who holds a waiting-room token or an entry token"
  role             = aws_iam_role.token_check.arn
  runtime          = "nodejs20.x"
  architectures    = ["x86_64"] # Lambda@Edge runs nothing else
  handler          = "index.handler"
  filename         = var.edge_package
  source_code_hash = filebase64sha256(var.edge_package)
  memory_size      = 128
  timeout          = 5
  publish          = true

  depends_on = [aws_cloudwatch_log_group.token_check]
}
