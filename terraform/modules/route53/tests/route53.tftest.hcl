# Plans of the module alone: what its switches do, and what it refuses.

provider "aws" {
  region = "ap-northeast-2"
}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

variables {
  domain_name     = "urr.example"
  cdn_domain_name = "d1.cloudfront.net"
  cdn_zone_id     = "Z2FDTNDATAQYW2"
  alb_dns_name    = "alb.ap-northeast-2.elb.amazonaws.com"
  alb_zone_id     = "ZWKZPGTI48KDX"
}

run "the_site_leads_to_the_cdn" {
  command = plan

  assert {
    condition     = aws_route53_record.site["A"].alias[0].name == "d1.cloudfront.net"
    error_message = "to the CDN"
  }

  assert {
    condition     = length(aws_acm_certificate.cdn) == 1
    error_message = "two certificates"
  }
}

run "without_a_cdn_it_leads_to_the_load_balancer" {
  command = plan

  variables {
    cdn_enabled = false
  }

  assert {
    condition     = aws_route53_record.site["A"].alias[0].name == var.alb_dns_name
    error_message = "to the balancer"
  }

  assert {
    condition     = length(aws_acm_certificate.cdn) == 0
    error_message = "one certificate"
  }
}

run "refuses_a_bad_domain_name" {
  command = plan

  variables {
    domain_name = "urr"
  }

  expect_failures = [var.domain_name]
}
