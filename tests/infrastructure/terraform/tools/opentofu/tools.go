//go:build tools

// Package tools pins OpenTofu, which stands in for terraform where that is not installed.
package tools

import _ "github.com/opentofu/opentofu/cmd/tofu"
