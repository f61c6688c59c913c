# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                            = "urr-test"
  cluster_name                    = "urr-test"
  vpc_id                          = "vpc-1"
  subnet_ids                      = ["subnet-a", "subnet-c"]
  load_balancer_security_group_id = "sg-alb"
}

run "the_endpoint_is_private" {
  command = plan

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "no public endpoint"
  }

  assert {
    condition     = aws_cloudwatch_log_group.control_plane.retention_in_days == 7
    error_message = "logs are kept 7 days"
  }
}

run "an_administrator_gets_an_access_entry" {
  command = plan

  variables {
    administrators = { ann = "arn:aws:iam::111122223333:role/ann" }
  }

  assert {
    condition     = length(aws_eks_access_policy_association.administrator) == 1
    error_message = "one association"
  }
}

run "refuses_a_bad_kubernetes_version" {
  command = plan

  variables {
    kubernetes_version = "1.27"
  }

  expect_failures = [var.kubernetes_version]
}

run "refuses_a_bad_log_types" {
  command = plan

  variables {
    log_types = ["everything"]
  }

  expect_failures = [var.log_types]
}

run "refuses_a_bad_max_nodes" {
  command = plan

  variables {
    max_nodes = 1
  }

  expect_failures = [var.max_nodes]
}

run "refuses_a_bad_capacity_type" {
  command = plan

  variables {
    capacity_type = "CHEAP"
  }

  expect_failures = [var.capacity_type]
}

run "refuses_a_bad_disk_gb" {
  command = plan

  variables {
    disk_gb = 5
  }

  expect_failures = [var.disk_gb]
}

run "refuses_a_bad_administrators" {
  command = plan

  variables {
    administrators = { ann = "ann" }
  }

  expect_failures = [var.administrators]
}

run "refuses_a_bad_webhook_ports" {
  command = plan

  variables {
    webhook_ports = [0]
  }

  expect_failures = [var.webhook_ports]
}
