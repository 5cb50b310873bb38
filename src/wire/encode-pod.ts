// `digger.v1.Pod`: the part that the pod's own record says, and the part that the join adds.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import type { ObjectReference, PodEntity } from '../model/entities.ts';
import { parseApiIp } from '../model/ip/ip.ts';
import type { ContainerRecord, NodeRecord, PodRecord } from '../model/kubernetes/records.ts';
import type { EncodedRecord } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { protocolNumber } from './encode-service.ts';
import {
  writeBool,
  writeMapEntry,
  writeReference,
  writeText,
  writeTexts,
  writeTimestamp,
  writeUint,
} from './fields.ts';
import { startEntity } from './message-writer.ts';
import { enumValues } from './schema.ts';
import { keptLabel, REGION_LABEL, type ValuePolicy, writeValues, ZONE_LABEL } from './value-policy.ts';

/**
 * Everything but workload, owner chain and services. `ips`: the canonical forms of the record's, which others need too.
 */
export function encodePodRecord(record: PodRecord, ips: PodIps, policy: ValuePolicy): EncodedRecord {
  const writer = startEntity();
  writeText(writer, POD.uid, record.uid);
  writeText(writer, POD.namespace, record.namespace);
  writeText(writer, POD.name, record.name);
  writeTexts(writer, POD.addresses, ips.addresses);
  writeBool(writer, POD.hostNetwork, record.hostNetwork);
  writeText(writer, POD.nodeName, record.nodeName);
  writeText(writer, POD.serviceAccount, record.serviceAccount);
  writeBool(writer, POD.ready, record.ready);
  writeTexts(writer, POD.hostAddresses, ips.hostAddresses);
  for (const network of ips.networks) {
    const begun = writer.uint32(POD.networks).begin();
    writeText(writer, NETWORK.name, network.name);
    writeTexts(writer, NETWORK.addresses, network.addresses);
    writeText(writer, NETWORK.interface, network.interface);
    writer.end(begun);
  }
  writeUint(writer, POD.phase, PHASES.get(record.phase) ?? 0);
  if (record.startTimeMs !== undefined) writeTimestamp(writer, POD.startTime, record.startTimeMs);
  if (record.deletionTimeMs !== undefined) writeTimestamp(writer, POD.deletionTime, record.deletionTimeMs);
  const own = writer.cut();
  writeValues(writer, POD, record.labels, record.annotations, policy);
  // With the values, because pods of one controller share those, and run the same images.
  for (const { name, imageDigest } of record.containers) {
    if (imageDigest !== '') writeMapEntry(writer, POD.imageDigests, name, imageDigest);
  }
  const values = writer.cut();
  for (const container of record.containers) writeContainer(POD.containers, container);
  for (const container of record.otherContainers) writeContainer(POD.otherContainers, container);
  return { own, values, rest: writer.cut() };

  function writeContainer(tag: number, container: ContainerRecord): void {
    const begun = writer.uint32(tag).begin();
    writeText(writer, CONTAINER.name, container.name);
    writeText(writer, CONTAINER.image, container.image);
    writePorts(container);
    writeText(writer, CONTAINER.containerId, container.containerId);
    writeUint(writer, CONTAINER.type, CONTAINER_TYPES[container.type]);
    writeText(writer, CONTAINER.previousContainerId, container.previousContainerId);
    writeBool(writer, CONTAINER.ended, container.ended);
    writer.end(begun);
  }

  function writePorts(container: ContainerRecord): void {
    for (const port of container.ports) {
      const begun = writer.uint32(CONTAINER.ports).begin();
      writeText(writer, PORT.name, port.name);
      writeUint(writer, PORT.containerPort, port.containerPort);
      writeUint(writer, PORT.hostPort, port.hostPort);
      writeText(writer, PORT.hostIp, boundHostAddress(port.hostIp) ?? '');
      writeUint(writer, PORT.protocol, protocolNumber(port.protocol));
      writer.end(begun);
    }
  }
}

/** Canonical addresses of a pod, of its node, and on the networks that are published. */
export type PodIps = Pick<PodEntity, 'addresses' | 'hostAddresses'> & Pick<PodRecord, 'networks'>;

/** The one address that a host port is bound to, canonical; `undefined`: all of the node's (unset or unspecified). */
export function boundHostAddress(hostIp: string): string | undefined {
  const address = parseApiIp(hostIp);
  return address === '0.0.0.0' || address === '::' ? undefined : address;
}

/** The fields `zone` and `region`: what the labels of its node say, as far as they are published. */
export function encodePodPlace({ labels }: NodeRecord, policy: ValuePolicy): ByteString {
  const zone = keptLabel(labels, ZONE_LABEL, policy);
  const region = keptLabel(labels, REGION_LABEL, policy);
  if (zone === '' && region === '') return NO_BYTES;
  const writer = startEntity();
  writeText(writer, POD.zone, zone);
  writeText(writer, POD.region, region);
  return writer.cut();
}

/** The fields `workload` and `owner_chain`: the same for all pods of one controller, hence encoded once for all. */
export function encodePodOwners(workload: ObjectReference, ownerChain: readonly ObjectReference[]): ByteString {
  const writer = startEntity();
  writeReference(writer, POD.workload, workload);
  for (const owner of ownerChain) writeReference(writer, POD.ownerChain, owner);
  return writer.cut();
}

/** One element of the field `services`. */
export function encodePodService(service: ObjectReference): ByteString {
  const writer = startEntity();
  writeReference(writer, POD.services, service);
  return writer.cut();
}

/** The fields `service_count` (0: not cut) and `endpoint_addresses`; sorted by the caller. */
export function encodePodEndpoints(serviceCount: number, endpointAddresses: readonly string[]): ByteString {
  if (serviceCount === 0 && endpointAddresses.length === 0) return NO_BYTES;
  const writer = startEntity();
  writeUint(writer, POD.serviceCount, serviceCount);
  writeTexts(writer, POD.endpointAddresses, endpointAddresses);
  return writer.cut();
}

const pod = new FieldTags('digger.v1.Pod');
const POD = {
  uid: pod.delimited('uid'),
  namespace: pod.delimited('namespace'),
  name: pod.delimited('name'),
  addresses: pod.delimited('addresses'),
  hostNetwork: pod.varint('hostNetwork'),
  nodeName: pod.delimited('nodeName'),
  hostAddresses: pod.delimited('hostAddresses'),
  phase: pod.varint('phase'),
  workload: pod.delimited('workload'),
  ownerChain: pod.delimited('ownerChain'),
  services: pod.delimited('services'),
  serviceCount: pod.varint('serviceCount'),
  endpointAddresses: pod.delimited('endpointAddresses'),
  networks: pod.delimited('networks'),
  zone: pod.delimited('zone'),
  region: pod.delimited('region'),
  serviceAccount: pod.delimited('serviceAccount'),
  ready: pod.varint('ready'),
  imageDigests: pod.delimited('imageDigests'),
  startTime: pod.delimited('startTime'),
  deletionTime: pod.delimited('deletionTime'),
  labels: pod.delimited('labels'),
  annotations: pod.delimited('annotations'),
  containers: pod.delimited('containers'),
  otherContainers: pod.delimited('otherContainers'),
  omitted: pod.delimited('omitted'),
};

const container = new FieldTags('digger.v1.Container');
const CONTAINER = {
  name: container.delimited('name'),
  image: container.delimited('image'),
  ports: container.delimited('ports'),
  containerId: container.delimited('containerId'),
  type: container.varint('type'),
  previousContainerId: container.delimited('previousContainerId'),
  ended: container.varint('ended'),
};

const containerTypes = enumValues('digger.v1.ContainerType');
const CONTAINER_TYPES: Readonly<Record<ContainerRecord['type'], number>> = {
  ordinary: 0,
  sidecar: containerTypes['CONTAINER_TYPE_SIDECAR'] ?? 0,
  init: containerTypes['CONTAINER_TYPE_INIT'] ?? 0,
  ephemeral: containerTypes['CONTAINER_TYPE_EPHEMERAL'] ?? 0,
};

const network = new FieldTags('digger.v1.PodNetwork');
const NETWORK = {
  name: network.delimited('name'),
  addresses: network.delimited('addresses'),
  interface: network.delimited('interface'),
};

const port = new FieldTags('digger.v1.ContainerPort');
const PORT = {
  name: port.delimited('name'),
  containerPort: port.varint('containerPort'),
  hostPort: port.varint('hostPort'),
  hostIp: port.delimited('hostIp'),
  protocol: port.varint('protocol'),
};

/** `Running` → POD_PHASE_RUNNING. */
const PHASES: ReadonlyMap<string, number> = new Map(
  ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'].map((phase) => [
    phase,
    enumValues('digger.v1.PodPhase')[`POD_PHASE_${phase.toUpperCase()}`] ?? 0,
  ]),
);
