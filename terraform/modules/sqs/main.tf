# The work queue of ticket events (SQS-1, SQS-2) with its alarms (ALM-6, ALM-7).

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-ticket-events-dlq.fifo"
  fifo_queue                = true
  message_retention_seconds = var.dead_letter_retention_days * 86400
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "events" {
  name                       = "${var.name}-ticket-events.fifo"
  fifo_queue                 = true
  deduplication_scope        = "messageGroup"
  fifo_throughput_limit      = "perMessageGroupId"
  message_retention_seconds  = var.retention_days * 86400
  visibility_timeout_seconds = var.visibility_timeout_seconds
  receive_wait_time_seconds  = var.long_polling_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.receives_max
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = { events = aws_sqs_queue.events, dead_letters = aws_sqs_queue.dead_letters }

  queue_url = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dlq-messages"
  alarm_description   = "ALM-6 HIGH: messages of the ticket queue failed for good; see them, then replay"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arns["high"]]
  ok_actions          = [var.alarm_topic_arns["high"]]
}

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "${var.name}-queue-message-age"
  alarm_description   = "ALM-7 WARNING: the worker does not keep up with the ticket queue"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.events.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.age_alarm_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arns["warning"]]
  ok_actions          = [var.alarm_topic_arns["warning"]]
}
