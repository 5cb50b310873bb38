// Records for tests: short to write, complete when made.

import type {
  ContainerRecord,
  ControllerReference,
  EndpointSliceRecord,
  EndpointTarget,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../../src/model/kubernetes/records.ts';

type Some<R> = Partial<Omit<R, 'type'>>;

const meta = (name: string, namespace: string) => ({
  namespace,
  name,
  uid: `uid-${name}`,
  labels: {},
  annotations: {},
  creationTimeMs: 1_700_000_000_000,
  deletionTimeMs: undefined,
  controller: undefined,
});

export function pod(name: string, some: Some<PodRecord> = {}): PodRecord {
  return {
    type: 'Pod',
    ...meta(name, 'shop'),
    nodeName: 'node-a',
    serviceAccount: '',
    ready: false,
    hostNetwork: false,
    phase: 'Running',
    podIps: [],
    hostIps: [],
    startTimeMs: undefined,
    sandboxReadyTimeMs: undefined,
    finishedTimeMs: undefined,
    containers: [],
    otherContainers: [],
    networks: [],
    ...some,
  };
}

/** A container of a pod that runs. */
export function container(name: string, some: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    ...{ type: 'ordinary', name, image: '', containerId: '', previousContainerId: '', ended: false },
    ...{ imageDigest: '', ports: [] },
    ...some,
  };
}

export function service(name: string, some: Some<ServiceRecord> = {}): ServiceRecord {
  return {
    type: 'Service',
    ...meta(name, 'shop'),
    uid: `uid-service-${name}`,
    serviceType: 'ClusterIP',
    clusterIps: [],
    externalIps: [],
    loadBalancerIps: [],
    proxiedIps: [],
    loadBalancerHostnames: [],
    ports: [],
    selector: {},
    externalName: '',
    ...some,
  };
}

export function namespace(name: string, some: Some<NamespaceRecord> = {}): NamespaceRecord {
  return { type: 'Namespace', ...meta(name, ''), ...some };
}

export function node(name: string, some: Some<NodeRecord> = {}): NodeRecord {
  return { type: 'Node', ...meta(name, ''), addresses: [], podCidrs: [], ...some };
}

export function owner(kind: string, name: string, some: Some<OwnerRecord> = {}): OwnerRecord {
  return { type: 'Owner', ...meta(name, 'shop'), apiVersion: 'apps/v1', kind, ...some };
}

/** What an object carries whose controller is `of`. */
export function controlledBy(of: OwnerRecord | NodeRecord | PodRecord): ControllerReference {
  const { name, uid } = of;
  switch (of.type) {
    case 'Owner':
      return { apiVersion: of.apiVersion, kind: of.kind, name, uid };
    case 'Node':
    case 'Pod':
      return { apiVersion: 'v1', kind: of.type, name, uid };
  }
}

export type Listed = PodRecord | { readonly addresses: readonly string[]; readonly target?: EndpointTarget };

export function slice(name: string, serviceName: string, listed: readonly Listed[]): EndpointSliceRecord {
  return {
    type: 'EndpointSlice',
    ...meta(name, 'shop'),
    serviceName,
    endpoints: listed.map((each) =>
      'type' in each
        ? { addresses: each.podIps, ready: true, target: targetOf(each) }
        : { addresses: each.addresses, ready: true, target: each.target },
    ),
  };
}

export function targetOf({ namespace, name, uid }: PodRecord): EndpointTarget {
  return { kind: 'Pod', namespace, name, uid };
}
