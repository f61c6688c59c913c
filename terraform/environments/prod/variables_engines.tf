# Database

variable "database_version" {
  description = "Version of PostgreSQL (RDS-1)."
  type        = string
  default     = "16.4"

  validation {
    condition     = can(regex("^16\\.[0-9]+$", var.database_version))
    error_message = "database_version must be a version 16, like 16.4."
  }
}

variable "database_class" {
  description = "Class of the primary (RDS-1)."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_class))
    error_message = "database_class must be a database class, like db.t4g.micro."
  }
}

variable "database_replica_class" {
  description = "Class of the read replica (RDS-6)."
  type        = string
  default     = null

  validation {
    condition     = var.database_replica_class == null || can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_replica_class))
    error_message = "database_replica_class must be a database class, or null for the primary's."
  }
}

variable "database_storage_gb" {
  description = "Storage (RDS-2)."
  type        = number
  default     = 50

  validation {
    condition     = var.database_storage_gb >= 20 && var.database_storage_gb <= 65536
    error_message = "database_storage_gb must be from 20 to 65536."
  }
}

variable "database_storage_max_gb" {
  description = "To how much the storage may grow (RDS-2)."
  type        = number
  default     = 100

  validation {
    condition     = var.database_storage_max_gb == 0 || var.database_storage_max_gb > var.database_storage_gb
    error_message = "database_storage_max_gb must be 0 (does not grow) or more than database_storage_gb."
  }
}

variable "database_multi_az" {
  description = "Whether a standby waits in the other zone (RDS-3)."
  type        = bool
  default     = true
}

variable "database_replica_enabled" {
  description = "Whether there is a read replica (RDS-3)."
  type        = bool
  default     = true
}

variable "database_proxy_enabled" {
  description = "Whether RDS Proxy stands before the primary (ENV-3)."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether database, tables and load balancer refuse to be deleted (RDS-3, ALB-1)."
  type        = bool
  default     = true
}

variable "database_backup_days" {
  description = "Days of backups (RDS-4)."
  type        = number
  default     = 7

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "database_backup_days must be from 1 to 35."
  }
}

# Redis

variable "redis_version" {
  description = "Version of Redis (RED-1)."
  type        = string
  default     = "7.1"

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.redis_version))
    error_message = "redis_version must be a version 7, like 7.1."
  }
}

variable "redis_node_type" {
  description = "Node (RED-1)."
  type        = string
  default     = "cache.r6g.large"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.redis_node_type))
    error_message = "redis_node_type must be a cache node, like cache.r6g.large."
  }
}

variable "redis_nodes" {
  description = "Nodes (RED-2)."
  type        = number
  default     = 2

  validation {
    condition     = var.redis_nodes >= 1 && var.redis_nodes <= 6
    error_message = "redis_nodes must be from 1 to 6."
  }
}

variable "redis_failover" {
  description = "Whether a replica in the other zone takes over (RED-2)."
  type        = bool
  default     = true

  validation {
    condition     = !var.redis_failover || var.redis_nodes >= 2
    error_message = "redis_failover needs at least two redis_nodes."
  }
}

# Kafka

variable "kafka_version" {
  description = "Version of Kafka (KAF-1)."
  type        = string
  default     = "3.6.0"

  validation {
    condition     = can(regex("^[3-9]\\.[0-9]+\\.[0-9x]+$", var.kafka_version))
    error_message = "kafka_version must be a version like 3.6.0."
  }
}

variable "kafka_brokers" {
  description = "Brokers (KAF-1)."
  type        = number
  default     = 2

  validation {
    condition     = var.kafka_brokers >= 2 && var.kafka_brokers % 2 == 0 && var.kafka_brokers <= 30
    error_message = "kafka_brokers must be an even number from 2 to 30."
  }
}

variable "kafka_instance_type" {
  description = "Node of a broker (KAF-1)."
  type        = string
  default     = "kafka.t3.small"

  validation {
    condition     = can(regex("^kafka\\.[a-z0-9]+\\.[a-z0-9]+$", var.kafka_instance_type))
    error_message = "kafka_instance_type must be a broker node, like kafka.t3.small."
  }
}

variable "kafka_disk_gb" {
  description = "Disk of each broker (KAF-1)."
  type        = number
  default     = 50

  validation {
    condition     = var.kafka_disk_gb >= 1 && var.kafka_disk_gb <= 16384
    error_message = "kafka_disk_gb must be from 1 to 16384."
  }
}

variable "kafka_mutual_tls_authority_arns" {
  description = "Private certificate authorities; with any, 9094 is served by mutual TLS (KAF-2)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.kafka_mutual_tls_authority_arns : startswith(arn, "arn:")])
    error_message = "kafka_mutual_tls_authority_arns must be ARNs."
  }
}
