output "api_function" {
  description = "The VWR API's function: name, ARN, invoke ARN; null where there is none."
  value = var.enabled ? {
    name       = aws_lambda_function.this["api"].function_name
    arn        = aws_lambda_function.this["api"].arn
    invoke_arn = aws_lambda_function.this["api"].invoke_arn
  } : null
}
