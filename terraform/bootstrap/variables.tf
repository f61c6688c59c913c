variable "region" {
  description = "Region of the state."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must be a region's name, like ap-northeast-2."
  }
}

variable "bucket_name" {
  description = "Bucket of the states, unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{2,62}$", var.bucket_name))
    error_message = "bucket_name must be a bucket's name of 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "table_name" {
  description = "Table of the locks."
  type        = string
  default     = "urr-terraform-locks"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be a table's name."
  }
}
