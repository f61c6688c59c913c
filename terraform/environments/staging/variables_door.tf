# The door

variable "allowed_cidrs" {
  description = "Who may reach the load balancer, since there is no CDN: office, CI. Empty: nobody."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.allowed_cidrs : can(cidrnetmask(c))])
    error_message = "allowed_cidrs must be IPv4 ranges."
  }
}

# Waiting room and worker

variable "enable_vwr" {
  description = "Whether tier 1 runs as functions on DynamoDB (ENV-11)."
  type        = bool
  default     = false
}

variable "vwr_rate_limit" {
  description = "Requests a second to the waiting room's API (APG-1)."
  type        = number
  default     = 1000

  validation {
    condition     = var.vwr_rate_limit >= 1 && var.vwr_rate_limit <= 10000
    error_message = "vwr_rate_limit must be from 1 to 10000."
  }
}

variable "vwr_burst_limit" {
  description = "Requests at once to that API (APG-1)."
  type        = number
  default     = 2000

  validation {
    condition     = var.vwr_burst_limit >= var.vwr_rate_limit && var.vwr_burst_limit <= 20000
    error_message = "vwr_burst_limit must be from vwr_rate_limit to 20000."
  }
}

variable "vwr_direct_access_allowed" {
  description = "Whether that API may be called past the CDN, and so past WAF."
  type        = bool
  default     = false
}

variable "vwr_api_concurrency" {
  description = "Reserved concurrency of the VWR API (FN-1)."
  type        = number
  default     = 100

  validation {
    condition     = var.vwr_api_concurrency >= 1 && var.vwr_api_concurrency <= 1000
    error_message = "vwr_api_concurrency must be from 1 to 1000."
  }
}

variable "vwr_people_per_minute" {
  description = "People that the advancer admits in a minute (FN-2)."
  type        = number
  default     = 500

  validation {
    condition     = var.vwr_people_per_minute >= 1 && var.vwr_people_per_minute <= 100000
    error_message = "vwr_people_per_minute must be from 1 to 100000."
  }
}

variable "worker_concurrency" {
  description = "How many ticket workers run at once (FN-4)."
  type        = number
  default     = 5

  validation {
    condition     = var.worker_concurrency >= 2 && var.worker_concurrency <= 1000
    error_message = "worker_concurrency must be from 2 to 1000."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray traces the functions (ENV-10)."
  type        = bool
  default     = false
}

variable "vwr_api_package" {
  description = "Package of the VWR API (FN-1)."
  type        = string
  default     = "../../../build/functions/vwr-api.zip"

  validation {
    condition     = endswith(var.vwr_api_package, ".zip")
    error_message = "vwr_api_package must be the path of a .zip."
  }
}

variable "vwr_advancer_package" {
  description = "Package of the counter advancer (FN-2)."
  type        = string
  default     = "../../../build/functions/vwr-advancer.zip"

  validation {
    condition     = endswith(var.vwr_advancer_package, ".zip")
    error_message = "vwr_advancer_package must be the path of a .zip."
  }
}

variable "worker_package" {
  description = "Package of the ticket worker (FN-4)."
  type        = string
  default     = "../../../build/functions/ticket-worker.zip"

  validation {
    condition     = endswith(var.worker_package, ".zip")
    error_message = "worker_package must be the path of a .zip."
  }
}

variable "authorizer_package" {
  description = "Package of the API's authorizer, made by edge/package."
  type        = string
  default     = "../../../build/edge/authorizer.zip"

  validation {
    condition     = endswith(var.authorizer_package, ".zip")
    error_message = "authorizer_package must be the path of a .zip."
  }
}

# Files, images, logs, alarms

variable "access_logs_enabled" {
  description = "Whether there is a bucket of access logs (S3-2). The CDN of prod needs it."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days that logs are kept, but for the control plane's 7."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "alarm_emails" {
  description = "E-mail addresses by severity (ALM-8)."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = alltrue([for severity, addresses in var.alarm_emails : contains(["critical", "high", "warning"], severity) && alltrue([for a in addresses : can(regex("^[^@ ]+@[^@ ]+$", a))])])
    error_message = "alarm_emails must map critical, high or warning to e-mail addresses."
  }
}

variable "slack_enabled" {
  description = "Whether alarms go to Slack too (ALM-8)."
  type        = bool
  default     = false
}

variable "slack_team_id" {
  description = "Slack workspace."
  type        = string
  default     = null

  validation {
    condition     = !var.slack_enabled || can(regex("^T[A-Z0-9]+$", var.slack_team_id))
    error_message = "slack_team_id must be a Slack workspace's id, like T0123ABCD, where slack_enabled."
  }
}

variable "slack_channel_id" {
  description = "Slack channel."
  type        = string
  default     = null

  validation {
    condition     = !var.slack_enabled || can(regex("^C[A-Z0-9]+$", var.slack_channel_id))
    error_message = "slack_channel_id must be a Slack channel's id, like C0123ABCD, where slack_enabled."
  }
}
