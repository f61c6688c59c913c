variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "engine_version" {
  description = "Version of PostgreSQL (RDS-1)."
  type        = string
  default     = "16.4"

  validation {
    condition     = can(regex("^16\\.[0-9]+$", var.engine_version))
    error_message = "engine_version must be a version 16, like 16.4."
  }
}

variable "instance_class" {
  description = "Class of the primary (RDS-1)."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class must be a database class, like db.t4g.micro."
  }
}

variable "storage_gb" {
  description = "Storage, gp3 (RDS-2)."
  type        = number
  default     = 50

  validation {
    condition     = var.storage_gb >= 20 && var.storage_gb <= 65536
    error_message = "storage_gb must be from 20 to 65536."
  }
}

variable "storage_max_gb" {
  description = "To how much the storage may grow (RDS-2)."
  type        = number
  default     = 100

  validation {
    condition     = var.storage_max_gb == 0 || var.storage_max_gb > var.storage_gb
    error_message = "storage_max_gb must be 0 (does not grow) or more than storage_gb."
  }
}

variable "multi_az" {
  description = "Whether a standby waits in the other zone (RDS-3)."
  type        = bool
  default     = true
}

variable "replica_enabled" {
  description = "Whether there is a read replica (RDS-3, RDS-6)."
  type        = bool
  default     = true
}

variable "replica_instance_class" {
  description = "Class of the replica (RDS-6)."
  type        = string
  default     = null

  validation {
    condition     = var.replica_instance_class == null || can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.replica_instance_class))
    error_message = "replica_instance_class must be a database class, or null for the primary's."
  }
}

variable "proxy_enabled" {
  description = "Whether RDS Proxy stands before the primary (RDS-7; staging has none)."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted (RDS-3)."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "Days of backups (RDS-4)."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be from 1 to 35."
  }
}

variable "slow_query_ms" {
  description = "Statements at least this slow are logged (RDS-8)."
  type        = number
  default     = 1000

  validation {
    condition     = var.slow_query_ms >= 0 && var.slow_query_ms <= 60000
    error_message = "slow_query_ms must be from 0 to 60000."
  }
}

variable "log_retention_days" {
  description = "Days that exported logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
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

variable "database_subnet_ids" {
  description = "Database subnets (RDS-4)."
  type        = list(string)

  validation {
    condition     = length(var.database_subnet_ids) == 2
    error_message = "database_subnet_ids must be two, one per availability zone."
  }
}

variable "proxy_subnet_ids" {
  description = "App subnets, in which the proxy stands (RDS-7)."
  type        = list(string)

  validation {
    condition     = length(var.proxy_subnet_ids) == 2
    error_message = "proxy_subnet_ids must be two, one per availability zone."
  }
}

variable "client_security_group_ids" {
  description = "Who may connect, by name: nodes, worker (SG-5, SG-8)."
  type        = map(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "client_security_group_ids must not be empty."
  }
}

variable "replica_client_security_group_ids" {
  description = "Who may read from the replica, by name: nodes."
  type        = map(string)

  validation {
    condition     = length(var.replica_client_security_group_ids) > 0
    error_message = "replica_client_security_group_ids must not be empty."
  }
}

variable "database_secret_arns" {
  description = "Secret of each database user, with which the proxy signs in."
  type        = map(string)

  validation {
    condition     = length(var.database_secret_arns) > 0
    error_message = "database_secret_arns must not be empty."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts storage, logs, insights and secrets."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
