// Clientgo is the cache that Go programs write for this purpose: a shared informer of client-go whose transform throws away what is not
// needed, and an index by address. It leaves out finished pods and those in the network of their node, and of several pods that have one
// address in the API it takes the one that started last.
//
//	clientgo KUBECONFIG
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"digger.test/comparison/line"
)

const byAddress = "address"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "clientgo:", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		return err
	}
	// As the API server speaks it best.
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	pods := informers.NewSharedInformerFactory(client, 0).Core().V1().Pods().Informer()
	if err := pods.SetTransform(trim); err != nil {
		return err
	}
	if err := pods.AddIndexers(cache.Indexers{byAddress: addresses}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go pods.RunWithContext(ctx)
	deadline, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	if !cache.WaitForCacheSync(deadline.Done(), pods.HasSynced) {
		return fmt.Errorf("the pods were not listed within 2 minutes")
	}
	return line.Serve(func(address string) string {
		found, err := pods.GetIndexer().ByIndex(byAddress, address)
		if err != nil {
			return line.Unknown
		}
		return newest(found)
	})
}

// trim keeps what names the pod, its owner and its addresses.
func trim(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			Labels: pod.Labels, OwnerReferences: pod.OwnerReferences,
		},
		Spec:   corev1.PodSpec{NodeName: pod.Spec.NodeName, HostNetwork: pod.Spec.HostNetwork},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, PodIPs: pod.Status.PodIPs, StartTime: pod.Status.StartTime},
	}, nil
}

func addresses(object any) ([]string, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok || pod.Spec.HostNetwork || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return nil, nil
	}
	var found []string
	for _, ip := range pod.Status.PodIPs {
		found = append(found, ip.IP)
	}
	return found, nil
}

func newest(objects []any) string {
	var best *corev1.Pod
	for _, object := range objects {
		if pod, ok := object.(*corev1.Pod); ok && (best == nil || best.Status.StartTime.Before(pod.Status.StartTime)) {
			best = pod
		}
	}
	if best == nil {
		return line.Unknown
	}
	return string(best.UID)
}
