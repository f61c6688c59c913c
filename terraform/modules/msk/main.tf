# Kafka (KAF-1 to KAF-8). Applications use 9098 with IAM tokens. With two brokers and two in-sync replicas,
# one broker away stops acknowledged writes: services publish by outbox, and go on by themselves.

resource "aws_msk_configuration" "this" {
  name           = var.name
  kafka_versions = [var.kafka_version]

  server_properties = <<-PROPERTIES
    num.partitions=${var.partitions}
    default.replication.factor=${var.replication_factor}
    min.insync.replicas=${var.min_in_sync_replicas}
    log.retention.hours=${var.retention_hours}
    auto.create.topics.enable=false
    unclean.leader.election.enable=false
  PROPERTIES
}

resource "aws_cloudwatch_log_group" "brokers" {
  name              = "/aws/msk/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_msk_cluster" "this" {
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = var.brokers
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.this.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.disk_gb
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam = true
    }

    dynamic "tls" {
      for_each = length(var.mutual_tls_authority_arns) > 0 ? [var.mutual_tls_authority_arns] : []

      content {
        certificate_authority_arns = tls.value
      }
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.brokers.name
      }
    }
  }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-msk"
  description = "MSK brokers"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-msk" }
}

# 9094 (mutual TLS) is open as the document says, and answers only where certificate authorities are set.
resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each = { tls = 9094, iam = 9098 }

  security_group_id            = aws_security_group.this.id
  description                  = "SG-7 nodes to MSK, ${each.key}"
  referenced_security_group_id = var.nodes_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "zookeeper" {
  security_group_id            = aws_security_group.this.id
  description                  = "SG-9 brokers to brokers, ZooKeeper"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 2181
  to_port                      = 2181
}

resource "aws_vpc_security_group_egress_rule" "zookeeper" {
  security_group_id            = aws_security_group.this.id
  description                  = "SG-9 brokers to brokers, ZooKeeper"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 2181
  to_port                      = 2181
}

resource "aws_cloudwatch_metric_alarm" "controller" {
  alarm_name          = "${var.name}-kafka-no-controller"
  alarm_description   = "ALM-1 CRITICAL: Kafka has no active controller"
  namespace           = "AWS/Kafka"
  metric_name         = "ActiveControllerCount"
  dimensions          = { "Cluster Name" = aws_msk_cluster.this.cluster_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic_arns["critical"]]
  ok_actions          = [var.alarm_topic_arns["critical"]]
}

resource "aws_cloudwatch_metric_alarm" "offline_partitions" {
  alarm_name          = "${var.name}-kafka-offline-partitions"
  alarm_description   = "ALM-2 CRITICAL: partitions of Kafka have no leader"
  namespace           = "AWS/Kafka"
  metric_name         = "OfflinePartitionsCount"
  dimensions          = { "Cluster Name" = aws_msk_cluster.this.cluster_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arns["critical"]]
  ok_actions          = [var.alarm_topic_arns["critical"]]
}
