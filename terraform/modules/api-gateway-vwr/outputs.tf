output "domain" {
  description = "Host of the API, the CDN's origin; null where there is none."
  value       = var.enabled ? replace(aws_apigatewayv2_api.this[0].api_endpoint, "https://", "") : null
}
