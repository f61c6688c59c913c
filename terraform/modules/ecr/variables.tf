variable "repositories" {
  description = "Services with an image; each gets the repository urr/SERVICE."
  type        = set(string)
  default     = ["gateway-service", "ticket-service", "payment-service", "stats-service", "auth-service", "queue-service", "community-service", "catalog-service", "frontend"]

  validation {
    condition     = length(var.repositories) > 0 && alltrue([for r in var.repositories : can(regex("^[a-z][a-z0-9-]+$", r))])
    error_message = "repositories must be names of lower-case letters, digits and hyphens."
  }
}

variable "images_kept" {
  description = "Tagged images kept per repository: enough to roll back to."
  type        = number
  default     = 30

  validation {
    condition     = var.images_kept >= 10 && var.images_kept <= 1000
    error_message = "images_kept must be from 10 to 1000."
  }
}

variable "untagged_days" {
  description = "Days after which an untagged image goes."
  type        = number
  default     = 7

  validation {
    condition     = var.untagged_days >= 1 && var.untagged_days <= 365
    error_message = "untagged_days must be from 1 to 365."
  }
}

variable "pull_account_ids" {
  description = "Other accounts whose nodes may pull (staging, where it has an account of its own)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "pull_account_ids must be account ids of 12 digits."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the images."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
