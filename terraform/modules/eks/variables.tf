variable "name" {
  description = "Prefix of all names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.cluster_name))
    error_message = "cluster_name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

# Kubernetes 1.28 is what the document says. Its extended support at AWS ended on 26 November 2025: an operator

# raises this first, then one minor version at a time, as terraform/README.md tells.

variable "kubernetes_version" {
  description = "Kubernetes version (EKS-1)."
  type        = string
  default     = "1.28"

  validation {
    condition     = can(regex("^1\\.(2[89]|[3-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version must be 1.28 or newer, like 1.28."
  }
}

variable "log_types" {
  description = "Control-plane logs (EKS-3)."
  type        = list(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  validation {
    condition     = length(setsubtract(var.log_types, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "log_types may hold api, audit, authenticator, controllerManager, scheduler."
  }
}

variable "log_retention_days" {
  description = "Days that control-plane logs are kept (EKS-3)."
  type        = number
  default     = 7

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
  description = "App subnets: control-plane interfaces and nodes (EKS-6)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must be two, one per availability zone."
  }
}

variable "load_balancer_security_group_id" {
  description = "Security group of the ALB, which reaches the pods (SG-2)."
  type        = string

  validation {
    condition     = length(var.load_balancer_security_group_id) > 0
    error_message = "load_balancer_security_group_id must not be empty."
  }
}

variable "webhook_ports" {
  description = "Ports of admission webhooks that the control plane calls besides 443 and 10250 (SG-4)."
  type        = set(number)
  default     = [8443, 9443]

  validation {
    condition     = alltrue([for p in var.webhook_ports : p >= 1 && p <= 65535])
    error_message = "webhook_ports must be ports."
  }
}

variable "node_group_name" {
  description = "Name of the initial node group (EKS-4)."
  type        = string
  default     = "urr-spring-ng-initial"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.node_group_name))
    error_message = "node_group_name must be 2 to 41 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "instance_types" {
  description = "Instance types of the initial nodes (EKS-5)."
  type        = list(string)
  default     = ["t3.medium"]

  validation {
    condition     = length(var.instance_types) > 0
    error_message = "instance_types must not be empty."
  }
}

variable "desired_nodes" {
  description = "Nodes at the start; later changes are left to whoever scales (EKS-5)."
  type        = number
  default     = 3

  validation {
    condition     = var.desired_nodes >= 1 && var.desired_nodes <= 50
    error_message = "desired_nodes must be from 1 to 50."
  }
}

variable "min_nodes" {
  description = "Fewest initial nodes (EKS-5)."
  type        = number
  default     = 2

  validation {
    condition     = var.min_nodes >= 1 && var.min_nodes <= 50
    error_message = "min_nodes must be from 1 to 50."
  }
}

variable "max_nodes" {
  description = "Most initial nodes (EKS-5)."
  type        = number
  default     = 5

  validation {
    condition     = var.max_nodes >= var.min_nodes && var.max_nodes <= 50
    error_message = "max_nodes must be at least min_nodes and at most 50."
  }
}

variable "capacity_type" {
  description = "How the initial nodes are bought (EKS-6)."
  type        = string
  default     = "ON_DEMAND"

  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.capacity_type)
    error_message = "capacity_type must be one of ON_DEMAND, SPOT."
  }
}

variable "disk_gb" {
  description = "Disk of an initial node, gp3 (EKS-6)."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_gb >= 20 && var.disk_gb <= 1000
    error_message = "disk_gb must be from 20 to 1000."
  }
}

variable "administrators" {
  description = "Cluster administrators: name and ARN of role or user; each gets an access entry."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.administrators) : can(regex("^arn:aws:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "administrators must be ARNs of IAM roles or users."
  }
}

variable "key_deletion_days" {
  description = "Days in which the deletion of a key can be undone."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "key_deletion_days must be from 7 to 30."
  }
}
