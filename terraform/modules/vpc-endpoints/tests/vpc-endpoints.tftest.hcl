# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name            = "urr-test"
  vpc_id          = "vpc-1"
  vpc_cidr        = "10.0.0.0/16"
  subnet_ids      = ["subnet-a", "subnet-c"]
  route_table_ids = { public = "rtb-1", db = "rtb-2" }
}

run "ten_interfaces_and_a_gateway" {
  command = plan

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 10
    error_message = "ten services by interface"
  }

  assert {
    condition     = length(aws_vpc_endpoint.s3.route_table_ids) == 2
    error_message = "the gateway is on every table"
  }
}

run "refuses_a_bad_region" {
  command = plan

  variables {
    region = "seoul"
  }

  expect_failures = [var.region]
}

run "refuses_a_bad_vpc_cidr" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0"
  }

  expect_failures = [var.vpc_cidr]
}

run "refuses_a_bad_subnet_ids" {
  command = plan

  variables {
    subnet_ids = ["subnet-a"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_bad_interface_services" {
  command = plan

  variables {
    interface_services = []
  }

  expect_failures = [var.interface_services]
}
