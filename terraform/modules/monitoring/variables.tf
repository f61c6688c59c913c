variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
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
  description = "Whether alarms go to Slack too, by AWS's chat application (ALM-8)."
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

variable "grafana_version" {
  description = "Version of Amazon Managed Grafana."
  type        = string
  default     = "10.4"

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+$", var.grafana_version))
    error_message = "grafana_version must be a version like 10.4."
  }
}

variable "monitoring_namespace" {
  description = "Namespace of Prometheus in the cluster."
  type        = string
  default     = "monitoring"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.monitoring_namespace))
    error_message = "monitoring_namespace must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "oidc_provider_arn" {
  description = "OpenID Connect provider of the cluster."
  type        = string

  validation {
    condition     = startswith(var.oidc_provider_arn, "arn:")
    error_message = "oidc_provider_arn must be an ARN."
  }
}

variable "oidc_issuer" {
  description = "Its issuer, without https://."
  type        = string

  validation {
    condition     = length(var.oidc_issuer) > 0
    error_message = "oidc_issuer must not be empty."
  }
}

variable "log_retention_days" {
  description = "Days that the workspace's logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "kms_key_arn" {
  description = "Key of topics, metrics, logs; CloudWatch may use it."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
