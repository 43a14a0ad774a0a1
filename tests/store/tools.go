//go:build tools

// Package tools names the programs that build.sh builds.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
