# Where alarms go (ALM-8): a topic for each severity, e-mail to whoever is named, Slack by setting.

locals {
  severities = ["critical", "high", "warning"]
}

resource "aws_sns_topic" "alarms" {
  for_each = toset(local.severities)

  name              = "${var.name}-alarms-${each.value}"
  display_name      = "URR ${each.value}"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  for_each = aws_sns_topic.alarms

  arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsMayPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = each.value.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = each.value.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = merge([
    for severity, addresses in var.alarm_emails : {
      for address in addresses : "${severity} ${address}" => { severity = severity, address = address }
    }
  ]...)

  topic_arn = aws_sns_topic.alarms[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.address
}

resource "aws_iam_role" "slack" {
  count = var.slack_enabled ? 1 : 0

  name = "${var.name}-alarms-slack"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "chatbot.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "slack" {
  count = var.slack_enabled ? 1 : 0

  name = "show-graphs"
  role = aws_iam_role.slack[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
      Resource = ["*"] # reads that know no resources
    }]
  })
}

resource "aws_chatbot_slack_channel_configuration" "alarms" {
  count = var.slack_enabled ? 1 : 0

  configuration_name    = "${var.name}-alarms"
  iam_role_arn          = aws_iam_role.slack[0].arn
  slack_team_id         = var.slack_team_id
  slack_channel_id      = var.slack_channel_id
  sns_topic_arns        = [for topic in aws_sns_topic.alarms : topic.arn]
  guardrail_policy_arns = ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]
  logging_level         = "ERROR"
}
