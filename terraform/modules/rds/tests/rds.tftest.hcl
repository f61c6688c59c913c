# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                              = "urr-test"
  vpc_id                            = "vpc-1"
  database_subnet_ids               = ["subnet-a", "subnet-c"]
  proxy_subnet_ids                  = ["subnet-b", "subnet-d"]
  client_security_group_ids         = { nodes = "sg-nodes", worker = "sg-worker" }
  replica_client_security_group_ids = { nodes = "sg-nodes" }
  database_secret_arns              = { ticket = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:t" }
  kms_key_arn                       = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "clients_reach_the_proxy_only" {
  command = plan

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.client_to_proxy) == 2
    error_message = "nodes and worker"
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.client_to_primary) == 0
    error_message = "nobody reaches the primary but the proxy"
  }
}

run "without_a_proxy_clients_reach_the_primary" {
  command = plan

  variables {
    proxy_enabled   = false
    replica_enabled = false
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.client_to_primary) == 2
    error_message = "nodes and worker"
  }

  assert {
    condition     = length(aws_db_proxy.this) == 0 && length(aws_db_instance.replica) == 0
    error_message = "neither proxy nor replica"
  }
}

run "the_replica_may_have_a_class_of_its_own" {
  command = plan

  variables {
    replica_instance_class = "db.t4g.small"
  }

  assert {
    condition     = aws_db_instance.replica[0].instance_class == "db.t4g.small"
    error_message = "its own class"
  }
}

run "refuses_a_bad_engine_version" {
  command = plan

  variables {
    engine_version = "15.1"
  }

  expect_failures = [var.engine_version]
}

run "refuses_a_bad_instance_class" {
  command = plan

  variables {
    instance_class = "big"
  }

  expect_failures = [var.instance_class]
}

run "refuses_a_bad_storage_gb" {
  command = plan

  variables {
    storage_gb = 5
  }

  expect_failures = [var.storage_gb]
}

run "refuses_a_bad_storage_max_gb" {
  command = plan

  variables {
    storage_max_gb = 10
  }

  expect_failures = [var.storage_max_gb]
}

run "refuses_a_bad_backup_retention_days" {
  command = plan

  variables {
    backup_retention_days = 0
  }

  expect_failures = [var.backup_retention_days]
}

run "refuses_a_bad_slow_query_ms" {
  command = plan

  variables {
    slow_query_ms = -1
  }

  expect_failures = [var.slow_query_ms]
}
