# Plans of the module alone: what its switches do, and what it refuses.

variables {
  name                  = "urr-test"
  oidc_provider_arn     = "arn:aws:iam::111122223333:oidc-provider/o"
  oidc_issuer           = "oidc.eks.ap-northeast-2.amazonaws.com/id/O"
  queue_arn             = "arn:aws:sqs:ap-northeast-2:111122223333:q.fifo"
  kafka_cluster_arn     = "arn:aws:kafka:ap-northeast-2:111122223333:cluster/urr/1"
  posters_bucket_arn    = "arn:aws:s3:::posters"
  target_group_arns     = { gateway = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:targetgroup/g/1" }
  secret_name_prefix    = "urr-test/"
  master_secret_arn     = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:m"
  kms_key_arn           = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
  github_repository     = "owner/urr"
  github_environment    = "prod"
  image_repository_arns = ["arn:aws:ecr:ap-northeast-2:111122223333:repository/urr/frontend"]
  frontend_bucket_arn   = "arn:aws:s3:::frontend"
}

run "queue_may_send_to_one_queue" {
  command = plan

  assert {
    condition     = length([for s in jsondecode(aws_iam_role_policy.this["queue"].policy).Statement : s if s.Action == ["sqs:SendMessage"] && s.Resource == [var.queue_arn]]) == 1
    error_message = "one ARN"
  }

  assert {
    condition     = length(aws_iam_role.delivery) == 2
    error_message = "two delivery roles"
  }
}

run "deliveries_can_be_left_out" {
  command = plan

  variables {
    images_pushed           = false
    assets_uploaded         = false
    github_provider_created = false
  }

  assert {
    condition     = length(aws_iam_role.delivery) == 0
    error_message = "none"
  }
}

run "refuses_a_bad_region" {
  command = plan

  variables {
    region = "seoul"
  }

  expect_failures = [var.region]
}

run "refuses_a_bad_secret_name_prefix" {
  command = plan

  variables {
    secret_name_prefix = "urr"
  }

  expect_failures = [var.secret_name_prefix]
}

run "refuses_a_bad_github_repository" {
  command = plan

  variables {
    github_repository = "urr"
  }

  expect_failures = [var.github_repository]
}

run "refuses_a_bad_queue_arn" {
  command = plan

  variables {
    queue_arn = "queue"
  }

  expect_failures = [var.queue_arn]
}
