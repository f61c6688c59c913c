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

variable "database_storage_gb" {
  description = "Storage (RDS-2)."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gb >= 20 && var.database_storage_gb <= 65536
    error_message = "database_storage_gb must be from 20 to 65536."
  }
}

variable "database_storage_max_gb" {
  description = "To how much the storage may grow (RDS-2)."
  type        = number
  default     = 0

  validation {
    condition     = var.database_storage_max_gb == 0 || var.database_storage_max_gb > var.database_storage_gb
    error_message = "database_storage_max_gb must be 0 (does not grow) or more than database_storage_gb."
  }
}

variable "database_multi_az" {
  description = "Whether a standby waits in the other zone (RDS-3)."
  type        = bool
  default     = false
}

variable "database_replica_enabled" {
  description = "Whether there is a read replica (RDS-3)."
  type        = bool
  default     = false
}

variable "database_proxy_enabled" {
  description = "Whether RDS Proxy stands before the primary (ENV-3)."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether database, tables and load balancer refuse to be deleted (RDS-3, ALB-1)."
  type        = bool
  default     = false
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
  default     = "cache.t4g.small"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.redis_node_type))
    error_message = "redis_node_type must be a cache node, like cache.r6g.large."
  }
}

variable "redis_nodes" {
  description = "Nodes (RED-2)."
  type        = number
  default     = 1

  validation {
    condition     = var.redis_nodes >= 1 && var.redis_nodes <= 6
    error_message = "redis_nodes must be from 1 to 6."
  }
}

variable "redis_failover" {
  description = "Whether a replica in the other zone takes over (RED-2)."
  type        = bool
  default     = false

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
  default     = 20

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

# The door

variable "allowed_cidrs" {
  description = "Who may reach the load balancer, since there is no CDN: office, CI. Empty: nobody."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.allowed_cidrs : can(cidrnetmask(c))])
    error_message = "allowed_cidrs must be IPv4 ranges."
  }
}

# Waiting room and worker

variable "enable_vwr" {
  description = "Whether tier 1 runs as functions on DynamoDB (ENV-11)."
  type        = bool
  default     = false
}

variable "vwr_rate_limit" {
  description = "Requests a second to the waiting room's API (APG-1)."
  type        = number
  default     = 1000

  validation {
    condition     = var.vwr_rate_limit >= 1 && var.vwr_rate_limit <= 10000
    error_message = "vwr_rate_limit must be from 1 to 10000."
  }
}

variable "vwr_burst_limit" {
  description = "Requests at once to that API (APG-1)."
  type        = number
  default     = 2000

  validation {
    condition     = var.vwr_burst_limit >= var.vwr_rate_limit && var.vwr_burst_limit <= 20000
    error_message = "vwr_burst_limit must be from vwr_rate_limit to 20000."
  }
}

variable "vwr_direct_access_allowed" {
  description = "Whether that API may be called past the CDN, and so past WAF."
  type        = bool
  default     = false
}

variable "vwr_api_concurrency" {
  description = "Reserved concurrency of the VWR API (FN-1)."
  type        = number
  default     = 100

  validation {
    condition     = var.vwr_api_concurrency >= 1 && var.vwr_api_concurrency <= 1000
    error_message = "vwr_api_concurrency must be from 1 to 1000."
  }
}

variable "vwr_people_per_minute" {
  description = "People that the advancer admits in a minute (FN-2)."
  type        = number
  default     = 500

  validation {
    condition     = var.vwr_people_per_minute >= 1 && var.vwr_people_per_minute <= 100000
    error_message = "vwr_people_per_minute must be from 1 to 100000."
  }
}

variable "worker_concurrency" {
  description = "How many ticket workers run at once (FN-4)."
  type        = number
  default     = 5

  validation {
    condition     = var.worker_concurrency >= 2 && var.worker_concurrency <= 1000
    error_message = "worker_concurrency must be from 2 to 1000."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray traces the functions (ENV-10)."
  type        = bool
  default     = false
}

variable "vwr_api_package" {
  description = "Package of the VWR API (FN-1)."
  type        = string
  default     = "../../../build/functions/vwr-api.zip"

  validation {
    condition     = endswith(var.vwr_api_package, ".zip")
    error_message = "vwr_api_package must be the path of a .zip."
  }
}

variable "vwr_advancer_package" {
  description = "Package of the counter advancer (FN-2)."
  type        = string
  default     = "../../../build/functions/vwr-advancer.zip"

  validation {
    condition     = endswith(var.vwr_advancer_package, ".zip")
    error_message = "vwr_advancer_package must be the path of a .zip."
  }
}

variable "worker_package" {
  description = "Package of the ticket worker (FN-4)."
  type        = string
  default     = "../../../build/functions/ticket-worker.zip"

  validation {
    condition     = endswith(var.worker_package, ".zip")
    error_message = "worker_package must be the path of a .zip."
  }
}

variable "authorizer_package" {
  description = "Package of the API's authorizer, made by edge/package."
  type        = string
  default     = "../../../build/edge/authorizer.zip"

  validation {
    condition     = endswith(var.authorizer_package, ".zip")
    error_message = "authorizer_package must be the path of a .zip."
  }
}

# Files, images, logs, alarms

variable "access_logs_enabled" {
  description = "Whether there is a bucket of access logs (S3-2). The CDN of prod needs it."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days that logs are kept, but for the control plane's 7."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365."
  }
}

variable "alarm_emails" {
  description = "E-mail addresses by severity (ALM-8)."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = alltrue([for severity, addresses in var.alarm_emails : contains(["critical", "high", "warning"], severity) && alltrue([for a in addresses : can(regex("^[^@ ]+@[^@ ]+$", a))])])
    error_message = "alarm_emails must map critical, high or warning to e-mail addresses."
  }
}

variable "slack_enabled" {
  description = "Whether alarms go to Slack too (ALM-8)."
  type        = bool
  default     = false
}

variable "slack_team_id" {
  description = "Slack workspace."
  type        = string
  default     = null

  validation {
    condition     = !var.slack_enabled || can(regex("^T[A-Z0-9]+$", var.slack_team_id))
    error_message = "slack_team_id must be a Slack workspace's id, like T0123ABCD, where slack_enabled."
  }
}

variable "slack_channel_id" {
  description = "Slack channel."
  type        = string
  default     = null

  validation {
    condition     = !var.slack_enabled || can(regex("^C[A-Z0-9]+$", var.slack_channel_id))
    error_message = "slack_channel_id must be a Slack channel's id, like C0123ABCD, where slack_enabled."
  }
}
