# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name         = "urr-test"
  cluster_name = "urr-test"
  kms_key_arn  = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "two_zones_have_ten_subnets" {
  command = plan

  assert {
    condition     = length(aws_subnet.this) == 10
    error_message = "five kinds in two zones"
  }

  assert {
    condition     = aws_subnet.this["database-c"].cidr_block == "10.0.21.0/24"
    error_message = "the second zone takes the next octet"
  }

  assert {
    condition     = length(aws_default_security_group.emptied.ingress) == 0
    error_message = "the default group admits nothing"
  }
}

run "another_range_moves_every_subnet" {
  command = plan

  variables {
    cidr = "10.7.0.0/16"
  }

  assert {
    condition     = aws_subnet.this["app-a"].cidr_block == "10.7.10.0/24"
    error_message = "subnets follow the range"
  }
}

run "refuses_a_bad_name" {
  command = plan

  variables {
    name = "Urr Prod"
  }

  expect_failures = [var.name]
}

run "refuses_a_bad_cidr" {
  command = plan

  variables {
    cidr = "10.0.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "refuses_a_bad_availability_zones" {
  command = plan

  variables {
    availability_zones = { a = "ap-northeast-2a" }
  }

  expect_failures = [var.availability_zones]
}

run "refuses_a_bad_subnet_numbers" {
  command = plan

  variables {
    subnet_numbers = { public = 0, app = 10, database = 20, cache = 31, streaming = 40 }
  }

  expect_failures = [var.subnet_numbers]
}

run "refuses_a_bad_flow_log_retention_days" {
  command = plan

  variables {
    flow_log_retention_days = 8
  }

  expect_failures = [var.flow_log_retention_days]
}

run "refuses_a_bad_kms_key_arn" {
  command = plan

  variables {
    kms_key_arn = "key"
  }

  expect_failures = [var.kms_key_arn]
}
