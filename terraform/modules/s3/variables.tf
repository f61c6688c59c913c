variable "name" {
  description = "Prefix of all names; bucket names end with the account's id."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "frontend_enabled" {
  description = "Whether there is a bucket of static files behind the CDN (S3-1)."
  type        = bool
  default     = true
}

variable "logs_enabled" {
  description = "Whether there is a bucket of access logs (S3-2)."
  type        = bool
  default     = true
}

variable "distribution_arn" {
  description = "Distribution that reads the frontend bucket; needed where frontend_enabled."
  type        = string
  default     = null

  validation {
    condition     = var.distribution_arn == null || startswith(coalesce(var.distribution_arn, "-"), "arn:")
    error_message = "distribution_arn must be an ARN, or null."
  }
}

variable "allowed_origins" {
  description = "Origins that may read by CORS (S3-1)."
  type        = list(string)

  validation {
    condition     = length(var.allowed_origins) > 0 && alltrue([for o in var.allowed_origins : startswith(o, "https://")])
    error_message = "allowed_origins must be https:// origins."
  }
}

variable "infrequent_after_days" {
  description = "Days after which logs move to Standard-IA (S3-2)."
  type        = number
  default     = 30

  validation {
    condition     = var.infrequent_after_days >= 30 && var.infrequent_after_days <= 3650
    error_message = "infrequent_after_days must be from 30 to 3650."
  }
}

variable "glacier_after_days" {
  description = "Days after which logs move to Glacier (S3-2)."
  type        = number
  default     = 90

  validation {
    condition     = var.glacier_after_days >= var.infrequent_after_days + 30
    error_message = "glacier_after_days must be at least 30 days after infrequent_after_days."
  }
}

variable "delete_after_days" {
  description = "Days after which logs are deleted (S3-2)."
  type        = number
  default     = 180

  validation {
    condition     = var.delete_after_days >= var.glacier_after_days + 90
    error_message = "delete_after_days must be at least 90 days after glacier_after_days, which Glacier bills."
  }
}
