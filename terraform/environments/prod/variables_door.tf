# The door

variable "origin_secrets" {
  description = "Values of X-Custom-Header (CF-2, ALB-4); from the environment, never from a file."
  type        = list(string)
  sensitive   = true

  validation {
    condition     = length(var.origin_secrets) >= 1 && length(var.origin_secrets) <= 2 && alltrue([for s in var.origin_secrets : length(s) >= 32])
    error_message = "origin_secrets must hold one or two values of at least 32 characters: the current one, and the previous one while rotating."
  }
}

variable "price_class" {
  description = "Where edges serve (CF-1)."
  type        = string
  default     = "PriceClass_200"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class must be one of PriceClass_100, PriceClass_200, PriceClass_All."
  }
}

variable "static_ttl_seconds" {
  description = "TTL of /static/* (CF-4)."
  type        = number
  default     = 3600

  validation {
    condition     = var.static_ttl_seconds >= 0 && var.static_ttl_seconds <= 31536000
    error_message = "static_ttl_seconds must be from 0 to 31536000."
  }
}

variable "vwr_ttl_seconds" {
  description = "TTL of /vwr/* (CF-6)."
  type        = number
  default     = 300

  validation {
    condition     = var.vwr_ttl_seconds >= 0 && var.vwr_ttl_seconds <= 86400
    error_message = "vwr_ttl_seconds must be from 0 to 86400."
  }
}

variable "vwr_api_ttl_max_seconds" {
  description = "Longest TTL of /vwr-api/* (CF-7)."
  type        = number
  default     = 1

  validation {
    condition     = var.vwr_api_ttl_max_seconds >= 0 && var.vwr_api_ttl_max_seconds <= 5
    error_message = "vwr_api_ttl_max_seconds must be from 0 to 5."
  }
}

variable "waf_rate_limit" {
  description = "Requests in five minutes from one address before it is blocked (WAF-2)."
  type        = number
  default     = 2000

  validation {
    condition     = var.waf_rate_limit >= 100 && var.waf_rate_limit <= 2000000000
    error_message = "waf_rate_limit must be from 100 to 2000000000."
  }
}

variable "edge_package" {
  description = "Package of the token check (FN-3), made by edge/package."
  type        = string
  default     = "../../../build/edge/token-check.zip"

  validation {
    condition     = endswith(var.edge_package, ".zip")
    error_message = "edge_package must be the path of a .zip."
  }
}

variable "rewrite_function" {
  description = "CloudFront Function of /vwr/* (CF-6)."
  type        = string
  default     = "../../../edge/functions/vwr-rewrite.js"

  validation {
    condition     = endswith(var.rewrite_function, ".js")
    error_message = "rewrite_function must be the path of a .js."
  }
}

variable "strip_function" {
  description = "CloudFront Function of /vwr-api/* (CF-7)."
  type        = string
  default     = "../../../edge/functions/vwr-api-strip.js"

  validation {
    condition     = endswith(var.strip_function, ".js")
    error_message = "strip_function must be the path of a .js."
  }
}

# Waiting room and worker

variable "enable_vwr" {
  description = "Whether tier 1 runs as functions on DynamoDB (ENV-11)."
  type        = bool
  default     = true
}

variable "vwr_rate_limit" {
  description = "Requests a second to the waiting room's API (APG-1)."
  type        = number
  default     = 5000

  validation {
    condition     = var.vwr_rate_limit >= 1 && var.vwr_rate_limit <= 10000
    error_message = "vwr_rate_limit must be from 1 to 10000."
  }
}

variable "vwr_burst_limit" {
  description = "Requests at once to that API (APG-1)."
  type        = number
  default     = 10000

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
  default     = 10

  validation {
    condition     = var.worker_concurrency >= 2 && var.worker_concurrency <= 1000
    error_message = "worker_concurrency must be from 2 to 1000."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray traces the functions (ENV-10)."
  type        = bool
  default     = true
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

variable "pull_account_ids" {
  description = "Other accounts that may pull images (staging, where it has its own)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "pull_account_ids must be account ids of 12 digits."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, but for the control plane's 7."
  type        = number
  default     = 30

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
