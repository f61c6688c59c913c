variable "domain_name" {
  description = "Domain of the site; the zone bears its name."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a domain name, like urr.example."
  }
}

variable "cdn_enabled" {
  description = "Whether the site's name leads to the CDN; otherwise to the ALB (staging)."
  type        = bool
  default     = true
}

variable "cdn_domain_name" {
  description = "CloudFront's name of the distribution; needed where cdn_enabled."
  type        = string
  default     = null

  validation {
    condition     = var.cdn_domain_name == null || length(coalesce(var.cdn_domain_name, "-")) > 3
    error_message = "cdn_domain_name must be a host name, or null."
  }
}

variable "cdn_zone_id" {
  description = "Hosted zone of that name."
  type        = string
  default     = null

  validation {
    condition     = var.cdn_zone_id == null || length(coalesce(var.cdn_zone_id, "-")) > 3
    error_message = "cdn_zone_id must be a zone's id, or null."
  }
}

variable "alb_dns_name" {
  description = "Name of the load balancer."
  type        = string

  validation {
    condition     = length(var.alb_dns_name) > 0
    error_message = "alb_dns_name must not be empty."
  }
}

variable "alb_zone_id" {
  description = "Hosted zone of that name."
  type        = string

  validation {
    condition     = length(var.alb_zone_id) > 0
    error_message = "alb_zone_id must not be empty."
  }
}
