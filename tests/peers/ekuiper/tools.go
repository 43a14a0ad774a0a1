//go:build tools

// Package tools names the program that build.sh builds.
package tools

import _ "github.com/lf-edge/ekuiper/v2/cmd/kuiperd"
