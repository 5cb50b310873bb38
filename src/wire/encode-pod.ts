// `digger.v1.Pod`: the part that the pod's own record says, and the part that the join adds.

import type { ObjectReference } from '../model/entities.ts';
import { canonicalIps, parseIp } from '../model/ip.ts';
import type { ContainerRecord, PodRecord } from '../model/records.ts';
import {
  type EncodedRecord,
  FieldTags,
  newWriter,
  writeBool,
  writeReference,
  writeString,
  writeStrings,
  writeTimestamp,
  writeUint,
} from './encode-entity.ts';
import { protocolNumber } from './encode-service.ts';
import { enumValues } from './schema.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** Everything but workload, owner chain and services. The bytes are not sealed. */
export function encodePodRecord(record: PodRecord, policy: ValuePolicy): EncodedRecord {
  const writer = newWriter();
  writeString(writer, POD.uid, record.uid);
  writeString(writer, POD.namespace, record.namespace);
  writeString(writer, POD.name, record.name);
  writeStrings(writer, POD.addresses, canonicalIps(record.podIps));
  writeBool(writer, POD.hostNetwork, record.hostNetwork);
  writeString(writer, POD.nodeName, record.nodeName);
  writeStrings(writer, POD.hostAddresses, canonicalIps(record.hostIps));
  writeUint(writer, POD.phase, PHASES.get(record.phase) ?? 0);
  writeTimestamp(writer, POD.startTime, record.startTimeMs);
  writeTimestamp(writer, POD.deletionTime, record.deletionTimeMs);
  const ownLength = writer.len;
  // Containers stand last, so that what precedes them is also the detail of the pod as its own workload.
  writeValues(writer, POD, record.labels, record.annotations, policy);
  for (const container of record.containers) {
    writer.uint32(POD.containers).fork();
    writeString(writer, CONTAINER.name, container.name);
    writeString(writer, CONTAINER.image, container.image);
    writePorts(container);
    writeString(writer, CONTAINER.containerId, container.containerId);
    writer.ldelim();
  }
  return { bytes: writer.finish(), ownLength };

  function writePorts(container: ContainerRecord): void {
    for (const port of container.ports) {
      writer.uint32(CONTAINER.ports).fork();
      writeString(writer, PORT.name, port.name);
      writeUint(writer, PORT.containerPort, port.containerPort);
      writeUint(writer, PORT.hostPort, port.hostPort);
      writeString(writer, PORT.hostIp, boundHostAddress(port.hostIp) ?? '');
      writeUint(writer, PORT.protocol, protocolNumber(port.protocol));
      writer.ldelim();
    }
  }
}

/** The one address that a host port is bound to, canonical; `undefined`: all of the node's (unset or unspecified). */
export function boundHostAddress(hostIp: string): string | undefined {
  const address = parseIp(hostIp);
  return address === '0.0.0.0' || address === '::' ? undefined : address;
}

/** The fields `workload` and `owner_chain`: the same for all pods of one controller, hence encoded once for all. */
export function encodePodOwners(workload: ObjectReference, ownerChain: readonly ObjectReference[]): Uint8Array {
  const writer = newWriter();
  writeReference(writer, POD.workload, workload);
  for (const owner of ownerChain) writeReference(writer, POD.ownerChain, owner);
  return writer.finish();
}

/** One element of the field `services`. */
export function encodePodService(service: ObjectReference): Uint8Array {
  const writer = newWriter();
  writeReference(writer, POD.services, service);
  return writer.finish();
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
  startTime: pod.delimited('startTime'),
  deletionTime: pod.delimited('deletionTime'),
  labels: pod.delimited('labels'),
  annotations: pod.delimited('annotations'),
  containers: pod.delimited('containers'),
  omitted: pod.delimited('omitted'),
};

/** Tag of the field at which the containers begin in a pod's detail. */
export const POD_CONTAINERS_TAG: number = POD.containers;

const container = new FieldTags('digger.v1.Container');
const CONTAINER = {
  name: container.delimited('name'),
  image: container.delimited('image'),
  ports: container.delimited('ports'),
  containerId: container.delimited('containerId'),
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
