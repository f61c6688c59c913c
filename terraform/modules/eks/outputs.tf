output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "Private endpoint of the API server."
  value       = aws_eks_cluster.this.endpoint
}

output "oidc_provider_arn" {
  description = "OpenID Connect provider of the cluster, which roles of service accounts trust."
  value       = aws_iam_openid_connect_provider.cluster.arn
}

output "oidc_issuer" {
  description = "The issuer without https://."
  value       = local.issuer
}

output "nodes_security_group_id" {
  description = "Security group of the nodes."
  value       = aws_security_group.nodes.id
}

output "platform_key_arn" {
  description = "Key for logs, topics, databases, images, tables, secrets."
  value       = aws_kms_key.platform.arn
}

output "node_role_name" {
  description = "Role of the nodes, named by Karpenter's EC2NodeClass."
  value       = aws_iam_role.node.name
}

output "karpenter_queue_name" {
  description = "Interruption queue, named in Karpenter's values."
  value       = aws_sqs_queue.interruptions.name
}

output "addon_role_arns" {
  description = "Roles of vpc-cni, ebs-csi and karpenter."
  value       = { for name, role in aws_iam_role.irsa : name => role.arn }
}
