# Network (NET-1 to NET-11): five kinds of subnets in two zones. Public ones reach the internet gateway,
# app and streaming ones leave by the NAT gateway of their own zone, database and cache ones not at all.

locals {
  zones = keys(var.availability_zones)

  subnets = merge([
    for kind, number in var.subnet_numbers : {
      for index, zone in local.zones : "${kind}-${zone}" => {
        kind = kind
        zone = zone
        cidr = cidrsubnet(var.cidr, 8, number + index)
      }
    }
  ]...)

  # What a subnet's kind means to those who look it up by tag.
  kind_tags = {
    public = { "kubernetes.io/role/elb" = "1" }
    app = {
      "kubernetes.io/role/internal-elb" = "1"
      "karpenter.sh/discovery"          = var.cluster_name
    }
    streaming = {}
    database  = {}
    cache     = {}
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Whoever forgets to name a security group gets one that admits and sends nothing.
resource "aws_default_security_group" "emptied" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-emptied" }
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value.cidr
  availability_zone       = var.availability_zones[each.value.zone]
  map_public_ip_on_launch = false

  tags = merge({ Name = "${var.name}-${each.key}" }, local.kind_tags[each.value.kind])
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_eip" "nat" {
  for_each = var.availability_zones

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = var.availability_zones

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.this["public-${each.key}"].id

  tags = { Name = "${var.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}
