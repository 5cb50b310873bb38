//go:build tools

// Pins the version of helm that the chart is tested with.
package tools

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
