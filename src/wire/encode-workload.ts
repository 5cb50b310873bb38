// `digger.v1.Workload`: from an owner's record, from a pod that is its own workload, or from a bare reference.

import protobuf from 'protobufjs';
import type { EncodedEntity, ObjectReference, PodEntity } from '../model/entities.ts';
import type { OwnerRecord } from '../model/records.ts';
import {
  type EncodedRecord,
  FieldTags,
  joinParts,
  newWriter,
  writeBool,
  writeReference,
  writeString,
} from './encode-entity.ts';
import { POD_CONTAINERS_TAG } from './encode-pod.ts';
import { messageType } from './schema.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** Everything but the owner chain. The bytes are not sealed. */
export function encodeOwnerRecord(record: OwnerRecord, policy: ValuePolicy): EncodedRecord {
  const writer = newWriter();
  writeIdentity(writer, record);
  const ownLength = writer.len;
  writeValues(writer, WORKLOAD, record.labels, record.annotations, policy);
  return { bytes: writer.finish(), ownLength };
}

/** The field `owner_chain`. */
export function encodeWorkloadOwners(ownerChain: readonly ObjectReference[]): Uint8Array {
  const writer = newWriter();
  for (const owner of ownerChain) writeReference(writer, WORKLOAD.ownerChain, owner);
  return writer.finish();
}

/** A workload of which only its reference (and perhaps its owners) is known: no labels, no annotations. */
export function encodeReferredWorkload(
  reference: ObjectReference,
  ownerChain: readonly ObjectReference[],
): EncodedEntity {
  const writer = newWriter();
  writeIdentity(writer, reference);
  for (const owner of ownerChain) writeReference(writer, WORKLOAD.ownerChain, owner);
  writeBool(writer, WORKLOAD.incomplete, reference.incomplete);
  return joinParts(writer.finish(), [], NOTHING);
}

/** A pod that is its own workload, with the pod's labels and annotations. */
export function encodePodAsWorkload(pod: PodEntity, reference: ObjectReference): EncodedEntity {
  const writer = newWriter();
  writeIdentity(writer, reference);
  for (const owner of pod.ownerChain) writeReference(writer, WORKLOAD.ownerChain, owner);
  return joinParts(writer.finish(), [], valuesOf(pod));
}

/** The pod's detail without its containers: labels, annotations and omitted keys have the same numbers in both. */
function valuesOf(pod: EncodedEntity): Uint8Array {
  const detail = pod.bytes.subarray(pod.basicLength);
  const reader = protobuf.Reader.create(detail);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag === POD_CONTAINERS_TAG) return detail.subarray(0, start);
    reader.skipType(tag & 7);
  }
  return detail;
}

interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

function writeIdentity(writer: protobuf.Writer, identity: Identity): void {
  writeString(writer, WORKLOAD.apiVersion, identity.apiVersion);
  writeString(writer, WORKLOAD.kind, identity.kind);
  writeString(writer, WORKLOAD.namespace, identity.namespace);
  writeString(writer, WORKLOAD.name, identity.name);
  writeString(writer, WORKLOAD.uid, identity.uid);
}

const workload = new FieldTags('digger.v1.Workload');
const WORKLOAD = {
  apiVersion: workload.delimited('apiVersion'),
  kind: workload.delimited('kind'),
  namespace: workload.delimited('namespace'),
  name: workload.delimited('name'),
  uid: workload.delimited('uid'),
  ownerChain: workload.delimited('ownerChain'),
  incomplete: workload.varint('incomplete'),
  labels: workload.delimited('labels'),
  annotations: workload.delimited('annotations'),
  omitted: workload.delimited('omitted'),
};

const NOTHING = new Uint8Array(0);

// `valuesOf` copies fields from one message to the other, which holds only while their numbers agree.
for (const field of ['labels', 'annotations', 'omitted']) {
  const inPod = messageType('digger.v1.Pod').fields[field]?.id;
  const inWorkload = messageType('digger.v1.Workload').fields[field]?.id;
  if (inPod !== inWorkload) throw new Error(`Pod.${field} = ${inPod} but Workload.${field} = ${inWorkload}`);
}
