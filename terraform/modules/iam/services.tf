# What each account may do. Topics by KAF-3 to KAF-6 and the two that carry queue's and community's events.

locals {
  topics = {
    ticket    = { writes = ["payment-events", "transfer-events", "membership-events"], reads = ["reservation-events", "community-events"] }
    payment   = { writes = ["reservation-events"], reads = ["payment-events"] }
    queue     = { writes = ["queue-events"], reads = ["payment-events", "queue-events"] }
    community = { writes = ["community-events"], reads = [] }
    stats = {
      writes = []
      reads = [
        "transfer-events", "membership-events", "payment-events", "reservation-events", "queue-events", "community-events",
      ]
    }
  }

  topic_arn = replace(var.kafka_cluster_arn, ":cluster/", ":topic/")
  group_arn = replace(var.kafka_cluster_arn, ":cluster/", ":group/")

  kafka = {
    for service, topics in local.topics : service => concat(
      [{
        Sid      = "Connect"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"]
        Resource = [var.kafka_cluster_arn]
      }],
      length(topics.writes) == 0 ? [] : [{
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:WriteData"]
        Resource = [for topic in topics.writes : "${local.topic_arn}/${topic}"]
      }],
      length(topics.reads) == 0 ? [] : [
        {
          Sid      = "Consume"
          Effect   = "Allow"
          Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:ReadData"]
          Resource = [for topic in topics.reads : "${local.topic_arn}/${topic}"]
        },
        {
          Sid    = "OwnGroup"
          Effect = "Allow"
          Action = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
          # queue reads its own topic from the beginning in a group of each generation of its store.
          Resource = ["${local.group_arn}/${service}", "${local.group_arn}/${service}-*"]
        },
      ],
    )
  }

  sends_to_queue = [{
    Sid      = "Send"
    Effect   = "Allow"
    Action   = ["sqs:SendMessage"]
    Resource = [var.queue_arn]
  }]

  decrypts_secrets = [{
    Sid       = "Decrypt"
    Effect    = "Allow"
    Action    = ["kms:Decrypt"]
    Resource  = [var.kms_key_arn]
    Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
  }]

  statements = {
    queue     = concat(local.kafka.queue, local.sends_to_queue)
    payment   = local.kafka.payment
    stats     = local.kafka.stats
    community = local.kafka.community

    ticket = concat(local.kafka.ticket, local.sends_to_queue, [{
      Sid      = "Posters"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      Resource = ["${var.posters_bucket_arn}/*"]
    }])

    # Makes databases, users and topics; runs before the services of a release.
    migration = concat([
      {
        Sid      = "Connect"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
        Resource = [var.kafka_cluster_arn]
      },
      {
        Sid      = "MakeTopics"
        Effect   = "Allow"
        Action   = ["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:AlterTopic"]
        Resource = ["${local.topic_arn}/*"]
      },
      {
        Sid    = "DatabaseSecrets"
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue"]
        Resource = [
          var.master_secret_arn,
          "arn:aws:secretsmanager:${var.region}:${local.account}:secret:${var.secret_name_prefix}database/*",
        ]
      },
    ], local.decrypts_secrets)

    # The load balancer itself is Terraform's: the controller only fills its target groups.
    load-balancer-controller = [
      {
        Sid      = "FillTargetGroups"
        Effect   = "Allow"
        Action   = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
        Resource = values(var.target_group_arns)
      },
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets", "ec2:DescribeVpcs", "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
        ]
        Resource = ["*"] # reads that know no resources
      },
    ]

    external-secrets = concat([{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
      Resource = ["arn:aws:secretsmanager:${var.region}:${local.account}:secret:${var.secret_name_prefix}*"]
    }], local.decrypts_secrets)
  }
}
