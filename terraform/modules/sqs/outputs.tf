output "queue_arn" {
  description = "The ticket queue."
  value       = aws_sqs_queue.events.arn
}

output "queue_url" {
  description = "Where ticket and queue send to."
  value       = aws_sqs_queue.events.id
}

output "dead_letter_arn" {
  description = "The dead-letter queue."
  value       = aws_sqs_queue.dead_letters.arn
}
