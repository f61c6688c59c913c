# Names

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "urr-staging"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "urr-staging"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.cluster_name))
    error_message = "cluster_name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the services (ENV-1)."
  type        = string
  default     = "urr-staging"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.namespace))
    error_message = "namespace must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
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

variable "domain_name" {
  description = "Domain of the site."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a domain name, like urr.example."
  }
}

variable "github_repository" {
  description = "Repository whose workflows deliver."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github_repository))
    error_message = "github_repository must be owner/name."
  }
}

variable "github_provider_created" {
  description = "Whether GitHub's OpenID Connect provider is made here: once per account."
  type        = bool
  default     = false
}

# Network

variable "vpc_cidr" {
  description = "Range of the VPC (NET-1)."
  type        = string
  default     = "10.1.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr must be an IPv4 /16, like 10.0.0.0/16."
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
  description = "Third octet of each kind's first subnet (NET-5 to NET-9)."
  type        = map(number)
  default     = { public = 0, app = 10, database = 20, cache = 30, streaming = 40 }

  validation {
    condition     = toset(keys(var.subnet_numbers)) == toset(["public", "app", "database", "cache", "streaming"]) && alltrue([for n in values(var.subnet_numbers) : n >= 0 && n <= 254 && n % 2 == 0])
    error_message = "subnet_numbers must give each of public, app, database, cache, streaming an even third octet from 0 to 254."
  }
}

# Cluster

variable "kubernetes_version" {
  description = "Kubernetes version (EKS-1)."
  type        = string
  default     = "1.28"

  validation {
    condition     = can(regex("^1\\.(2[89]|[3-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version must be 1.28 or newer, like 1.28."
  }
}

variable "administrators" {
  description = "Cluster administrators: name and ARN. With none nobody can administer the cluster."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.administrators) : can(regex("^arn:aws:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "administrators must be ARNs of IAM roles or users."
  }
}

variable "node_group_name" {
  description = "Name of the initial node group (EKS-4)."
  type        = string
  default     = "urr-staging-ng-initial"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.node_group_name))
    error_message = "node_group_name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "node_instance_types" {
  description = "Instance types of the initial nodes (EKS-5)."
  type        = list(string)
  default     = ["t3.small"]

  validation {
    condition     = length(var.node_instance_types) > 0 && alltrue([for t in var.node_instance_types : can(regex("^[a-z0-9]+\\.[a-z0-9]+$", t))])
    error_message = "node_instance_types must be instance types, like t3.medium."
  }
}

variable "nodes_desired" {
  description = "Initial nodes at the start (EKS-5)."
  type        = number
  default     = 2

  validation {
    condition     = var.nodes_desired >= var.nodes_min && var.nodes_desired <= var.nodes_max
    error_message = "nodes_desired must be from nodes_min to nodes_max."
  }
}

variable "nodes_min" {
  description = "Fewest initial nodes (EKS-5)."
  type        = number
  default     = 1

  validation {
    condition     = var.nodes_min >= 1 && var.nodes_min <= 50
    error_message = "nodes_min must be from 1 to 50."
  }
}

variable "nodes_max" {
  description = "Most initial nodes (EKS-5)."
  type        = number
  default     = 3

  validation {
    condition     = var.nodes_max >= 1 && var.nodes_max <= 50
    error_message = "nodes_max must be from 1 to 50."
  }
}

variable "node_capacity_type" {
  description = "How the initial nodes are bought (EKS-6)."
  type        = string
  default     = "SPOT"

  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.node_capacity_type)
    error_message = "node_capacity_type must be one of ON_DEMAND, SPOT."
  }
}

variable "node_disk_gb" {
  description = "Disk of an initial node (EKS-6)."
  type        = number
  default     = 20

  validation {
    condition     = var.node_disk_gb >= 20 && var.node_disk_gb <= 1000
    error_message = "node_disk_gb must be from 20 to 1000."
  }
}
