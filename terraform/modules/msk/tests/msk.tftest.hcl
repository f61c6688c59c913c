# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                    = "urr-test"
  vpc_id                  = "vpc-1"
  subnet_ids              = ["subnet-a", "subnet-c"]
  nodes_security_group_id = "sg-nodes"
  alarm_topic_arns        = { critical = "arn:aws:sns:ap-northeast-2:111122223333:c", high = "arn:aws:sns:ap-northeast-2:111122223333:h", warning = "arn:aws:sns:ap-northeast-2:111122223333:w" }
  kms_key_arn             = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "nothing_is_plain_text" {
  command = plan

  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS"
    error_message = "TLS only"
  }

  assert {
    condition     = length(aws_msk_cluster.this.client_authentication[0].tls) == 0
    error_message = "mutual TLS is off"
  }
}

run "certificate_authorities_switch_mutual_tls_on" {
  command = plan

  variables {
    mutual_tls_authority_arns = ["arn:aws:acm-pca:ap-northeast-2:111122223333:certificate-authority/a"]
  }

  assert {
    condition     = length(aws_msk_cluster.this.client_authentication[0].tls) == 1
    error_message = "9094 is served"
  }
}

run "refuses_a_bad_kafka_version" {
  command = plan

  variables {
    kafka_version = "two"
  }

  expect_failures = [var.kafka_version]
}

run "refuses_a_bad_brokers" {
  command = plan

  variables {
    brokers = 3
  }

  expect_failures = [var.brokers]
}

run "refuses_a_bad_replication_factor" {
  command = plan

  variables {
    replication_factor = 4
  }

  expect_failures = [var.replication_factor]
}

run "refuses_a_bad_min_in_sync_replicas" {
  command = plan

  variables {
    min_in_sync_replicas = 3
  }

  expect_failures = [var.min_in_sync_replicas]
}

run "refuses_a_bad_mutual_tls_authority_arns" {
  command = plan

  variables {
    mutual_tls_authority_arns = ["authority"]
  }

  expect_failures = [var.mutual_tls_authority_arns]
}
