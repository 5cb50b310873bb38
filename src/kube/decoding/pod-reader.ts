// A pod's record straight out of its protobuf. Pods come by the hundred thousand, and two thirds of what protobufjs
// allocates for one (objects for messages, for 64-bit numbers, arrays of conditions) is thrown away at once.
//
// Field numbers are those of proto/kubernetes/core.proto, and the record is the one that pod-from-object.ts makes
// of what protobufjs decodes: a test holds the two against each other.

import { podNetworksOf } from '../../model/kubernetes/pod-networks.ts';
import type { ContainerPortRecord, ContainerRecord, PodRecord } from '../../model/kubernetes/records.ts';
import { append, DELIMITED, MessageCursor, tagOf, VARINT } from './message-cursor.ts';
import { NO_TEXTS, toPort } from './lenient-fields.ts';
import { noMetadata, readMetadata } from './metadata-reader.ts';
import {
  latestFinish,
  NO_STATUS,
  type ReadContainerStatus,
  readNested,
  type ReadStatus,
  readStatus,
} from './pod-status-reader.ts';
import { NO_CONTAINERS, NO_PORTS, toDigest } from './pod-from-object.ts';

/** `raw`: the message `Pod`. Throws a WireError when it is damaged. */
export function readPod(raw: Uint8Array): { readonly record: PodRecord; readonly resourceVersion: string } {
  const cursor = new MessageCursor(raw);
  let meta = noMetadata();
  let spec = NO_SPEC;
  let status = NO_STATUS;
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === POD.metadata) meta = readMetadata(cursor);
    else if (tag === POD.spec) spec = readSpec(cursor);
    else if (tag === POD.status) status = readStatus(cursor);
    else cursor.skip(tag);
  }
  const podIps = orOnly(status.podIps, status.podIp);
  const { networks, problem } = podNetworksOf(meta.annotations, podIps);
  const record: PodRecord = {
    type: 'Pod',
    namespace: meta.namespace,
    name: meta.name,
    uid: meta.uid,
    labels: meta.labels,
    annotations: meta.annotations,
    creationTimeMs: meta.creationTimeMs,
    deletionTimeMs: meta.deletionTimeMs,
    controller: meta.controller,
    nodeName: spec.nodeName,
    serviceAccount: spec.serviceAccount,
    ready: status.ready,
    hostNetwork: spec.hostNetwork,
    phase: status.phase,
    podIps,
    hostIps: orOnly(status.hostIps, status.hostIp),
    startTimeMs: status.startTimeMs,
    sandboxReadyTimeMs: status.sandboxReadyTimeMs,
    finishedTimeMs: latestFinish(status),
    containers: toContainers(spec, status),
    otherContainers: toOtherContainers(spec, status),
    networks,
    ...(problem === undefined ? undefined : { networkProblem: problem }),
  };
  return { record, resourceVersion: meta.resourceVersion };
}

interface ReadContainer {
  name: string;
  image: string;
  restartPolicy: string;
  ports: ContainerPortRecord[] | undefined;
}

interface ReadSpec {
  nodeName: string;
  serviceAccount: string;
  hostNetwork: boolean;
  containers: ReadContainer[] | undefined;
  init: ReadContainer[] | undefined;
  ephemeral: ReadContainer[] | undefined;
}

function readSpec(cursor: MessageCursor): ReadSpec {
  const spec = noSpec();
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case SPEC.containers:
        spec.containers = append(spec.containers, readContainer(cursor));
        break;
      case SPEC.initContainers:
        spec.init = append(spec.init, readContainer(cursor));
        break;
      case SPEC.ephemeralContainers: {
        const container = readNested(cursor, EPHEMERAL_COMMON, readContainer);
        spec.ephemeral = append(spec.ephemeral, container ?? noContainer());
        break;
      }
      case SPEC.nodeName:
        spec.nodeName = cursor.shared();
        break;
      case SPEC.serviceAccountName:
        spec.serviceAccount = cursor.shared();
        break;
      case SPEC.hostNetwork:
        spec.hostNetwork = cursor.bool();
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return spec;
}

function readContainer(cursor: MessageCursor): ReadContainer {
  const container = noContainer();
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case CONTAINER.name:
        container.name = cursor.shared();
        break;
      case CONTAINER.image:
        container.image = cursor.shared();
        break;
      case CONTAINER.ports:
        container.ports = append(container.ports, readPort(cursor));
        break;
      case CONTAINER.restartPolicy:
        container.restartPolicy = cursor.shared();
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return container;
}

function readPort(cursor: MessageCursor): ContainerPortRecord {
  let name = '';
  let containerPort = 0;
  let hostPort = 0;
  let hostIp = '';
  let protocol = '';
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case PORT.name:
        name = cursor.shared();
        break;
      case PORT.hostPort:
        hostPort = cursor.int32();
        break;
      case PORT.containerPort:
        containerPort = cursor.int32();
        break;
      case PORT.protocol:
        protocol = cursor.shared();
        break;
      case PORT.hostIP:
        hostIp = cursor.shared();
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return { name, containerPort: toPort(containerPort), hostPort: toPort(hostPort), hostIp, protocol };
}

function orOnly(many: readonly string[] | undefined, only: string): readonly string[] {
  if (many !== undefined) return many;
  return only === '' ? NO_TEXTS : [only];
}

function toContainers(spec: ReadSpec, { ordinary, init }: ReadStatus): readonly ContainerRecord[] {
  let found: ContainerRecord[] | undefined;
  // A sidecar runs beside the ordinary containers (KEP-753); other init containers are gone by then.
  for (const each of spec.init ?? []) if (isSidecar(each)) found = append(found, toContainer('sidecar', each, init));
  for (const each of spec.containers ?? []) found = append(found, toContainer('ordinary', each, ordinary));
  return found ?? [];
}

function toOtherContainers(spec: ReadSpec, { init, ephemeral }: ReadStatus): readonly ContainerRecord[] {
  let found: ContainerRecord[] | undefined;
  for (const each of spec.init ?? []) if (!isSidecar(each)) found = append(found, toContainer('init', each, init));
  for (const each of spec.ephemeral ?? []) found = append(found, toContainer('ephemeral', each, ephemeral));
  return found ?? NO_CONTAINERS;
}

function isSidecar({ restartPolicy }: ReadContainer): boolean {
  return restartPolicy === 'Always';
}

function toContainer(
  type: ContainerRecord['type'],
  { name, image, ports }: ReadContainer,
  statuses: readonly ReadContainerStatus[] | undefined,
): ContainerRecord {
  let containerId = '';
  let previousContainerId = '';
  let ended = false;
  let imageDigest = '';
  for (const status of statuses ?? []) {
    if (status.name !== name) continue;
    const isBetween = status.containerId === status.previousId;
    containerId = status.containerId;
    previousContainerId = isBetween ? '' : status.previousId;
    // Between two of them the status still has the id of the one before.
    ended = status.isTerminated || (containerId !== '' && isBetween);
    imageDigest = toDigest(status.imageId);
  }
  return { type, name, image, containerId, previousContainerId, ended, imageDigest, ports: ports ?? NO_PORTS };
}

const POD = { metadata: tagOf(1, DELIMITED), spec: tagOf(2, DELIMITED), status: tagOf(3, DELIMITED) } as const;

const SPEC = {
  containers: tagOf(2, DELIMITED),
  serviceAccountName: tagOf(8, DELIMITED),
  nodeName: tagOf(10, DELIMITED),
  hostNetwork: tagOf(11, VARINT),
  initContainers: tagOf(20, DELIMITED),
  ephemeralContainers: tagOf(34, DELIMITED),
} as const;

/** Of `EphemeralContainer`: what it has in common with other containers. */
const EPHEMERAL_COMMON = tagOf(1, DELIMITED);

const CONTAINER = {
  name: tagOf(1, DELIMITED),
  image: tagOf(2, DELIMITED),
  ports: tagOf(6, DELIMITED),
  restartPolicy: tagOf(24, DELIMITED),
} as const;

const PORT = {
  name: tagOf(1, DELIMITED),
  hostPort: tagOf(2, VARINT),
  containerPort: tagOf(3, VARINT),
  protocol: tagOf(4, DELIMITED),
  hostIP: tagOf(5, DELIMITED),
} as const;

function noContainer(): ReadContainer {
  return { name: '', image: '', restartPolicy: '', ports: undefined };
}

function noSpec(): ReadSpec {
  return {
    nodeName: '',
    serviceAccount: '',
    hostNetwork: false,
    containers: undefined,
    init: undefined,
    ephemeral: undefined,
  };
}

/** Of a pod without one. */
const NO_SPEC = noSpec();
