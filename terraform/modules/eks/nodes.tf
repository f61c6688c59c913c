# The initial node group (EKS-4 to EKS-7): for what must run before Karpenter does.

resource "aws_launch_template" "initial" {
  name_prefix = "${var.node_group_name}-"

  # The cluster's own group lets nodes and control plane talk; ours carries the document's rules.
  vpc_security_group_ids = [
    aws_security_group.nodes.id,
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
  ]

  # Version 2 tokens and one hop: a pod cannot borrow the node's role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.disk_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = var.node_group_name }
  }
}

resource "aws_eks_node_group" "initial" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = var.node_group_name
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  ami_type        = "AL2023_x86_64_STANDARD"
  instance_types  = var.instance_types
  capacity_type   = var.capacity_type
  labels          = { role = "initial" }

  launch_template {
    id      = aws_launch_template.initial.id
    version = aws_launch_template.initial.latest_version
  }

  scaling_config {
    desired_size = var.desired_nodes
    min_size     = var.min_nodes
    max_size     = var.max_nodes
  }

  update_config {
    max_unavailable = 1
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.network]
}
