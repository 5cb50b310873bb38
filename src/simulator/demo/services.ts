// Services of the demo cluster, and the endpoints controller that keeps their EndpointSlices (and Endpoints) right.
//
// A service with a selector gets one slice per address family out of the pods that match; one without gets what its
// definition says. Only differences are written. Endpoints are kept beside the slices, as in a real cluster, for
// clients of servers where slices are switched off.

import type { Cluster } from '../server/cluster.ts';
import { type DemoPod, podIps } from './pods.ts';
import type { KubernetesObject } from '../server/stored-objects.ts';

export interface DemoServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  /** What `targetPort` comes to. */
  readonly containerPort: number;
  readonly nodePort?: number;
  readonly protocol?: 'TCP' | 'UDP';
}

export interface DemoService {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  /** One or two addresses, or `['None']` for a headless service. */
  readonly clusterIps: readonly string[];
  readonly externalIps?: readonly string[];
  readonly loadBalancerIps?: readonly string[];
  readonly ports: readonly DemoServicePort[];
  /** undefined: the endpoints are `manualAddresses`. */
  readonly selector?: Readonly<Record<string, string>>;
  readonly manualAddresses?: readonly string[];
}

type Family = 'IPv4' | 'IPv6';

export class DemoEndpointsController {
  readonly #cluster: Cluster;
  readonly #services: readonly { readonly service: DemoService; readonly uid: string }[];

  /** Creates the services. */
  constructor(cluster: Cluster, services: readonly DemoService[]) {
    this.#cluster = cluster;
    this.#services = services.map((service) => {
      const uid = cluster.create('services', toServiceObject(service)).metadata.uid;
      return { service, uid };
    });
  }

  /** Brings slices and endpoints in line with the pods. */
  sync(pods: readonly DemoPod[]): void {
    for (const { service, uid } of this.#services) {
      const chosen = pods.filter((pod) => isEndpoint(service, pod));
      for (const family of families(service)) {
        this.#write('endpointslices', toSlice(service, uid, family, chosen));
      }
      this.#write('endpoints', toEndpoints(service, chosen));
    }
  }

  #write(resource: string, object: KubernetesObject): void {
    const { namespace, name } = object.metadata;
    if (this.#cluster.get(resource, namespace, name) === undefined) {
      this.#cluster.create(resource, object);
    } else {
      this.#cluster.update(resource, object);
    }
  }
}

function toServiceObject(service: DemoService): KubernetesObject {
  const ingress = (service.loadBalancerIps ?? []).map((ip) => ({ ip }));
  return {
    metadata: {
      name: service.name,
      namespace: service.namespace,
      labels: { 'app.kubernetes.io/name': service.name },
      annotations: { 'demo.example.com/team': service.namespace },
    },
    spec: {
      type: service.type,
      clusterIP: service.clusterIps[0],
      clusterIPs: service.clusterIps,
      ipFamilies: families(service),
      ipFamilyPolicy: families(service).length > 1 ? 'PreferDualStack' : 'SingleStack',
      ...(service.externalIps === undefined ? {} : { externalIPs: service.externalIps }),
      ...(service.selector === undefined ? {} : { selector: service.selector }),
      ports: service.ports.map(({ name, port, targetPort, nodePort, protocol }) => ({
        name,
        port,
        targetPort,
        protocol: protocol ?? 'TCP',
        ...(nodePort === undefined ? {} : { nodePort }),
      })),
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: ingress.length === 0 ? {} : { ingress } },
  };
}

/** A finished pod, or one without addresses, is no endpoint. */
function isEndpoint(service: DemoService, pod: DemoPod): boolean {
  const { selector } = service;
  return (
    selector !== undefined &&
    pod.namespace === service.namespace &&
    pod.stage !== 'succeeded' &&
    podIps(pod).length > 0 &&
    Object.entries(selector).every(([key, value]) => pod.template.labels[key] === value)
  );
}

function families(service: DemoService): readonly Family[] {
  const both = service.clusterIps.length > 1;
  return both ? ['IPv4', 'IPv6'] : [service.clusterIps[0]?.includes(':') === true ? 'IPv6' : 'IPv4'];
}

function ofFamily(addresses: readonly string[], family: Family): readonly string[] {
  return addresses.filter((address) => address.includes(':') === (family === 'IPv6'));
}

function toSlice(service: DemoService, serviceUid: string, family: Family, pods: readonly DemoPod[]): KubernetesObject {
  const manual = service.selector === undefined;
  const owner = { apiVersion: 'v1', kind: 'Service', name: service.name, uid: serviceUid, controller: true };
  const endpoints = manual
    ? ofFamily(service.manualAddresses ?? [], family).map((address) => ({
        addresses: [address],
        conditions: { ready: true },
      }))
    : pods
        .filter((pod) => ofFamily(podIps(pod), family).length > 0)
        .map((pod) => ({
          addresses: ofFamily(podIps(pod), family).slice(0, 1),
          conditions: {
            ready: pod.stage === 'ready',
            serving: pod.stage === 'ready' || pod.stage === 'terminating',
            terminating: pod.stage === 'terminating',
          },
          nodeName: pod.node.name,
          targetRef: targetRef(pod),
        }));
  return {
    metadata: {
      name: `${service.name}-${manual ? 'manual' : family.toLowerCase()}`,
      namespace: service.namespace,
      labels: {
        'kubernetes.io/service-name': service.name,
        'endpointslice.kubernetes.io/managed-by': manual ? 'demo.example.com' : 'endpointslice-controller.k8s.io',
      },
      ...(manual ? {} : { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }),
    },
    addressType: family,
    endpoints,
    ports: endpointPorts(service),
  };
}

function toEndpoints(service: DemoService, pods: readonly DemoPod[]): KubernetesObject {
  const family = families(service)[0] ?? 'IPv4';
  const address = (pod: DemoPod): object => ({
    ip: ofFamily(podIps(pod), family)[0],
    nodeName: pod.node.name,
    targetRef: targetRef(pod),
  });
  const suitable = pods.filter((pod) => ofFamily(podIps(pod), family).length > 0);
  const addresses =
    service.selector === undefined
      ? (service.manualAddresses ?? []).map((ip) => ({ ip }))
      : suitable.filter((pod) => pod.stage === 'ready').map(address);
  const notReadyAddresses = suitable.filter((pod) => pod.stage === 'starting').map(address);
  const subset = {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ports: endpointPorts(service),
  };
  return {
    metadata: { name: service.name, namespace: service.namespace, labels: { 'app.kubernetes.io/name': service.name } },
    subsets: addresses.length + notReadyAddresses.length === 0 ? [] : [subset],
  };
}

function targetRef(pod: DemoPod): object {
  return { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid };
}

function endpointPorts(service: DemoService): readonly object[] {
  return service.ports.map(({ name, containerPort, protocol }) => ({
    name,
    port: containerPort,
    protocol: protocol ?? 'TCP',
  }));
}
