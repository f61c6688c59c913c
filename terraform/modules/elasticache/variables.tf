variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "engine_version" {
  description = "Version of Redis (RED-1)."
  type        = string
  default     = "7.1"

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.engine_version))
    error_message = "engine_version must be a version 7, like 7.1."
  }
}

variable "node_type" {
  description = "Node (RED-1)."
  type        = string
  default     = "cache.r6g.large"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type must be a cache node, like cache.r6g.large."
  }
}

variable "nodes" {
  description = "Nodes: one primary, the others replicas (RED-2)."
  type        = number
  default     = 2

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "nodes must be from 1 to 6."
  }
}

variable "failover" {
  description = "Whether a replica takes over by itself, in the other zone (RED-2)."
  type        = bool
  default     = true

  validation {
    condition     = !var.failover || var.nodes >= 2
    error_message = "failover needs at least two nodes."
  }
}

variable "log_retention_days" {
  description = "Days that slow log and engine log are kept."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "snapshot_retention_days" {
  description = "Days of snapshots; the line is restored from signed places, so one is enough."
  type        = number
  default     = 1

  validation {
    condition     = var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days must be from 0 to 35."
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
  description = "Cache subnets (NET-9)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "client_security_group_ids" {
  description = "Who may connect, by name: nodes, worker (SG-6, SG-8)."
  type        = map(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "client_security_group_ids must not be empty."
  }
}

variable "auth_secret_arn" {
  description = "Secret that holds the AUTH token as password (RED-3)."
  type        = string

  validation {
    condition     = startswith(var.auth_secret_arn, "arn:")
    error_message = "auth_secret_arn must be an ARN."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts data and logs."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
