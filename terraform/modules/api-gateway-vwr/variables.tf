variable "enabled" {
  description = "Whether the waiting room's API exists (off in staging, ENV-11)."
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

variable "rate_limit" {
  description = "Requests a second (APG-1): prod 5,000, staging 1,000."
  type        = number
  default     = 5000

  validation {
    condition     = var.rate_limit >= 1 && var.rate_limit <= 10000
    error_message = "rate_limit must be from 1 to 10000."
  }
}

variable "burst_limit" {
  description = "Requests at once (APG-1): prod 10,000, staging 2,000."
  type        = number
  default     = 10000

  validation {
    condition     = var.burst_limit >= var.rate_limit && var.burst_limit <= 20000
    error_message = "burst_limit must be from rate_limit to 20000."
  }
}

variable "direct_access_allowed" {
  description = "Whether the API may be called past the CDN, and so past WAF."
  type        = bool
  default     = false
}

variable "function" {
  description = "The VWR API's function (FN-1)."
  type        = object({ name = string, arn = string, invoke_arn = string })

  validation {
    condition     = !var.enabled || var.function != null
    error_message = "function must be given where the API is enabled."
  }
}

variable "origin_secret_arn" {
  description = "Secret with the values of X-Custom-Header that are admitted, as JSON with current and previous."
  type        = string

  validation {
    condition     = startswith(var.origin_secret_arn, "arn:")
    error_message = "origin_secret_arn must be an ARN."
  }
}

variable "authorizer_package" {
  description = "Package of the authorizer that compares the header."
  type        = string

  validation {
    condition     = endswith(var.authorizer_package, ".zip")
    error_message = "authorizer_package must be the path of a .zip."
  }
}

variable "allowed_origins" {
  description = "Origins that may call by CORS."
  type        = list(string)

  validation {
    condition     = length(var.allowed_origins) > 0 && alltrue([for o in var.allowed_origins : startswith(o, "https://")])
    error_message = "allowed_origins must be https:// origins."
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
