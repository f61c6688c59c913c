output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "subnet_ids" {
  description = "Subnets by kind: public, app, streaming, database, cache; two each."
  value = {
    for kind in keys(var.subnet_numbers) : kind => [for zone in local.zones : aws_subnet.this["${kind}-${zone}"].id]
  }
}

output "route_table_ids" {
  description = "All route tables by name, for gateway endpoints."
  value = merge(
    { public = aws_route_table.public.id, db = aws_route_table.db.id },
    { for zone, table in aws_route_table.nat : "nat-${zone}" => table.id },
  )
}
