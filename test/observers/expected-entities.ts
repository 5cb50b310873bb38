// What digger has to publish, computed from the API's own lists and from nothing else.
//
// The second implementation of the joins, written from the comments in proto/digger/v1/entities.proto, slow and plain:
// it follows owner references by uid through whole lists and does not know what changed. Entities come in the shape of
// decoded gRPC messages without their empty fields; `comparable` brings a received message into that shape.
import type { V1ObjectMeta, V1Pod, V1Service } from '@kubernetes/client-node';
import type { ClusterLists, OwnerObject } from './cluster-lists.ts';
import type { Message } from './digger-client.ts';

/** Annotations that are left out by default, whatever their size. */
const DENIED_ANNOTATIONS = ['kubectl.kubernetes.io/last-applied-configuration'];

/** Larger values of labels and annotations are left out by default. */
const MAX_VALUE_BYTES = 1024;

/** The kinds of owners that digger reads. */
const WATCHED_OWNERS = [
  'apps/v1 Deployment',
  'apps/v1 ReplicaSet',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'batch/v1 Job',
  'batch/v1 CronJob',
  'v1 ReplicationController',
];

/** Every entity of the feed by `KIND uid`. */
export function expectedEntities(lists: ClusterLists): ReadonlyMap<string, Message> {
  const entities = new Map<string, Message>();
  const add = (kind: string, entity: Message): void => void entities.set(`${kind} ${entity['uid']}`, entity);
  for (const pod of lists.pods) add('pod', expectedPod(lists, pod));
  for (const service of lists.services) add('service', expectedService(lists, service));
  for (const node of lists.nodes) add('node', expectedNode(node));
  for (const namespace of lists.namespaces) add('namespace', expectedNamespace(namespace));
  for (const owner of lists.owners) {
    if (!controllerOf(owner.metadata)) add('workload', expectedWorkload(lists, owner));
  }
  // Custom kinds that own pods: known by reference alone. Of the kinds that digger reads, an object is there or it is
  // not.
  for (const pod of lists.pods) {
    const top = podWorkload(lists, pod);
    if (top['incomplete'] && !WATCHED_OWNERS.includes(`${top['apiVersion']} ${top['kind']}`)) add('workload', top);
  }
  return entities;
}

/** `digger.v1.Pod`. */
export function expectedPod(lists: ClusterLists, pod: V1Pod): Message {
  const status = pod.status ?? {};
  type Spec = Pick<NonNullable<V1Pod['spec']>['containers'][number], 'name' | 'image' | 'ports'>;
  const ports = (spec: Spec): Message[] =>
    (spec.ports ?? []).map((port) => ({
      name: port.name,
      containerPort: port.containerPort,
      hostPort: port.hostPort,
      hostIp: port.hostIP,
      protocol: `PROTOCOL_${port.protocol ?? 'TCP'}`,
    }));
  const container = (spec: Spec, type: string | undefined): Message => {
    const all = [...statuses, ...(status.ephemeralContainerStatuses ?? [])];
    const found = all.find((candidate) => candidate.name === spec.name);
    const previous = found?.lastState?.terminated?.containerID;
    const isBetween = found?.containerID !== undefined && previous === found.containerID;
    return {
      name: spec.name,
      image: spec.image,
      ports: ports(spec),
      containerId: found?.containerID,
      type: type === undefined ? undefined : `CONTAINER_TYPE_${type}`,
      previousContainerId: isBetween ? undefined : previous,
      ended: found?.state?.terminated !== undefined || isBetween,
    };
  };
  const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return comparable({
    uid: pod.metadata?.uid,
    namespace: pod.metadata?.namespace,
    name: pod.metadata?.name,
    addresses: podAddresses(pod),
    hostNetwork: pod.spec?.hostNetwork,
    nodeName: pod.spec?.nodeName,
    zone: labelOfNode(lists, pod, 'topology.kubernetes.io/zone'),
    region: labelOfNode(lists, pod, 'topology.kubernetes.io/region'),
    serviceAccount: pod.spec?.serviceAccountName,
    ready: (status.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    imageDigests: Object.fromEntries(
      [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ name }) => {
        const [, digest] = (statuses.find((candidate) => candidate.name === name)?.imageID ?? '').split('@');
        return digest ? [[name, digest]] : [];
      }),
    ),
    hostAddresses: (status.hostIPs ?? []).map((host) => canonical(host.ip)),
    phase: status.phase && `POD_PHASE_${status.phase.toUpperCase()}`,
    workload: podWorkload(lists, pod),
    ownerChain: ownerChain(lists, pod.metadata),
    services: servicesOf(lists, pod).map((service) => reference('v1', 'Service', service.metadata)),
    endpointAddresses: furtherAddressesOf(lists, pod),
    startTime: timestamp(status.startTime),
    deletionTime: timestamp(pod.metadata?.deletionTimestamp),
    ...metadata(pod.metadata),
    networks: networksOf(pod),
    containers: [
      ...(pod.spec?.containers ?? []).map((each) => container(each, undefined)),
      ...sidecars.map((each) => container(each, 'SIDECAR')),
    ],
    otherContainers: [
      ...(pod.spec?.initContainers ?? [])
        .filter((each) => !sidecars.includes(each))
        .map((each) => container(each, 'INIT')),
      ...(pod.spec?.ephemeralContainers ?? []).map((each) => container(each, 'EPHEMERAL')),
    ],
  });
}

/** What Multus says, without the addresses of the status; the pods of these tests have no other annotation of the kind. */
function networksOf(pod: V1Pod): Message[] {
  const text = pod.metadata?.annotations?.['k8s.v1.cni.cncf.io/network-status'];
  if (text === undefined) return [];
  const own = podAddresses(pod);
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    return [];
  }
  return (told as { name: string; interface?: string; ips?: string[] }[]).flatMap((each) => {
    const addresses = (each.ips ?? []).map((ip) => canonical(ip)).filter((ip) => !own.includes(ip));
    return addresses.length === 0 ? [] : [{ name: each.name, interface: each.interface, addresses }];
  });
}

function labelOfNode({ nodes }: ClusterLists, pod: V1Pod, key: string): string | undefined {
  return nodes.find(({ metadata }) => metadata?.name === pod.spec?.nodeName)?.metadata?.labels?.[key];
}

/** `digger.v1.Service`. */
export function expectedService(lists: ClusterLists, service: V1Service): Message {
  const spec = service.spec ?? {};
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const own = reference('v1', 'Service', service.metadata);
  const types: Record<string, string> = {
    ClusterIP: 'CLUSTER_IP',
    NodePort: 'NODE_PORT',
    LoadBalancer: 'LOAD_BALANCER',
    ExternalName: 'EXTERNAL_NAME',
  };
  const published = metadata(service.metadata);
  const selector = Object.entries(spec.selector ?? {});
  const isPublished = ([, value]: readonly [string, string]): boolean => Buffer.byteLength(value) <= MAX_VALUE_BYTES;
  return comparable({
    uid: service.metadata?.uid,
    namespace: service.metadata?.namespace,
    name: service.metadata?.name,
    type: `SERVICE_TYPE_${types[spec.type ?? '']}`,
    clusterAddresses: (spec.clusterIPs ?? []).filter((ip) => ip !== 'None').map(canonical),
    loadBalancerAddresses: ingress.flatMap((entry) => (entry.ip ? [canonical(entry.ip)] : [])),
    loadBalancerHostnames: ingress.flatMap((entry) => (entry.hostname ? [entry.hostname] : [])),
    externalAddresses: (spec.externalIPs ?? []).map(canonical),
    externalName: spec.externalName,
    proxiedLoadBalancerAddresses: ingress.flatMap((entry) =>
      entry.ip !== undefined && entry.ipMode === 'Proxy' ? [canonical(entry.ip)] : [],
    ),
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name,
      protocol: `PROTOCOL_${port.protocol ?? 'TCP'}`,
      port: port.port,
      targetPort: port.targetPort === undefined ? undefined : String(port.targetPort),
      nodePort: port.nodePort,
      appProtocol: port.appProtocol,
    })),
    selector: Object.fromEntries(selector.filter(isPublished)),
    workloads: workloadsOf(lists, service),
    manualEndpoints: manualEndpointsOf(lists, service).map((address) => ({ address, service: own })),
    ...published,
    omitted: [
      ...published.omitted,
      ...selector.filter((entry) => !isPublished(entry)).map(([key]) => `selector/${key}`),
    ],
  });
}

/** `digger.v1.Node`. */
export function expectedNode(node: ClusterLists['nodes'][number]): Message {
  const labels = node.metadata?.labels ?? {};
  // Annotations of nodes are published nowhere, so that there is nothing of them to leave out.
  const { annotations: _, ...meta } = metadata({ labels });
  return comparable({
    name: node.metadata?.name,
    uid: node.metadata?.uid,
    addresses: (node.status?.addresses ?? []).map(({ type, address }) => ({
      type,
      address: type.endsWith('IP') ? canonical(address) : address,
    })),
    zone: labels['topology.kubernetes.io/zone'],
    region: labels['topology.kubernetes.io/region'],
    podRanges: node.spec?.podCIDRs,
    deletionTime: timestamp(node.metadata?.deletionTimestamp),
    ...meta,
  });
}

/** `digger.v1.Namespace`. */
export function expectedNamespace({ metadata: meta }: ClusterLists['namespaces'][number]): Message {
  return comparable({
    name: meta?.name,
    uid: meta?.uid,
    deletionTime: timestamp(meta?.deletionTimestamp),
    ...metadata(meta),
  });
}

/** `digger.v1.Workload` of an object that the API lists, top-level or a link of a chain. */
export function expectedWorkload(lists: ClusterLists, owner: OwnerObject): Message {
  return comparable({
    ...reference(owner.apiVersion, owner.kind, owner.metadata),
    ownerChain: ownerChain(lists, owner.metadata),
    ...metadata(owner.metadata),
  });
}

/** A finished pod shows addresses and holds none. */
export function isFinished(pod: V1Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** `status.podIPs`, canonical. */
export function podAddresses(pod: V1Pod): readonly string[] {
  return (pod.status?.podIPs ?? []).map((entry) => canonical(entry.ip));
}

/** The top of the pod's owner chain, or the pod itself. */
export function podWorkload(lists: ClusterLists, pod: V1Pod): Message {
  const top = ownerChain(lists, pod.metadata).at(-1);
  return top === undefined || top['kind'] === 'Node' ? reference('v1', 'Pod', pod.metadata) : top;
}

/** Distinct workloads of the pods in the service's endpoints. */
export function workloadsOf(lists: ClusterLists, service: V1Service): readonly Message[] {
  const found = new Map<string, Message>();
  for (const pod of endpointsOf(lists, service).flatMap(({ pods }) => pods)) {
    const workload = podWorkload(lists, pod);
    found.set(String(workload['uid']), workload);
  }
  const order = (workload: Message): string =>
    [workload['kind'], workload['namespace'], workload['name'], workload['uid']].join('\0');
  return [...found.values()].toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** Canonical addresses of the service's endpoints that are neither pods nor nodes. */
export function manualEndpointsOf(lists: ClusterLists, service: V1Service): readonly string[] {
  return [...new Set(endpointsOf(lists, service).flatMap(({ outside }) => outside ?? []))].toSorted();
}

/**
 * A message without what says nothing: unset and empty fields, zero, false, unspecified enums. Lists without a defined
 * order (containers, omitted keys) are sorted.
 */
export function comparable(message: Message): Message {
  return strip(message) as Message;
}

/** One text form per address: RFC 5952, as the URL standard writes hosts; IPv4-mapped IPv6 as IPv4. */
export function canonical(address: string): string {
  if (!address.includes(':')) return address;
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!mapped) return host;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function ownerChain(lists: ClusterLists, metadata: V1ObjectMeta | undefined): readonly Message[] {
  const chain: Message[] = [];
  let controller = controllerOf(metadata);
  while (controller && chain.length < 16) {
    const { apiVersion, kind, name, uid } = controller;
    if (apiVersion === 'v1' && kind === 'Node') {
      // A static pod is owned by its node, which has no namespace.
      const known = lists.nodes.some((node) => node.metadata?.uid === uid);
      chain.push(comparable({ apiVersion, kind, name, uid, incomplete: !known }));
      return chain;
    }
    const owner: OwnerObject | undefined = lists.owners.find((candidate) => candidate.metadata.uid === uid);
    if (!owner) {
      const namespace = metadata?.namespace;
      chain.push(comparable({ apiVersion, kind, namespace, name, uid, incomplete: true }));
      return chain;
    }
    chain.push(reference(owner.apiVersion, owner.kind, owner.metadata));
    controller = controllerOf(owner.metadata);
  }
  return chain;
}

function controllerOf(metadata: V1ObjectMeta | undefined) {
  return metadata?.ownerReferences?.find((candidate) => candidate.controller === true);
}

/** What one address of an endpoint means. */
interface Endpoint {
  readonly pods: readonly V1Pod[];
  /** Neither a pod's nor a node's. */
  readonly outside?: string;
  /** The target's, beside those of its status. */
  readonly further?: string;
}

function servicesOf(lists: ClusterLists, pod: V1Pod): readonly V1Service[] {
  const order = (service: V1Service): string => `${service.metadata?.name}`;
  return lists.services
    .filter(({ metadata: of }) => of?.namespace === pod.metadata?.namespace)
    .filter((service) => endpointsOf(lists, service).some(({ pods }) => pods.includes(pod)))
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

function furtherAddressesOf(lists: ClusterLists, pod: V1Pod): readonly string[] {
  const endpoints = lists.services.flatMap((service) => endpointsOf(lists, service));
  return [
    ...new Set(endpoints.flatMap(({ pods, further }) => (further && pods.includes(pod) ? [further] : []))),
  ].toSorted();
}

const endpointsByService = new WeakMap<ClusterLists, Map<V1Service, readonly Endpoint[]>>();

/** Each address in the service's slices, compared with the addresses of pods and nodes. */
function endpointsOf(lists: ClusterLists, service: V1Service): readonly Endpoint[] {
  let byService = endpointsByService.get(lists);
  if (byService === undefined) endpointsByService.set(lists, (byService = new Map()));
  let found = byService.get(service);
  if (found === undefined) {
    found = slicesOf(lists, service).flatMap((slice) => endpointsIn(lists, slice));
    byService.set(service, found);
  }
  return found;
}

function endpointsIn(lists: ClusterLists, slice: ClusterLists['endpointSlices'][number]): Endpoint[] {
  const at = slice.metadata?.namespace;
  // Kubernetes' own controller makes slices from pods: a target is the pod, whatever both say of its addresses just
  // now.
  const isMadeFromPods =
    slice.metadata?.labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io' &&
    controllerOf(slice.metadata)?.kind === 'Service';
  return (slice.endpoints ?? []).flatMap(({ addresses, targetRef }): Endpoint[] => {
    const uid = targetRef?.kind === 'Pod' ? targetRef.uid : undefined;
    const target = uid === undefined ? undefined : lists.pods.find(({ metadata: of }) => of?.uid === uid);
    const isBeside = target?.metadata?.namespace === at;
    if (uid !== undefined && isMadeFromPods) return target && isBeside ? [{ pods: [target] }] : [];
    return addresses.map(canonical).map((address): Endpoint => {
      if (target && podAddresses(target).includes(address)) return { pods: [target] };
      const holders = lists.pods.filter(
        (pod) => !isFinished(pod) && pod.spec?.hostNetwork !== true && podAddresses(pod).includes(address),
      );
      if (holders.length > 0) return { pods: holders };
      const isNode = lists.nodes.some(({ status }) =>
        status?.addresses?.some((each) => each.type.endsWith('IP') && canonical(each.address) === address),
      );
      if (isNode) return { pods: [] };
      return target && isBeside ? { pods: [target], further: address } : { pods: [], outside: address };
    });
  });
}

function slicesOf(lists: ClusterLists, service: V1Service): ClusterLists['endpointSlices'] {
  return lists.endpointSlices.filter(
    (slice) =>
      slice.metadata?.namespace === service.metadata?.namespace &&
      slice.metadata?.labels?.['kubernetes.io/service-name'] === service.metadata?.name,
  );
}

function reference(apiVersion: string, kind: string, metadata: V1ObjectMeta | undefined): Message {
  return comparable({ apiVersion, kind, namespace: metadata?.namespace, name: metadata?.name, uid: metadata?.uid });
}

function metadata(meta: V1ObjectMeta | undefined): { labels: Message; annotations: Message; omitted: string[] } {
  const omitted: string[] = [];
  const kept = (prefix: string, map: Record<string, string> | undefined, denied: readonly string[]): Message =>
    Object.fromEntries(
      Object.entries(map ?? {}).filter(([key, value]) => {
        const keep = !denied.includes(key) && Buffer.byteLength(value) <= MAX_VALUE_BYTES;
        if (!keep) omitted.push(`${prefix}/${key}`);
        return keep;
      }),
    );
  return {
    labels: kept('labels', meta?.labels, []),
    annotations: kept('annotations', meta?.annotations, DENIED_ANNOTATIONS),
    omitted,
  };
}

function timestamp(time: Date | undefined): Message | undefined {
  return time && { seconds: String(Math.floor(time.getTime() / 1000)) };
}

function strip(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => strip(item));
    if (key === 'omitted') return items.toSorted();
    if (key !== 'containers') return items;
    return items.toSorted((a, b) => ((a as Message)['name'] < (b as Message)['name'] ? -1 : 1));
  }
  if (value === null || typeof value !== 'object') return value;
  const isMap = key === 'labels' || key === 'annotations' || key === 'selector';
  const kept = Object.entries(value)
    .map(([name, field]) => [name, strip(field, name)] as const)
    // An empty label value is a value.
    .filter(([, field]) => isMap || !saysNothing(field))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(kept);
}

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false || value === '0')
    return true;
  if (typeof value === 'string') return value.endsWith('_UNSPECIFIED');
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
