# What Karpenter needs of AWS (EKS-8, IAM-5): a policy that reaches only what carries the cluster's tags,
# and a queue that tells of instances about to go.

locals {
  region     = data.aws_region.current.region
  ec2        = "arn:aws:ec2:${local.region}"
  owned      = { "aws:ResourceTag/kubernetes.io/cluster/${var.cluster_name}" = "owned" }
  owned_new  = { "aws:RequestTag/kubernetes.io/cluster/${var.cluster_name}" = "owned", "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name }
  node_pool  = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
  from_pool  = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" }
  new_kinds  = ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"]
  used_kinds = ["security-group", "subnet", "capacity-reservation"]
}

resource "aws_iam_role_policy" "karpenter" {
  name = "provision-nodes"
  role = aws_iam_role.irsa["karpenter"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "UseImagesAndNetwork"
        Effect = "Allow"
        Action = ["ec2:RunInstances", "ec2:CreateFleet"]
        Resource = concat(
          ["${local.ec2}::image/*", "${local.ec2}::snapshot/*"],
          [for kind in local.used_kinds : "${local.ec2}:${local.account}:${kind}/*"],
        )
      },
      {
        Sid       = "UseOwnLaunchTemplates"
        Effect    = "Allow"
        Action    = ["ec2:RunInstances", "ec2:CreateFleet"]
        Resource  = ["${local.ec2}:${local.account}:launch-template/*"]
        Condition = { StringEquals = local.owned, StringLike = local.from_pool }
      },
      {
        Sid       = "CreateTagged"
        Effect    = "Allow"
        Action    = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
        Resource  = [for kind in local.new_kinds : "${local.ec2}:${local.account}:${kind}/*"]
        Condition = { StringEquals = local.owned_new, StringLike = local.node_pool }
      },
      {
        Sid      = "TagWhileCreating"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = [for kind in local.new_kinds : "${local.ec2}:${local.account}:${kind}/*"]
        Condition = {
          StringEquals = merge(local.owned_new, { "ec2:CreateAction" = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"] })
          StringLike   = local.node_pool
        }
      },
      {
        Sid      = "NameOwnInstances"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = ["${local.ec2}:${local.account}:instance/*"]
        Condition = {
          StringEquals                = local.owned
          StringLike                  = local.from_pool
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"] }
          StringEqualsIfExists        = { "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name }
        }
      },
      {
        Sid       = "EndOwn"
        Effect    = "Allow"
        Action    = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
        Resource  = ["${local.ec2}:${local.account}:instance/*", "${local.ec2}:${local.account}:launch-template/*"]
        Condition = { StringEquals = local.owned, StringLike = local.from_pool }
      },
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceTypeOfferings",
          "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets", "pricing:GetProducts",
        ]
        Resource = "*"
      },
      {
        Sid      = "LatestImage"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["arn:aws:ssm:${local.region}::parameter/aws/service/*"]
      },
      {
        Sid      = "Interruptions"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
        Resource = [aws_sqs_queue.interruptions.arn]
      },
      {
        Sid       = "GiveNodesTheirRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.node.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid      = "CreateInstanceProfiles"
        Effect   = "Allow"
        Action   = ["iam:CreateInstanceProfile", "iam:TagInstanceProfile"]
        Resource = ["arn:aws:iam::${local.account}:instance-profile/*"]
        Condition = {
          StringEquals = merge(local.owned_new, { "aws:RequestTag/topology.kubernetes.io/region" = local.region })
        }
      },
      {
        Sid      = "ChangeOwnInstanceProfiles"
        Effect   = "Allow"
        Action   = ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"]
        Resource = ["arn:aws:iam::${local.account}:instance-profile/*"]
        Condition = {
          StringEquals = merge(local.owned, { "aws:ResourceTag/topology.kubernetes.io/region" = local.region })
        }
      },
      {
        Sid      = "LookAtInstanceProfiles"
        Effect   = "Allow"
        Action   = ["iam:GetInstanceProfile", "iam:ListInstanceProfiles"]
        Resource = ["arn:aws:iam::${local.account}:instance-profile/*"]
      },
      {
        Sid      = "FindTheCluster"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = [aws_eks_cluster.this.arn]
      },
    ]
  })
}

resource "aws_sqs_queue" "interruptions" {
  name                      = "${var.cluster_name}-karpenter"
  message_retention_seconds = 300
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "interruptions" {
  queue_url = aws_sqs_queue.interruptions.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "EventsTell"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.interruptions.arn
        Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.interruption : rule.arn] } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.interruptions.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

locals {
  interruptions = {
    health       = { source = "aws.health", type = "AWS Health Event" }
    spot         = { source = "aws.ec2", type = "EC2 Spot Instance Interruption Warning" }
    rebalance    = { source = "aws.ec2", type = "EC2 Instance Rebalance Recommendation" }
    state-change = { source = "aws.ec2", type = "EC2 Instance State-change Notification" }
  }
}

resource "aws_cloudwatch_event_rule" "interruption" {
  for_each = local.interruptions

  name          = "${var.cluster_name}-karpenter-${each.key}"
  description   = "Tells Karpenter: ${each.value.type}"
  event_pattern = jsonencode({ source = [each.value.source], "detail-type" = [each.value.type] })
}

resource "aws_cloudwatch_event_target" "interruption" {
  for_each = aws_cloudwatch_event_rule.interruption

  rule = each.value.name
  arn  = aws_sqs_queue.interruptions.arn
}
