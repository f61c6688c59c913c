# Names and certificates: the site leads to the CDN (or, without one, to the ALB); origin.DOMAIN leads to
# the ALB, so that the CDN can check its certificate. The CDN's certificate lives in us-east-1.

locals {
  origin_name = "origin.${var.domain_name}"

  site = {
    name    = var.cdn_enabled ? var.cdn_domain_name : var.alb_dns_name
    zone_id = var.cdn_enabled ? var.cdn_zone_id : var.alb_zone_id
  }

  regional_names = [var.domain_name, local.origin_name]
}

resource "aws_route53_zone" "this" {
  name    = var.domain_name
  comment = "URR"
}

resource "aws_route53_record" "site" {
  for_each = toset(var.cdn_enabled ? ["A", "AAAA"] : ["A"])

  zone_id = aws_route53_zone.this.zone_id
  name    = var.domain_name
  type    = each.value

  alias {
    name                   = local.site.name
    zone_id                = local.site.zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "origin" {
  zone_id = aws_route53_zone.this.zone_id
  name    = local.origin_name
  type    = "A"

  alias {
    name                   = var.alb_dns_name
    zone_id                = var.alb_zone_id
    evaluate_target_health = true
  }
}

resource "aws_acm_certificate" "regional" {
  domain_name               = var.domain_name
  subject_alternative_names = [local.origin_name]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# The record that proves a name is the same for both certificates of it.
resource "aws_route53_record" "proof" {
  for_each = toset(local.regional_names)

  zone_id         = aws_route53_zone.this.zone_id
  name            = one([for option in aws_acm_certificate.regional.domain_validation_options : option.resource_record_name if option.domain_name == each.value])
  type            = one([for option in aws_acm_certificate.regional.domain_validation_options : option.resource_record_type if option.domain_name == each.value])
  records         = [one([for option in aws_acm_certificate.regional.domain_validation_options : option.resource_record_value if option.domain_name == each.value])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "regional" {
  certificate_arn         = aws_acm_certificate.regional.arn
  validation_record_fqdns = [for record in aws_route53_record.proof : record.fqdn]
}

resource "aws_acm_certificate" "cdn" {
  count    = var.cdn_enabled ? 1 : 0
  provider = aws.us_east_1

  domain_name       = var.domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate_validation" "cdn" {
  count    = var.cdn_enabled ? 1 : 0
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.cdn[0].arn
  validation_record_fqdns = [aws_route53_record.proof[var.domain_name].fqdn]
}
