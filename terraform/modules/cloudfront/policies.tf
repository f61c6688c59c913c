# How long what is kept, by which key, and which headers every answer carries (CF-4 to CF-8).

locals {
  # The key is the path alone: no cookie, no header, no query makes a second copy.
  cache = {
    static    = { min = 0, default = var.static_ttl_seconds, max = var.static_ttl_seconds }
    immutable = { min = 0, default = var.immutable_ttl_seconds, max = var.immutable_ttl_seconds }
    vwr       = { min = 0, default = var.vwr_ttl_seconds, max = var.vwr_ttl_seconds }
    # Kept only when the API says so, and never longer: the room's state says max-age=1.
    vwr_api = { min = 0, default = 0, max = var.vwr_api_ttl_max_seconds }
  }

  header_policies = {
    security  = aws_cloudfront_response_headers_policy.security.id
    immutable = aws_cloudfront_response_headers_policy.immutable.id
  }
}

resource "aws_cloudfront_cache_policy" "this" {
  for_each = local.cache

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  min_ttl     = each.value.min
  default_ttl = each.value.default
  max_ttl     = each.value.max

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "security" {
  name = "${var.name}-security"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    xss_protection {
      protection = true
      mode_block = true
      override   = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }
  }
}

# The same, and a year that needs no revalidation: names of these files change with their content.
resource "aws_cloudfront_response_headers_policy" "immutable" {
  name = "${var.name}-immutable"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    xss_protection {
      protection = true
      mode_block = true
      override   = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }
  }

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = "public, max-age=${var.immutable_ttl_seconds}, immutable"
      override = true
    }
  }
}
