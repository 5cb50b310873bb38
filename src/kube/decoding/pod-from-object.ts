// Trims a decoded pod to its record: its containers of all kinds, its addresses, and what its conditions tell of
// moments.
//
// The same rules as in records-from-objects.ts. Pods in protobuf, which come by the hundred thousand, are read without
// an object in between (pod-reader.ts); the records are equal.

import { podNetworksOf } from '../../model/kubernetes/pod-networks.ts';
import type { ContainerPortRecord, ContainerRecord, PodRecord } from '../../model/kubernetes/records.ts';
import type { ContainerObject, ContainerStatusObject, PodObject } from './decoded-objects.ts';
import { list, NOTHING, shared, text, toIps, toPort, toTimeMs } from './lenient-fields.ts';
import { toMeta } from './object-meta.ts';

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

export const NO_CONTAINERS: readonly ContainerRecord[] = Object.freeze([]);

export const NO_PORTS: readonly ContainerPortRecord[] = Object.freeze([]);
