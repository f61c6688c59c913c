# The waiting room's store (DDB-1, DDB-2). Positions are leased in blocks, so one item's thousand writes a
# second are not the limit.

resource "aws_dynamodb_table" "counters" {
  count = var.enabled ? 1 : 0

  name                        = "${var.name}-vwr-counters"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "eventId"
  deletion_protection_enabled = var.deletion_protection

  # nextPosition, servingCounter, isActive, updatedAt are written by the functions; a table declares keys only.
  attribute {
    name = "eventId"
    type = "S"
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

resource "aws_dynamodb_table" "positions" {
  count = var.enabled ? 1 : 0

  name                        = "${var.name}-vwr-positions"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "eventId"
  range_key                   = "requestId"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "eventId"
    type = "S"
  }

  attribute {
    name = "requestId"
    type = "S"
  }

  attribute {
    name = "position"
    type = "N"
  }

  global_secondary_index {
    name            = "eventId-position-index"
    hash_key        = "eventId"
    range_key       = "position"
    projection_type = "ALL"
  }

  # The writer sets it to now + 24 h.
  ttl {
    enabled        = true
    attribute_name = "ttl"
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
