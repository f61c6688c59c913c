# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                      = "urr-test"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-a", "subnet-c"]
  client_security_group_ids = { nodes = "sg-nodes" }
  auth_secret_arn           = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:r"
  kms_key_arn               = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "nothing_is_evicted" {
  command = plan

  assert {
    condition     = one(aws_elasticache_parameter_group.this.parameter[*].value) == "noeviction"
    error_message = "noeviction"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "TLS only"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null
    error_message = "no token in the state"
  }
}

run "refuses_a_bad_engine_version" {
  command = plan

  variables {
    engine_version = "6.2"
  }

  expect_failures = [var.engine_version]
}

run "refuses_a_bad_node_type" {
  command = plan

  variables {
    node_type = "big"
  }

  expect_failures = [var.node_type]
}

run "refuses_a_bad_nodes" {
  command = plan

  variables {
    nodes = 0
  }

  expect_failures = [var.nodes]
}

run "refuses_a_bad_snapshot_retention_days" {
  command = plan

  variables {
    snapshot_retention_days = 99
  }

  expect_failures = [var.snapshot_retention_days]
}
