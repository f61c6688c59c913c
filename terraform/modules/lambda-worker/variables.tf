variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "package" {
  description = "Package of the ticket worker (FN-4), for provided.al2023 on arm64."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip")
    error_message = "package must be the path of a .zip."
  }
}

variable "memory_mb" {
  description = "Memory (FN-4)."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb must be from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Timeout (FN-4); ALM-4 fires above four fifths of it."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be from 1 to 900."
  }
}

variable "concurrency" {
  description = "How many run at once: prod 10, staging 5 (FN-4)."
  type        = number
  default     = 10

  validation {
    condition     = var.concurrency >= 2 && var.concurrency <= 1000
    error_message = "concurrency must be from 2 to 1000."
  }
}

variable "batch_size" {
  description = "Messages a call (FN-4)."
  type        = number
  default     = 10

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10
    error_message = "batch_size must be from 1 to 10."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray traces the function: in prod (FN-4)."
  type        = bool
  default     = true
}

variable "vpc_id" {
  description = "VPC in which it stands."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "vpc_id must not be empty."
  }
}

variable "subnet_ids" {
  description = "Streaming subnets (NET-7, FN-4)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "database_security_group_id" {
  description = "Security group of RDS Proxy, or of RDS where there is none (SG-8)."
  type        = string

  validation {
    condition     = length(var.database_security_group_id) > 0
    error_message = "database_security_group_id must not be empty."
  }
}

variable "cache_security_group_id" {
  description = "Security group of Redis (SG-8)."
  type        = string

  validation {
    condition     = length(var.cache_security_group_id) > 0
    error_message = "cache_security_group_id must not be empty."
  }
}

variable "endpoints_security_group_id" {
  description = "Security group of the interface endpoints, by which secrets are read."
  type        = string

  validation {
    condition     = length(var.endpoints_security_group_id) > 0
    error_message = "endpoints_security_group_id must not be empty."
  }
}

variable "database_endpoint" {
  description = "Host of the database."
  type        = string

  validation {
    condition     = length(var.database_endpoint) > 0
    error_message = "database_endpoint must not be empty."
  }
}

variable "cache_endpoint" {
  description = "Host of Redis."
  type        = string

  validation {
    condition     = length(var.cache_endpoint) > 0
    error_message = "cache_endpoint must not be empty."
  }
}

variable "database_secret_arn" {
  description = "The one secret with its database user."
  type        = string

  validation {
    condition     = startswith(var.database_secret_arn, "arn:")
    error_message = "database_secret_arn must be an ARN."
  }
}

variable "cache_secret_arn" {
  description = "The secret with the AUTH token of Redis."
  type        = string

  validation {
    condition     = startswith(var.cache_secret_arn, "arn:")
    error_message = "cache_secret_arn must be an ARN."
  }
}

variable "queue_arn" {
  description = "Queue that it consumes (SQS-1)."
  type        = string

  validation {
    condition     = startswith(var.queue_arn, "arn:")
    error_message = "queue_arn must be an ARN."
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

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "kms_key_arn" {
  description = "Key of secrets and logs."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
