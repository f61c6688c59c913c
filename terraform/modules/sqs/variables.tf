variable "name" {
  description = "Prefix of all names; the queue is NAME-ticket-events.fifo (SQS-1)."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "retention_days" {
  description = "Days that a message is kept (SQS-1)."
  type        = number
  default     = 4

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "retention_days must be from 1 to 14."
  }
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a received message stays hidden (SQS-1)."
  type        = number
  default     = 300

  validation {
    condition     = var.visibility_timeout_seconds >= 180 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 180 (six times the worker's timeout) to 43200."
  }
}

variable "long_polling_seconds" {
  description = "Seconds that a receive waits for messages (SQS-1)."
  type        = number
  default     = 10

  validation {
    condition     = var.long_polling_seconds >= 0 && var.long_polling_seconds <= 20
    error_message = "long_polling_seconds must be from 0 to 20."
  }
}

variable "dead_letter_retention_days" {
  description = "Days that a dead letter is kept (SQS-2)."
  type        = number
  default     = 14

  validation {
    condition     = var.dead_letter_retention_days >= 1 && var.dead_letter_retention_days <= 14
    error_message = "dead_letter_retention_days must be from 1 to 14."
  }
}

variable "receives_max" {
  description = "Receives after which a message becomes a dead letter (SQS-2)."
  type        = number
  default     = 3

  validation {
    condition     = var.receives_max >= 1 && var.receives_max <= 1000
    error_message = "receives_max must be from 1 to 1000."
  }
}

variable "age_alarm_seconds" {
  description = "Age of the oldest message above which ALM-7 fires."
  type        = number
  default     = 600

  validation {
    condition     = var.age_alarm_seconds >= 60 && var.age_alarm_seconds <= 86400
    error_message = "age_alarm_seconds must be from 60 to 86400."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topic of each severity."
  type        = map(string)

  validation {
    condition     = length(setsubtract(["critical", "high", "warning"], keys(var.alarm_topic_arns))) == 0
    error_message = "alarm_topic_arns must have the keys critical, high, warning."
  }
}
