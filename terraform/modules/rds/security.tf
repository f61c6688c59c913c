# Who reaches the database (SG-5, SG-8): clients come to the proxy and only the proxy to the primary;
# where there is no proxy, clients come to the primary. The replica is reached directly.

resource "aws_security_group" "primary" {
  name        = "${var.name}-rds"
  description = "PostgreSQL primary"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-rds" }
}

resource "aws_security_group" "proxy" {
  count = var.proxy_enabled ? 1 : 0

  name        = "${var.name}-rds-proxy"
  description = "RDS Proxy"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-rds-proxy" }
}

resource "aws_security_group" "replica" {
  count = var.replica_enabled ? 1 : 0

  name        = "${var.name}-rds-replica"
  description = "PostgreSQL read replica"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-rds-replica" }
}

resource "aws_vpc_security_group_ingress_rule" "client_to_proxy" {
  for_each = var.proxy_enabled ? var.client_security_group_ids : {}

  security_group_id            = aws_security_group.proxy[0].id
  description                  = "SG-5 SG-8 ${each.key} to RDS Proxy"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "proxy_to_primary" {
  count = var.proxy_enabled ? 1 : 0

  security_group_id            = aws_security_group.proxy[0].id
  description                  = "SG-5 RDS Proxy to RDS"
  referenced_security_group_id = aws_security_group.primary.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "proxy_to_primary" {
  count = var.proxy_enabled ? 1 : 0

  security_group_id            = aws_security_group.primary.id
  description                  = "SG-5 RDS Proxy to RDS"
  referenced_security_group_id = aws_security_group.proxy[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "client_to_primary" {
  for_each = var.proxy_enabled ? {} : var.client_security_group_ids

  security_group_id            = aws_security_group.primary.id
  description                  = "SG-5 SG-8 ${each.key} to RDS, where there is no proxy"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "client_to_replica" {
  for_each = var.replica_enabled ? var.replica_client_security_group_ids : {}

  security_group_id            = aws_security_group.replica[0].id
  description                  = "SG-5 ${each.key} to the read replica"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
