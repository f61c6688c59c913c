locals {
  alarms = {
    errors = {
      says   = "ALM-3 HIGH: the ticket worker fails", metric = "Errors", statistic = "Sum"
      period = 600, threshold = 5, severity = "high"
    }
    duration = {
      says   = "ALM-4 WARNING: the ticket worker comes near its timeout", metric = "Duration", statistic = "Maximum"
      period = 60, threshold = var.timeout_seconds * 1000 * 0.8, severity = "warning"
    }
    throttles = {
      says   = "ALM-5 HIGH: the ticket worker is throttled", metric = "Throttles", statistic = "Sum"
      period = 60, threshold = 0, severity = "high"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-worker-${each.key}"
  alarm_description   = each.value.says
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arns[each.value.severity]]
  ok_actions          = [var.alarm_topic_arns[each.value.severity]]
}
