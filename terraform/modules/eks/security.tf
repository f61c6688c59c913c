# Security groups of the cluster (SG-2, SG-3, SG-4). What databases, cache and brokers admit stands with them.

resource "aws_security_group" "control_plane" {
  name        = "${var.name}-control-plane"
  description = "EKS control plane"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-control-plane" }
}

resource "aws_security_group" "nodes" {
  name        = "${var.name}-nodes"
  description = "EKS nodes"
  vpc_id      = var.vpc_id

  tags = {
    Name                     = "${var.name}-nodes"
    "karpenter.sh/discovery" = var.cluster_name
  }
}

# Karpenter finds a node's groups by this tag: with the cluster's own group its nodes reach the control plane,
# as the initial ones do by their launch template.
resource "aws_ec2_tag" "cluster_group_discovery" {
  resource_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  key         = "karpenter.sh/discovery"
  value       = var.cluster_name
}

resource "aws_vpc_security_group_ingress_rule" "alb_to_nodes" {
  security_group_id            = aws_security_group.nodes.id
  description                  = "SG-2 ALB to nodes"
  referenced_security_group_id = var.load_balancer_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
}

resource "aws_vpc_security_group_ingress_rule" "nodes_to_nodes" {
  security_group_id            = aws_security_group.nodes.id
  description                  = "SG-3 nodes to nodes"
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "-1"
}

locals {
  # 10250 is the kubelet; the others are webhooks that pods serve.
  control_plane_ports = setunion([443, 10250], var.webhook_ports)
}

resource "aws_vpc_security_group_ingress_rule" "control_plane_to_nodes" {
  for_each = { for port in local.control_plane_ports : tostring(port) => port }

  security_group_id            = aws_security_group.nodes.id
  description                  = "SG-4 control plane to nodes"
  referenced_security_group_id = aws_security_group.control_plane.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_egress_rule" "control_plane_to_nodes" {
  for_each = { for port in local.control_plane_ports : tostring(port) => port }

  security_group_id            = aws_security_group.control_plane.id
  description                  = "SG-4 control plane to nodes"
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

# Image pulls and outside APIs leave by NAT; who may talk to whom inside is for NetworkPolicies.
resource "aws_vpc_security_group_egress_rule" "nodes_out" {
  security_group_id = aws_security_group.nodes.id
  description       = "Nodes to anywhere, by NAT"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
