variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Region of the services (NET-2)."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must be a region's name, like ap-northeast-2."
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

variable "vpc_cidr" {
  description = "Range of the VPC: only from there may the endpoints be called."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 range, like 10.0.0.0/16."
  }
}

variable "subnet_ids" {
  description = "App subnets, in which the interfaces stand (NET-13)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "route_table_ids" {
  description = "Every route table, by name, for the S3 gateway (NET-12)."
  type        = map(string)

  validation {
    condition     = length(var.route_table_ids) > 0
    error_message = "route_table_ids must not be empty."
  }
}

variable "interface_services" {
  description = "AWS services reached by an interface endpoint; with the S3 gateway they are eleven (NET-13)."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "ec2", "eks", "sts", "logs", "secretsmanager", "elasticloadbalancing", "autoscaling", "sqs"]

  validation {
    condition     = length(var.interface_services) > 0
    error_message = "interface_services must not be empty."
  }
}
