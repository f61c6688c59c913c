# Roles of the delivery workflows, taken by GitHub's own tokens: no key is kept anywhere. The main branch
# pushes images; an approved deployment of this environment uploads static files.

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_provider_created ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  github     = "token.actions.githubusercontent.com"
  github_arn = "arn:aws:iam::${local.account}:oidc-provider/${local.github}"

  deliveries = merge(
    var.images_pushed ? {
      images = {
        subject = "repo:${var.github_repository}:ref:refs/heads/main"
        statements = [
          {
            Sid    = "PushImages"
            Effect = "Allow"
            Action = [
              "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
              "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
            ]
            Resource = var.image_repository_arns
          },
          {
            Sid      = "SignIn"
            Effect   = "Allow"
            Action   = ["ecr:GetAuthorizationToken"]
            Resource = ["*"] # knows no resources
          },
        ]
      }
    } : {},
    var.assets_uploaded ? {
      assets = {
        subject = "repo:${var.github_repository}:environment:${var.github_environment}"
        statements = [
          {
            Sid      = "UploadStaticFiles"
            Effect   = "Allow"
            Action   = ["s3:PutObject"]
            Resource = ["${var.frontend_bucket_arn}/*"]
          },
          {
            Sid      = "ListStaticFiles"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = [var.frontend_bucket_arn]
          },
        ]
      }
    } : {},
  )
}

resource "aws_iam_role" "delivery" {
  for_each = local.deliveries

  name = "${var.name}-deliver-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.github_arn }
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = each.value.subject
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "delivery" {
  for_each = local.deliveries

  name = "what-it-needs"
  role = aws_iam_role.delivery[each.key].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = each.value.statements
  })
}
