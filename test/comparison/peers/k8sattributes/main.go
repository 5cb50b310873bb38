// K8sattributes asks OpenTelemetry's k8sattributes processor: its cache cannot be imported from outside, so each address goes through the
// processor's public factory as the resource of a log record, with the attribute k8s.pod.ip, and the answer is the k8s.pod.uid that comes
// out. Its settings are its defaults, but that a start waits for the first list, as otherwise it would answer with nothing.
//
//	KUBECONFIG=FILE k8sattributes
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/k8sattributesprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"digger.test/comparison/line"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "k8sattributes:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx := context.Background()
	factory := k8sattributesprocessor.NewFactory()
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{
		"auth_type":                 "kubeConfig",
		"wait_for_metadata":         true,
		"wait_for_metadata_timeout": "2m",
		"pod_association": []any{
			map[string]any{"sources": []any{map[string]any{"from": "resource_attribute", "name": "k8s.pod.ip"}}},
		},
	}).Unmarshal(config); err != nil {
		return err
	}
	var uid string
	sink, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		uid = line.Unknown
		if value, ok := logs.ResourceLogs().At(0).Resource().Attributes().Get("k8s.pod.uid"); ok {
			uid = value.Str()
		}
		return nil
	})
	if err != nil {
		return err
	}
	settings := processor.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	attributes, err := factory.CreateLogs(ctx, settings, config, sink)
	if err != nil {
		return err
	}
	if err := attributes.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	return line.Serve(func(address string) string {
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("k8s.pod.ip", address)
		if err := attributes.ConsumeLogs(ctx, logs); err != nil {
			return line.Unknown
		}
		return uid
	})
}
