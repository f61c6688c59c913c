output "name_servers" {
  description = "Name servers to enter where the domain was registered."
  value       = module.route53.name_servers
}

output "cluster_name" {
  description = "Name of the EKS cluster."
  value       = module.eks.cluster_name
}

output "karpenter" {
  description = "What k8s/karpenter needs: node role, queue, controller's role."
  value = {
    node_role  = module.eks.node_role_name
    queue      = module.eks.karpenter_queue_name
    controller = module.eks.addon_role_arns["karpenter"]
  }
}

output "service_role_arns" {
  description = "Roles by service account, for annotations in the overlays."
  value       = merge(module.iam.role_arns, { prometheus = module.monitoring.prometheus_role_arn })
}

output "target_group_arns" {
  description = "Target groups for the TargetGroupBindings of the overlays."
  value       = module.alb.target_group_arns
}

output "endpoints" {
  description = "Where the services find their engines."
  value = {
    database_write = module.rds.write_endpoint
    database_read  = module.rds.read_endpoint
    redis          = module.elasticache.primary_endpoint
    kafka          = module.msk.bootstrap_brokers
    ticket_queue   = module.sqs.queue_url
    remote_write   = module.monitoring.remote_write_url
    grafana        = module.monitoring.grafana_endpoint
  }
}

output "delivery_role_arns" {
  description = "Roles of the delivery workflows."
  value       = module.iam.delivery_role_arns
}
