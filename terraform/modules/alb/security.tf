# CloudFront's prefix list counts as 55 rules and a group may hold 60: each port has a group of its own (SG-1).

data "aws_ec2_managed_prefix_list" "cloudfront" {
  count = var.cloudfront_only ? 1 : 0

  name = "com.amazonaws.global.cloudfront.origin-facing"
}

locals {
  ports = { https = 443, http = 80 }
}

resource "aws_security_group" "this" {
  for_each = local.ports

  name        = "${var.name}-alb-${each.key}"
  description = "ALB, port ${each.value}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-alb-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  for_each = var.cloudfront_only ? local.ports : {}

  security_group_id = aws_security_group.this[each.key].id
  description       = "SG-1 CloudFront to ALB"
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront[0].id
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "allowed" {
  for_each = var.cloudfront_only ? {} : {
    for pair in setproduct(keys(local.ports), var.allowed_cidrs) : join(" ", pair) => { port = pair[0], cidr = pair[1] }
  }

  security_group_id = aws_security_group.this[each.value.port].id
  description       = "Office and CI to ALB"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = local.ports[each.value.port]
  to_port           = local.ports[each.value.port]
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  security_group_id            = aws_security_group.this["https"].id
  description                  = "SG-2 ALB to nodes"
  referenced_security_group_id = var.nodes_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
}
