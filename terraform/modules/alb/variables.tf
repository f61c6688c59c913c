variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
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
  description = "Public subnets (ALB-1)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted (ALB-1)."
  type        = bool
  default     = true
}

variable "certificate_arn" {
  description = "Certificate in this region (ALB-2)."
  type        = string

  validation {
    condition     = startswith(var.certificate_arn, "arn:")
    error_message = "certificate_arn must be an ARN."
  }
}

variable "ssl_policy" {
  description = "TLS policy (ALB-2)."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  validation {
    condition     = startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "ssl_policy must be a TLS 1.3 policy (ELBSecurityPolicy-TLS13-…)."
  }
}

variable "cloudfront_only" {
  description = "Whether only CloudFront may connect (ALB-4); otherwise allowed_cidrs."
  type        = bool
  default     = true
}

variable "allowed_cidrs" {
  description = "Who may connect where there is no CDN: office, CI."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.allowed_cidrs : can(cidrnetmask(c))])
    error_message = "allowed_cidrs must be IPv4 ranges."
  }
}

variable "origin_secrets" {
  description = "Values of X-Custom-Header that are admitted; none: the header is not asked for (staging)."
  type        = list(string)
  default     = []
  sensitive   = true

  validation {
    condition     = length(var.origin_secrets) <= 2 && alltrue([for s in var.origin_secrets : length(s) >= 32])
    error_message = "origin_secrets may hold two values of at least 32 characters, so that it can rotate."
  }
}

variable "gateway_paths" {
  description = "Paths that go to the gateway; all else goes to the frontend (ALB-3)."
  type        = list(string)
  default     = ["/api/*"]

  validation {
    condition     = length(var.gateway_paths) >= 1 && length(var.gateway_paths) <= 3
    error_message = "gateway_paths must be one to three paths."
  }
}

variable "nodes_security_group_id" {
  description = "Security group of the nodes, where the pods are (SG-2)."
  type        = string

  validation {
    condition     = length(var.nodes_security_group_id) > 0
    error_message = "nodes_security_group_id must not be empty."
  }
}

variable "access_log_bucket" {
  description = "Bucket of access logs; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null || length(coalesce(var.access_log_bucket, "-")) > 2
    error_message = "access_log_bucket must be a bucket's name, or null."
  }
}

variable "access_logs_enabled" {
  description = "Whether access logs are written (to access_log_bucket)."
  type        = bool
  default     = true
}
