# Plans of the module alone: what its switches do, and what it refuses.

variables {
  kms_key_arn = "arn:aws:kms:ap-northeast-2:111122223333:key/k"
}

run "nine_repositories_of_immutable_tags" {
  command = plan

  assert {
    condition     = length(aws_ecr_repository.this) == 9
    error_message = "nine"
  }

  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE"])
    error_message = "immutable"
  }

  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 0
    error_message = "nobody else pulls"
  }
}

run "another_account_may_pull" {
  command = plan

  variables {
    pull_account_ids = ["444455556666"]
  }

  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 9
    error_message = "from every repository"
  }
}

run "refuses_a_bad_repositories" {
  command = plan

  variables {
    repositories = ["Gateway"]
  }

  expect_failures = [var.repositories]
}

run "refuses_a_bad_images_kept" {
  command = plan

  variables {
    images_kept = 1
  }

  expect_failures = [var.images_kept]
}

run "refuses_a_bad_pull_account_ids" {
  command = plan

  variables {
    pull_account_ids = ["12"]
  }

  expect_failures = [var.pull_account_ids]
}
