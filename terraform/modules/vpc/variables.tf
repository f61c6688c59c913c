variable "name" {
  description = "Prefix of all names, like urr-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cluster_name" {
  description = "EKS cluster whose load balancers and Karpenter look for these subnets by tag."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.cluster_name))
    error_message = "cluster_name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cidr" {
  description = "Range of the VPC (NET-1)."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16, like 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "The two availability zones by letter (NET-2)."
  type        = map(string)
  default     = { a = "ap-northeast-2a", c = "ap-northeast-2c" }

  validation {
    condition     = length(var.availability_zones) == 2
    error_message = "availability_zones must name two zones."
  }
}

variable "subnet_numbers" {
  description = "Third octet of each kind's first subnet; the second zone takes the next one (NET-5 to NET-9)."
  type        = map(number)
  default     = { public = 0, app = 10, database = 20, cache = 30, streaming = 40 }

  validation {
    condition     = toset(keys(var.subnet_numbers)) == toset(["public", "app", "database", "cache", "streaming"]) && alltrue([for n in values(var.subnet_numbers) : n >= 0 && n <= 254 && n % 2 == 0])
    error_message = "subnet_numbers must give each of public, app, database, cache, streaming an even third octet from 0 to 254."
  }
}

variable "flow_log_retention_days" {
  description = "Days that the VPC's flow logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.flow_log_retention_days)
    error_message = "flow_log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the log group."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "kms_key_arn must be an ARN."
  }
}
