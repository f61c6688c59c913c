# All rules of the bundled set. What they find and we keep stands in docs/decisions/infrastructure.md.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}
