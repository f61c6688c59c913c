variable "enabled" {
  description = "Whether the waiting room's functions exist (off in staging, ENV-11)."
  type        = bool
  default     = true
}

variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "api_package" {
  description = "Package of the VWR API (FN-1), for provided.al2023 on arm64."
  type        = string

  validation {
    condition     = endswith(var.api_package, ".zip")
    error_message = "api_package must be the path of a .zip."
  }
}

variable "advancer_package" {
  description = "Package of the counter advancer (FN-2)."
  type        = string

  validation {
    condition     = endswith(var.advancer_package, ".zip")
    error_message = "advancer_package must be the path of a .zip."
  }
}

variable "api_concurrency" {
  description = "Reserved concurrency of the API (FN-1)."
  type        = number
  default     = 100

  validation {
    condition     = var.api_concurrency >= 1 && var.api_concurrency <= 1000
    error_message = "api_concurrency must be from 1 to 1000."
  }
}

variable "people_per_minute" {
  description = "People that the advancer admits in a minute, evenly (FN-2, VWR-5)."
  type        = number
  default     = 500

  validation {
    condition     = var.people_per_minute >= 1 && var.people_per_minute <= 100000
    error_message = "people_per_minute must be from 1 to 100000."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray traces the functions (ENV-10)."
  type        = bool
  default     = true
}

variable "table_names" {
  description = "The waiting room's tables."
  type        = object({ counters = string, positions = string })

  validation {
    condition     = !var.enabled || (var.table_names.counters != null && var.table_names.positions != null)
    error_message = "table_names must name both tables where the functions are enabled."
  }
}

variable "table_arns" {
  description = "ARNs of the tables and their index: all that the functions may touch."
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.table_arns : startswith(arn, "arn:")])
    error_message = "table_arns must be ARNs."
  }
}

variable "signing_secret_arn" {
  description = "Secret with the keys that sign receipts and tokens."
  type        = string

  validation {
    condition     = startswith(var.signing_secret_arn, "arn:")
    error_message = "signing_secret_arn must be an ARN."
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
  description = "Key of tables, secrets, logs."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
