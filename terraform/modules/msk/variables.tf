variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kafka_version" {
  description = "Version of Kafka (KAF-1)."
  type        = string
  default     = "3.6.0"

  validation {
    condition     = can(regex("^[3-9]\\.[0-9]+\\.[0-9x]+$", var.kafka_version))
    error_message = "kafka_version must be a version like 3.6.0."
  }
}

variable "brokers" {
  description = "Brokers in all (KAF-1)."
  type        = number
  default     = 2

  validation {
    condition     = var.brokers >= 2 && var.brokers % 2 == 0 && var.brokers <= 30
    error_message = "brokers must be an even number from 2 to 30: as many in either zone."
  }
}

variable "instance_type" {
  description = "Node of a broker (KAF-1)."
  type        = string
  default     = "kafka.t3.small"

  validation {
    condition     = can(regex("^kafka\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be a broker node, like kafka.t3.small."
  }
}

variable "disk_gb" {
  description = "Disk of each broker (KAF-1)."
  type        = number
  default     = 50

  validation {
    condition     = var.disk_gb >= 1 && var.disk_gb <= 16384
    error_message = "disk_gb must be from 1 to 16384."
  }
}

variable "partitions" {
  description = "Partitions of a new topic (KAF-7)."
  type        = number
  default     = 3

  validation {
    condition     = var.partitions >= 1 && var.partitions <= 1000
    error_message = "partitions must be from 1 to 1000."
  }
}

variable "replication_factor" {
  description = "Replicas of each partition (KAF-7)."
  type        = number
  default     = 2

  validation {
    condition     = var.replication_factor >= 2 && var.replication_factor <= var.brokers
    error_message = "replication_factor must be at least 2 and at most the number of brokers."
  }
}

variable "min_in_sync_replicas" {
  description = "Replicas that must have a record before it is acknowledged (KAF-7)."
  type        = number
  default     = 2

  validation {
    condition     = var.min_in_sync_replicas >= 1 && var.min_in_sync_replicas <= var.replication_factor
    error_message = "min_in_sync_replicas must be from 1 to replication_factor."
  }
}

variable "retention_hours" {
  description = "Hours that records are kept (KAF-7)."
  type        = number
  default     = 168

  validation {
    condition     = var.retention_hours >= 1 && var.retention_hours <= 8760
    error_message = "retention_hours must be from 1 to 8760."
  }
}

variable "mutual_tls_authority_arns" {
  description = "Private certificate authorities of mutual TLS; with any, 9094 is served beside 9098."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.mutual_tls_authority_arns : startswith(arn, "arn:")])
    error_message = "mutual_tls_authority_arns must be ARNs."
  }
}

variable "log_retention_days" {
  description = "Days that broker logs are kept."
  type        = number
  default     = 14

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

variable "subnet_ids" {
  description = "Streaming subnets (NET-7)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "nodes_security_group_id" {
  description = "Security group of the EKS nodes (SG-7)."
  type        = string

  validation {
    condition     = length(var.nodes_security_group_id) > 0
    error_message = "nodes_security_group_id must not be empty."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topic of each severity."
  type        = map(string)

  validation {
    condition     = length(setsubtract(["critical", "high", "warning"], keys(var.alarm_topic_arns))) == 0
    error_message = "alarm_topic_arns must have the keys critical, high, warning."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts disks and logs."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
