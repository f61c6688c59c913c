# Routes are resources of their own, so that a gateway endpoint can add its own to the same tables.

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table" "nat" {
  for_each = var.availability_zones

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_route" "nat_internet" {
  for_each = var.availability_zones

  route_table_id         = aws_route_table.nat[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.key].id
}

# Database and cache: no default route at all, so that a compromised node there cannot carry data out.
resource "aws_route_table" "db" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-db" }
}

resource "aws_route_table_association" "public" {
  for_each = { for key, subnet in local.subnets : key => subnet if subnet.kind == "public" }

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "nat" {
  for_each = { for key, subnet in local.subnets : key => subnet if contains(["app", "streaming"], subnet.kind) }

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.nat[each.value.zone].id
}

resource "aws_route_table_association" "db" {
  for_each = { for key, subnet in local.subnets : key => subnet if contains(["database", "cache"], subnet.kind) }

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.db.id
}
