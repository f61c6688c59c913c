# Roles of cluster, nodes and add-ons (IAM-1 to IAM-4). Managed policies where the document names them.

locals {
  managed = "arn:aws:iam::aws:policy"
  issuer  = replace(aws_iam_openid_connect_provider.cluster.url, "https://", "")

  # Service accounts of kube-system that take a role of their own.
  service_accounts = {
    vpc-cni   = "aws-node"
    ebs-csi   = "ebs-csi-controller-sa"
    karpenter = "karpenter"
  }
}

resource "aws_iam_role" "cluster" {
  name = "${var.name}-eks-cluster"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])

  role       = aws_iam_role.cluster.name
  policy_arn = "${local.managed}/${each.value}"
}

# Karpenter's nodes carry this role too (EC2NodeClass by role).
resource "aws_iam_role" "node" {
  name = "${var.name}-eks-node"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset([
    "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly", "AmazonSSMManagedInstanceCore",
  ])

  role       = aws_iam_role.node.name
  policy_arn = "${local.managed}/${each.value}"
}

resource "aws_iam_role" "irsa" {
  for_each = local.service_accounts

  name = "${var.name}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.cluster.arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:sub" = "system:serviceaccount:kube-system:${each.value}"
          "${local.issuer}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "network" {
  role       = aws_iam_role.irsa["vpc-cni"].name
  policy_arn = "${local.managed}/AmazonEKS_CNI_Policy"
}

resource "aws_iam_role_policy_attachment" "volumes" {
  role       = aws_iam_role.irsa["ebs-csi"].name
  policy_arn = "${local.managed}/service-role/AmazonEBSCSIDriverPolicy"
}
