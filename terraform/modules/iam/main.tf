# Roles of service accounts: one per service that calls AWS, and two controllers. Each is bound to its
# own service account; none may be taken by a node.

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id

  accounts = {
    queue     = { namespace = var.namespace, name = "queue-service" }
    ticket    = { namespace = var.namespace, name = "ticket-service" }
    payment   = { namespace = var.namespace, name = "payment-service" }
    stats     = { namespace = var.namespace, name = "stats-service" }
    community = { namespace = var.namespace, name = "community-service" }
    migration = { namespace = var.namespace, name = "migration" }

    load-balancer-controller = { namespace = "kube-system", name = "aws-load-balancer-controller" }
    external-secrets         = { namespace = "external-secrets", name = "external-secrets" }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.accounts

  name = "${var.name}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.oidc_provider_arn }
      Condition = {
        StringEquals = {
          "${var.oidc_issuer}:sub" = "system:serviceaccount:${each.value.namespace}:${each.value.name}"
          "${var.oidc_issuer}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.accounts

  name = "what-it-needs"
  role = aws_iam_role.this[each.key].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements[each.key]
  })
}
