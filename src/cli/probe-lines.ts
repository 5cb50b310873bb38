// Lines for grpcurl that call every RPC once, with names and addresses that exist. Plain text, ready to be pasted.

import type { ClusterExamples } from '../simulator/demo/cluster-examples.ts';

/** `address`: where digger serves, `127.0.0.1:50051`. With TLS whatever certificate it has is taken: it is a demo's. */
export function probeLines(address: string, examples: ClusterExamples, tls = false): readonly string[] {
  const { pod, service, node, workload } = examples;
  const call = (method: string, request?: unknown): string => {
    const data = request === undefined ? '' : `-d '${JSON.stringify(request)}' `;
    return `grpcurl ${tls ? '-insecure' : '-plaintext'} ${data}${address} ${method}`;
  };
  return [
    call('list'),
    call('describe digger.v1.LookupService'),
    call('digger.v1.LookupService/ResolveAddress', { address: pod.address }),
    call('digger.v1.LookupService/ResolveAddress', { address: service.address, port: service.port }),
    call('digger.v1.LookupService/BatchResolveAddresses', {
      queries: [{ address: pod.address }, { address: service.address }, { address: '192.0.2.1' }],
    }),
    call('digger.v1.LookupService/GetPod', { namespace: pod.namespace, name: pod.name }),
    call('digger.v1.LookupService/GetService', { namespace: service.namespace, name: service.name }),
    call('digger.v1.LookupService/GetNode', { name: node }),
    call('digger.v1.LookupService/GetNamespace', { name: pod.namespace }),
    call('digger.v1.LookupService/GetWorkload', {
      ...(workload.group === '' ? {} : { apiGroup: workload.group }),
      kind: workload.kind,
      namespace: workload.namespace,
      name: workload.name,
    }),
    call('digger.v1.ChangeFeedService/Watch', { filter: { namespaces: [pod.namespace] }, view: 'VIEW_BASIC' }),
    call('digger.v1.StatusService/GetStatus'),
    call('grpc.health.v1.Health/Check'),
  ];
}
