output "dns_name" {
  description = "Name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "security_group_id" {
  description = "Security group from which traffic reaches the nodes."
  value       = aws_security_group.this["https"].id
}

output "target_group_arns" {
  description = "Target groups by name, for the TargetGroupBindings of the overlays."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn }
}
