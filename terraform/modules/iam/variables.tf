variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Region (NET-2)."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must be a region's name, like ap-northeast-2."
  }
}

variable "namespace" {
  description = "Namespace of the services (ENV-1)."
  type        = string
  default     = "urr-spring"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.namespace))
    error_message = "namespace must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
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

variable "queue_arn" {
  description = "Ticket queue, to which queue and ticket send."
  type        = string

  validation {
    condition     = startswith(var.queue_arn, "arn:")
    error_message = "queue_arn must be an ARN."
  }
}

variable "kafka_cluster_arn" {
  description = "Kafka cluster."
  type        = string

  validation {
    condition     = startswith(var.kafka_cluster_arn, "arn:")
    error_message = "kafka_cluster_arn must be an ARN."
  }
}

variable "posters_bucket_arn" {
  description = "Bucket of posters, which ticket writes."
  type        = string

  validation {
    condition     = startswith(var.posters_bucket_arn, "arn:")
    error_message = "posters_bucket_arn must be an ARN."
  }
}

variable "target_group_arns" {
  description = "Target groups that the load-balancer controller fills."
  type        = map(string)

  validation {
    condition     = length(var.target_group_arns) > 0
    error_message = "target_group_arns must not be empty."
  }
}

variable "secret_name_prefix" {
  description = "What the names of this environment's secrets begin with."
  type        = string

  validation {
    condition     = endswith(var.secret_name_prefix, "/")
    error_message = "secret_name_prefix must end with /."
  }
}

variable "master_secret_arn" {
  description = "Secret of the database's master user, for the migration Job."
  type        = string

  validation {
    condition     = startswith(var.master_secret_arn, "arn:")
    error_message = "master_secret_arn must be an ARN."
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

variable "github_repository" {
  description = "Repository whose workflows may take the delivery roles."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github_repository))
    error_message = "github_repository must be owner/name."
  }
}

variable "github_environment" {
  description = "GitHub environment that must approve the upload of assets."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.github_environment))
    error_message = "github_environment must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "github_provider_created" {
  description = "Whether to make GitHub's OpenID Connect provider: once per account."
  type        = bool
  default     = true
}

variable "image_repository_arns" {
  description = "Image repositories that the main branch may push to; none: no such role."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.image_repository_arns : startswith(arn, "arn:")])
    error_message = "image_repository_arns must be ARNs."
  }
}

variable "images_pushed" {
  description = "Whether there is a role that pushes images (where the repositories are)."
  type        = bool
  default     = true
}

variable "frontend_bucket_arn" {
  description = "Bucket of static files that a delivery uploads to."
  type        = string
  default     = null

  validation {
    condition     = var.frontend_bucket_arn == null || startswith(coalesce(var.frontend_bucket_arn, "-"), "arn:")
    error_message = "frontend_bucket_arn must be an ARN, or null."
  }
}

variable "assets_uploaded" {
  description = "Whether there is a role that uploads static files."
  type        = bool
  default     = true
}
