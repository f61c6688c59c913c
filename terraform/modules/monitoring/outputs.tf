output "alarm_topic_arns" {
  description = "SNS topic of each severity: critical, high, warning."
  value       = { for severity, topic in aws_sns_topic.alarms : severity => topic.arn }
}

output "remote_write_url" {
  description = "Where Prometheus writes to."
  value       = "${aws_prometheus_workspace.this.prometheus_endpoint}api/v1/remote_write"
}

output "prometheus_role_arn" {
  description = "Role of Prometheus' service account."
  value       = aws_iam_role.prometheus.arn
}

output "grafana_endpoint" {
  description = "Address of Grafana."
  value       = aws_grafana_workspace.this.endpoint
}
