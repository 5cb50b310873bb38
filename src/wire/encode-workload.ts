// `digger.v1.Workload`: from an owner's record, from a pod that is its own workload, or from a bare reference.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import type { EncodedEntity, ObjectReference, PodEntity } from '../model/entities.ts';
import type { OwnerRecord } from '../model/kubernetes/records.ts';
import type { EncodedRecord } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { writeBool, writeReference, writeText } from './fields.ts';
import { type MessageWriter, startEntity } from './message-writer.ts';
import { messageType } from './schema.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** Everything but the owner chain. */
export function encodeOwnerRecord(record: OwnerRecord, policy: ValuePolicy): EncodedRecord {
  const writer = startEntity();
  writeIdentity(writer, record);
  const own = writer.cut();
  writeValues(writer, WORKLOAD, record.labels, record.annotations, policy);
  return { own, values: writer.cut(), rest: NO_BYTES };
}

/** The field `owner_chain`. */
export function encodeWorkloadOwners(ownerChain: readonly ObjectReference[]): ByteString {
  const writer = startEntity();
  for (const owner of ownerChain) writeReference(writer, WORKLOAD.ownerChain, owner);
  return writer.cut();
}

/** A workload of which only its reference (and perhaps its owners) is known: no labels, no annotations. */
export function encodeReferredWorkload(
  reference: ObjectReference,
  ownerChain: readonly ObjectReference[],
): EncodedEntity {
  const writer = startEntity();
  writeIdentity(writer, reference);
  writeBool(writer, WORKLOAD.incomplete, reference.incomplete);
  const own = writer.cut();
  return { own, joined: encodeWorkloadOwners(ownerChain), values: NO_BYTES, rest: NO_BYTES };
}

/** A pod that is its own workload, with the pod's labels and annotations. */
export function encodePodAsWorkload(pod: PodEntity, reference: ObjectReference): EncodedEntity {
  const writer = startEntity();
  writeIdentity(writer, reference);
  const own = writer.cut();
  // Labels, annotations and omitted keys have the same numbers in both.
  return { own, joined: encodeWorkloadOwners(pod.ownerChain), values: pod.values, rest: NO_BYTES };
}

interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

function writeIdentity(writer: MessageWriter, identity: Identity): void {
  writeText(writer, WORKLOAD.apiVersion, identity.apiVersion);
  writeText(writer, WORKLOAD.kind, identity.kind);
  writeText(writer, WORKLOAD.namespace, identity.namespace);
  writeText(writer, WORKLOAD.name, identity.name);
  writeText(writer, WORKLOAD.uid, identity.uid);
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

// `encodePodAsWorkload` takes fields from one message into the other, which holds only while their numbers agree.
for (const field of ['labels', 'annotations', 'omitted']) {
  const inPod = messageType('digger.v1.Pod').fields[field]?.id;
  const inWorkload = messageType('digger.v1.Workload').fields[field]?.id;
  if (inPod !== inWorkload) throw new Error(`Pod.${field} = ${inPod} but Workload.${field} = ${inWorkload}`);
}
