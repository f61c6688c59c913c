output "table_names" {
  description = "Names of the tables: counters, positions; null where there are none."
  value = {
    counters  = one(aws_dynamodb_table.counters[*].name)
    positions = one(aws_dynamodb_table.positions[*].name)
  }
}

output "table_arns" {
  description = "ARNs of the tables and of the index; empty where there are none."
  value = flatten([
    aws_dynamodb_table.counters[*].arn,
    aws_dynamodb_table.positions[*].arn,
    [for table in aws_dynamodb_table.positions : "${table.arn}/index/eventId-position-index"],
  ])
}
