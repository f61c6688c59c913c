variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "domain_names" {
  description = "Names under which the site is reached."
  type        = list(string)

  validation {
    condition     = length(var.domain_names) > 0 && alltrue([for d in var.domain_names : can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", d))])
    error_message = "domain_names must be domain names."
  }
}

variable "certificate_arn" {
  description = "Certificate in us-east-1."
  type        = string

  validation {
    condition     = startswith(var.certificate_arn, "arn:")
    error_message = "certificate_arn must be an ARN."
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

variable "web_acl_arn" {
  description = "Web ACL of scope CLOUDFRONT (WAF-1)."
  type        = string

  validation {
    condition     = startswith(var.web_acl_arn, "arn:")
    error_message = "web_acl_arn must be an ARN."
  }
}

variable "alb_domain" {
  description = "Name by which the ALB is reached, covered by its certificate (CF-2)."
  type        = string

  validation {
    condition     = length(var.alb_domain) > 0
    error_message = "alb_domain must not be empty."
  }
}

variable "frontend_bucket_domain" {
  description = "Regional domain of the frontend bucket (CF-2)."
  type        = string

  validation {
    condition     = length(var.frontend_bucket_domain) > 0
    error_message = "frontend_bucket_domain must not be empty."
  }
}

variable "api_domain" {
  description = "Host of the waiting room's API (CF-2); needed where vwr_enabled."
  type        = string
  default     = null

  validation {
    condition     = var.api_domain == null || length(coalesce(var.api_domain, "-")) > 3
    error_message = "api_domain must be a host name, or null."
  }
}

variable "vwr_enabled" {
  description = "Whether /vwr/* and /vwr-api/* exist (CF-6, CF-7)."
  type        = bool
  default     = true
}

variable "origin_secret" {
  description = "Value of X-Custom-Header that origins ask for (CF-2)."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.origin_secret) >= 32
    error_message = "origin_secret must have at least 32 characters."
  }
}

variable "edge_package" {
  description = "Package of the token check, built with the public keys in it (FN-3)."
  type        = string

  validation {
    condition     = endswith(var.edge_package, ".zip")
    error_message = "edge_package must be the path of a .zip."
  }
}

variable "rewrite_function" {
  description = "Source of the function that finds the waiting page (CF-6)."
  type        = string

  validation {
    condition     = endswith(var.rewrite_function, ".js")
    error_message = "rewrite_function must be the path of a .js."
  }
}

variable "strip_function" {
  description = "Source of the function that strips /vwr-api (CF-7)."
  type        = string

  validation {
    condition     = endswith(var.strip_function, ".js")
    error_message = "strip_function must be the path of a .js."
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

variable "immutable_ttl_seconds" {
  description = "TTL of /_next/static/* (CF-5)."
  type        = number
  default     = 31536000

  validation {
    condition     = var.immutable_ttl_seconds >= 86400 && var.immutable_ttl_seconds <= 31536000
    error_message = "immutable_ttl_seconds must be from 86400 to 31536000."
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
  description = "Longest TTL of /vwr-api/*, used by the room's state only (CF-7)."
  type        = number
  default     = 1

  validation {
    condition     = var.vwr_api_ttl_max_seconds >= 0 && var.vwr_api_ttl_max_seconds <= 5
    error_message = "vwr_api_ttl_max_seconds must be from 0 to 5."
  }
}

variable "log_bucket_domain" {
  description = "Domain of the bucket of access logs."
  type        = string

  validation {
    condition     = length(var.log_bucket_domain) > 0
    error_message = "log_bucket_domain must not be empty."
  }
}

variable "log_retention_days" {
  description = "Days that the edge function's logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}
