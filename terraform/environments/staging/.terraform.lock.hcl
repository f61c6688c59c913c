# Pins the provider's version. scripts/infrastructure/lock adds the checksums of every platform from the
# registry; a tree without them takes those of the first `terraform init`.
provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.25.0"
  constraints = "~> 6.25"
}
