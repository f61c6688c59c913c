variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "database_users" {
  description = "Database users, one per service with a database; each gets a generated password (RDS-5)."
  type        = set(string)
  default     = ["ticket", "auth", "payment", "stats", "community"]

  validation {
    condition     = length(var.database_users) > 0
    error_message = "database_users must not be empty."
  }
}

variable "service_secrets" {
  description = "Secrets whose values an operator puts in (made by the program's own key command, or given by a provider); made empty here."
  type        = set(string)
  default     = ["signing-keys", "origin-header", "oauth", "payment-provider", "smtp"]

  validation {
    condition     = length(var.service_secrets) > 0
    error_message = "service_secrets must not be empty."
  }
}

variable "recovery_window_days" {
  description = "Days in which a deleted secret can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_days >= 7 && var.recovery_window_days <= 30
    error_message = "recovery_window_days must be from 7 to 30."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the secrets."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
