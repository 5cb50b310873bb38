// Trims a decoded Kubernetes object to the record that the rest of digger sees.
//
// Reads objects of both encodings and yields equal records for equal objects. Never throws on strange content: what
// is missing or of the wrong type becomes `''`, `0`, `undefined` or an empty list, because one odd object must not
// stop a watch. Nothing of the object or of the page it came from is kept alive: records hold fresh or interned
// strings, numbers and new arrays only.

import type {
  ContainerPortRecord,
  ContainerRecord,
  ControllerReference,
  EndpointRecord,
  EndpointSliceRecord,
  EndpointTarget,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  RecordMeta,
  ServiceCidrRecord,
  ServicePortRecord,
  ServiceRecord,
} from '../../model/kubernetes/records.ts';
import { podNetworksOf } from '../../model/kubernetes/pod-networks.ts';
import type {
  ContainerObject,
  ContainerStatusObject,
  EndpointAddressObject,
  EndpointSliceObject,
  EndpointsObject,
  KubernetesObject,
  NodeObject,
  OwnerReferenceObject,
  PodObject,
  ServiceCidrObject,
  ServiceObject,
  TargetReferenceObject,
} from './decoded-objects.ts';
import {
  isSet,
  list,
  NO_TEXTS,
  NOTHING,
  shared,
  text,
  toIps,
  toPort,
  toStringMap,
  toTargetPort,
  toTexts,
  toTimeMs,
} from './lenient-fields.ts';

/** `discovery.k8s.io/v1` EndpointSlice: the label that names its service. */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export function toPodRecord(pod: PodObject): PodRecord {
  const spec = pod.spec ?? NOTHING;
  const status = pod.status ?? NOTHING;
  const { namespace, name, uid, labels, annotations, creationTimeMs, deletionTimeMs, controller } = toMeta(pod);
  const podIps = toIps(status.podIPs, status.podIP, text);
  const { networks, problem } = podNetworksOf(annotations, podIps);
  // Field by field: an object that begins with the fields of another one is laid out anew for every few that follow.
  const record: PodRecord = {
    type: 'Pod',
    namespace,
    name,
    uid,
    labels,
    annotations,
    creationTimeMs,
    deletionTimeMs,
    controller,
    nodeName: shared(spec.nodeName),
    serviceAccount: shared(spec.serviceAccountName),
    ready: isReady(list(status.conditions)),
    hostNetwork: spec.hostNetwork === true,
    phase: shared(status.phase),
    podIps,
    // Shared by all pods of a node.
    hostIps: toIps(status.hostIPs, status.hostIP, shared),
    startTimeMs: toTimeMs(status.startTime),
    sandboxReadyTimeMs: toSandboxReadyTime(list(status.conditions)),
    finishedTimeMs: latestFinish(
      status.containerStatuses,
      status.initContainerStatuses,
      status.ephemeralContainerStatuses,
    ),
    containers: toContainers(pod),
    otherContainers: toOtherContainers(pod),
    networks,
  };
  return problem === undefined ? record : { ...record, networkProblem: problem };
}

export function toServiceRecord(service: ServiceObject): ServiceRecord {
  const spec = service.spec ?? NOTHING;
  const ingress = list(service.status?.loadBalancer?.ingress);
  return {
    type: 'Service',
    ...toMeta(service),
    serviceType: shared(spec.type),
    clusterIps: toTexts(spec.clusterIPs, spec.clusterIP),
    externalIps: toTexts(spec.externalIPs, undefined),
    loadBalancerIps: ingress.map((entry) => text(entry?.ip)).filter(isSet),
    proxiedIps: ingress.map((entry) => (entry?.ipMode === 'Proxy' ? text(entry.ip) : '')).filter(isSet),
    loadBalancerHostnames: ingress.map((entry) => text(entry?.hostname)).filter(isSet),
    ports: list(spec.ports).map(
      (port): ServicePortRecord => ({
        name: shared(port?.name),
        protocol: shared(port?.protocol),
        port: toPort(port?.port),
        targetPort: toTargetPort(port?.targetPort),
        nodePort: toPort(port?.nodePort),
        appProtocol: shared(port?.appProtocol),
      }),
    ),
    selector: toStringMap(spec.selector),
    externalName: text(spec.externalName),
  };
}

export function toEndpointSliceRecord(slice: EndpointSliceObject): EndpointSliceRecord {
  const meta = toMeta(slice);
  return {
    type: 'EndpointSlice',
    ...meta,
    serviceName: meta.labels[SERVICE_NAME_LABEL] ?? '',
    endpoints: list(slice.endpoints).map(
      (endpoint): EndpointRecord => ({
        addresses: toTexts(endpoint?.addresses, undefined),
        ready: toReady(endpoint?.conditions),
        target: toTarget(endpoint?.targetRef),
      }),
    ),
  };
}

/** Endpoints in the shape of a slice, for clusters that serve no slices. */
export function endpointsToSliceRecord(endpoints: EndpointsObject): EndpointSliceRecord {
  const meta = toMeta(endpoints);
  const found: EndpointRecord[] = [];
  for (const subset of list(endpoints.subsets)) {
    for (const address of list(subset?.addresses)) found.push(toEndpoint(address, true));
    for (const address of list(subset?.notReadyAddresses)) found.push(toEndpoint(address, false));
  }
  return { type: 'EndpointSlice', ...meta, serviceName: meta.name, endpoints: found };
}

export function toNodeRecord(node: NodeObject): NodeRecord {
  return {
    type: 'Node',
    ...toMeta(node),
    addresses: list(node.status?.addresses).map((entry) => ({
      type: shared(entry?.type),
      address: text(entry?.address),
    })),
    podCidrs: toTexts(node.spec?.podCIDRs, node.spec?.podCIDR),
  };
}

export function toServiceCidrRecord(range: ServiceCidrObject): ServiceCidrRecord {
  return { type: 'ServiceCidr', ...toMeta(range), cidrs: toTexts(range.spec?.cidrs, undefined) };
}

export function toNamespaceRecord(namespace: KubernetesObject): NamespaceRecord {
  return { type: 'Namespace', ...toMeta(namespace) };
}

/** `apiVersion` and `kind` come from what was asked for: PartialObjectMetadata does not say what it is metadata of. */
export function toOwnerRecord(object: KubernetesObject, apiVersion: string, kind: string): OwnerRecord {
  return { type: 'Owner', ...toMeta(object), apiVersion, kind };
}

function toMeta(object: KubernetesObject): RecordMeta {
  const metadata = object.metadata ?? NOTHING;
  return {
    namespace: shared(metadata.namespace),
    name: text(metadata.name),
    uid: text(metadata.uid),
    labels: toStringMap(metadata.labels),
    annotations: toStringMap(metadata.annotations),
    creationTimeMs: toTimeMs(metadata.creationTimestamp),
    deletionTimeMs: toTimeMs(metadata.deletionTimestamp),
    controller: toController(list(metadata.ownerReferences)),
  };
}

function toController(references: readonly OwnerReferenceObject[]): ControllerReference | undefined {
  for (const reference of references) {
    if (reference?.controller !== true) continue;
    return {
      apiVersion: shared(reference.apiVersion),
      kind: shared(reference.kind),
      name: shared(reference.name),
      uid: shared(reference.uid),
    };
  }
  return undefined;
}

function toContainers(pod: PodObject): readonly ContainerRecord[] {
  const found: ContainerRecord[] = [];
  for (const container of list(pod.spec?.initContainers)) {
    // A sidecar runs beside the ordinary containers (KEP-753); other init containers are gone by then.
    if (!isSidecar(container)) continue;
    found.push(toContainer('sidecar', container, pod.status?.initContainerStatuses));
  }
  for (const container of list(pod.spec?.containers)) {
    found.push(toContainer('ordinary', container, pod.status?.containerStatuses));
  }
  return found;
}

function toOtherContainers({ spec, status }: PodObject): readonly ContainerRecord[] {
  let found: ContainerRecord[] | undefined;
  for (const container of list(spec?.initContainers)) {
    if (isSidecar(container)) continue;
    (found ??= []).push(toContainer('init', container, status?.initContainerStatuses));
  }
  for (const container of list(spec?.ephemeralContainers)) {
    const common = container?.ephemeralContainerCommon ?? container;
    (found ??= []).push(toContainer('ephemeral', common, status?.ephemeralContainerStatuses));
  }
  return found ?? NO_CONTAINERS;
}

function isSidecar(container: ContainerObject): boolean {
  return container?.restartPolicy === 'Always';
}

function toContainer(
  type: ContainerRecord['type'],
  container: ContainerObject,
  statuses: readonly ContainerStatusObject[] | null | undefined,
): ContainerRecord {
  const name = shared(container?.name);
  let containerId = '';
  let previousContainerId = '';
  let ended = false;
  let imageDigest = '';
  for (const status of list(statuses)) {
    if (status?.name !== name) continue;
    containerId = text(status.containerID);
    previousContainerId = text(status.lastState?.terminated?.containerID);
    // Between two of them the status still has the id of the one before.
    ended = isTerminated(status) || (containerId !== '' && previousContainerId === containerId);
    if (previousContainerId === containerId) previousContainerId = '';
    imageDigest = toDigest(text(status.imageID));
  }
  const ports = list(container?.ports);
  return {
    type,
    name,
    image: shared(container?.image),
    containerId,
    previousContainerId,
    ended,
    imageDigest,
    ports: ports.length === 0 ? NO_PORTS : ports.map(toContainerPort),
  };
}

/** `docker.io/library/nginx@sha256:…`; an id without a name before it is that of a configuration, not of an image. */
export function toDigest(imageId: string): string {
  return imageId.slice(imageId.lastIndexOf('@') + 1 || imageId.length);
}

function toContainerPort(port: NonNullable<ContainerObject['ports']>[number]): ContainerPortRecord {
  return {
    name: shared(port?.name),
    containerPort: toPort(port?.containerPort),
    hostPort: toPort(port?.hostPort),
    hostIp: shared(port?.hostIP),
    protocol: shared(port?.protocol),
  };
}

/** A message that is not there is no object, and of protobuf `null`. */
function isTerminated({ state }: ContainerStatusObject): boolean {
  return state?.terminated !== undefined && state.terminated !== null;
}

type PodStatus = NonNullable<PodObject['status']>;

function isReady(conditions: NonNullable<PodStatus['conditions']>): boolean {
  return conditions.some((condition) => condition?.type === 'Ready' && condition.status === 'True');
}

function toSandboxReadyTime(conditions: NonNullable<PodStatus['conditions']>): number | undefined {
  for (const condition of conditions) {
    // KEP-3085, PodReadyToStartContainersCondition.
    if (condition?.type === 'PodReadyToStartContainers' && condition.status === 'True') {
      return toTimeMs(condition.lastTransitionTime);
    }
  }
  return undefined;
}

/**
 * Only of a pod all of whose containers have ended: a controller that fails a pod remotely (pod garbage collection of a
 * lost node, eviction) leaves them as they were, and then the end of an init container says nothing about the end of
 * the pod.
 */
function latestFinish(
  containers: PodStatus['containerStatuses'],
  initContainers: PodStatus['initContainerStatuses'],
  ephemeralContainers: PodStatus['ephemeralContainerStatuses'],
): number | undefined {
  let latest: number | undefined;
  for (const group of [containers, initContainers, ephemeralContainers]) {
    for (const status of list(group)) {
      const finished = toTimeMs(status?.state?.terminated?.finishedAt);
      if (finished === undefined && group !== ephemeralContainers) return undefined;
      if (finished !== undefined && (latest === undefined || finished > latest)) latest = finished;
    }
  }
  return list(containers).length === 0 ? undefined : latest;
}

function toEndpoint(address: EndpointAddressObject, ready: boolean): EndpointRecord {
  const ip = text(address?.ip);
  return { addresses: ip === '' ? NO_TEXTS : [ip], ready, target: toTarget(address?.targetRef) };
}

/**
 * Unset means ready (API reference of EndpointConditions); protobufjs shows an unset bool as false on the prototype.
 */
function toReady(conditions: { readonly ready?: boolean | null | undefined } | null | undefined): boolean {
  if (conditions === null || conditions === undefined || !Object.hasOwn(conditions, 'ready')) return true;
  return conditions.ready !== false;
}

function toTarget(reference: TargetReferenceObject | null | undefined): EndpointTarget | undefined {
  if (reference === null || reference === undefined) return undefined;
  return {
    kind: shared(reference.kind),
    namespace: shared(reference.namespace),
    name: text(reference.name),
    uid: text(reference.uid),
  };
}

export const NO_CONTAINERS: readonly ContainerRecord[] = Object.freeze([]);
export const NO_PORTS: readonly ContainerPortRecord[] = Object.freeze([]);
