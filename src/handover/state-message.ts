// `digger.v1.HandedState`: the last state of an object that is gone, written and read, as far as answers need it. Of one
// in a hidden namespace only that is told. Its names are hashes here, and a hash would confirm a name that somebody guesses,
// so they are not told either.
//
// Its encoded message is passed on as it is, in its parts, once it is known to be one: it will be copied into
// answers and frames, and bytes that are not a message would break their readers.

import protobuf from 'protobufjs';
import type { HolderEntity } from '../addresses/claims/claim.ts';
import { type ByteString, NO_BYTES, toByteString } from '../model/byte-string.ts';
import type { ObjectReference } from '../model/entities.ts';
import { HIDDEN_REFERENCE, isHidden } from '../model/namespaces/published-namespaces.ts';
import type { ObjectReference__Output } from '../wire/generated/digger/v1/ObjectReference.ts';
import type { HandedState__Output } from '../wire/generated/digger/v1/HandedState.ts';
import { enumValues, messageType } from '../wire/schema.ts';
import type { Fields } from './claim-message.ts';

const KINDS = enumValues('digger.v1.EntityKind');

export function stateFields(entity: HolderEntity): Fields {
  const { namespace, name, creationTimeMs, own, joined, place = NO_BYTES, values, rest } = entity;
  const deletionMs = entity.kind === 'Service' ? undefined : entity.deletionTimeMs;
  const common = {
    kind: KINDS[`ENTITY_KIND_${entity.kind.toUpperCase()}`],
    ...(creationTimeMs === undefined ? {} : { creationMs: creationTimeMs }),
    ...(deletionMs === undefined ? {} : { deletionMs }),
    ...(entity.kind === 'Pod' ? runningFields(entity) : {}),
  };
  if (isHidden(namespace)) return { ...common, hidden: true };
  return {
    ...common,
    namespace,
    name,
    ...(entity.kind === 'Pod' ? ownerFields(entity) : {}),
    ...(entity.kind === 'Service' ? { workloads: entity.workloads.map(referenceFields) } : {}),
    own: bytes(own),
    joined: bytes(joined),
    place: bytes(place),
    values: bytes(values),
    rest: bytes(rest),
  };
}

/** Throws when it cannot be read. */
export function readState(state: HandedState__Output, uid: string): HolderEntity {
  if (state.hidden) return readHidden(state, uid);
  const { namespace, name, creationMs, deletionMs, nodeName, hostNetwork, terminal } = state;
  if (isHidden(namespace)) throw new Error('a namespace that no name in Kubernetes is');
  const parts = [state.own, state.joined, state.place, state.values, state.rest].map((part) => Buffer.from(part));
  const facts = {
    uid,
    namespace,
    name,
    creationTimeMs: creationMs,
    ...readParts(parts),
  };
  const workloads = state.workloads.map(readReference);
  switch (state.kind) {
    case 'ENTITY_KIND_POD': {
      check('Pod', parts);
      const [workload] = workloads;
      if (workload === undefined) throw new Error('a pod without a workload');
      const ownerChain = state.ownerChain.map(readReference);
      return { ...NO_POD, ...facts, nodeName, hostNetwork, terminal, deletionTimeMs: deletionMs, ownerChain, workload };
    }
    case 'ENTITY_KIND_SERVICE':
      check('Service', parts);
      return { ...NO_SERVICE, ...facts, workloads };
    case 'ENTITY_KIND_NODE':
      check('Node', parts);
      return { kind: 'Node', ...facts, deletionTimeMs: deletionMs, addresses: [], podRanges: [] };
    default:
      throw new Error(`an object of an unknown kind: ${state.kind}`);
  }
}

/** All that is known of it is that it is hidden, so nothing that is told of it can say more. */
function readHidden(state: HandedState__Output, uid: string): HolderEntity {
  const { creationMs, deletionMs, nodeName, hostNetwork, terminal } = state;
  const { namespace, name } = HIDDEN_REFERENCE;
  const facts = { uid, namespace, name, creationTimeMs: creationMs, ...NO_PARTS };
  switch (state.kind) {
    case 'ENTITY_KIND_POD': {
      const ran = { nodeName, hostNetwork, terminal, deletionTimeMs: deletionMs };
      return { ...NO_POD, ...facts, ...ran, ownerChain: [], workload: HIDDEN_REFERENCE };
    }
    case 'ENTITY_KIND_SERVICE':
      return { ...NO_SERVICE, ...facts, workloads: [] };
    default:
      throw new Error(`a hidden object of a kind that has no namespace: ${state.kind}`);
  }
}

const NO_PARTS = { own: NO_BYTES, joined: NO_BYTES, values: NO_BYTES, rest: NO_BYTES } as const;

/** It claims nothing any more. */
const NO_POD = {
  kind: 'Pod',
  addresses: [],
  hostAddresses: [],
  startTimeMs: undefined,
  sandboxReadyTimeMs: undefined,
  finishedTimeMs: undefined,
  hostPorts: [],
} as const;

const NO_SERVICE = {
  kind: 'Service',
  externalName: false,
  ports: [],
  clusterAddresses: [],
  loadBalancerAddresses: [],
  externalAddresses: [],
  nodePorts: [],
  manualEndpoints: [],
} as const;

function runningFields({ nodeName, hostNetwork, terminal }: HolderEntity & { kind: 'Pod' }): Fields {
  return { nodeName, hostNetwork, terminal };
}

function ownerFields({ ownerChain, workload }: HolderEntity & { kind: 'Pod' }): Fields {
  return { ownerChain: ownerChain.map(referenceFields), workloads: [referenceFields(workload)] };
}

function referenceFields(reference: ObjectReference): Fields {
  return isHidden(reference.namespace) ? { hidden: true } : { ...reference };
}

function readParts([own, joined, place, values, rest]: readonly Buffer[]): Pick<
  HolderEntity,
  'own' | 'joined' | 'place' | 'values' | 'rest'
> {
  const text = (part: Buffer | undefined): ByteString => (part === undefined ? NO_BYTES : toByteString(part));
  const located = place === undefined || place.byteLength === 0 ? {} : { place: toByteString(place) };
  return { own: text(own), joined: text(joined), ...located, values: text(values), rest: text(rest) };
}

/** Each part by itself: answers leave some of them out, and labels and containers are read where they lie. */
function check(kind: HolderEntity['kind'], parts: readonly Buffer[]): void {
  const type = messageType(`digger.v1.${kind}`);
  // protobufjs's reader for Buffers takes a text that is cut off for a shorter one; the plain one refuses it.
  for (const part of parts) type.decode(new protobuf.Reader(part));
  const [, , , values = NO_PART, rest = NO_PART] = parts;
  checkWireTypes(values, [LENGTH_DELIMITED]);
  for (const container of checkWireTypes(rest, [LENGTH_DELIMITED]))
    checkWireTypes(container, [VARINT, LENGTH_DELIMITED]);
}

/** Those who read fields where they lie know no others; a version that adds one may come. Returns what has a length. */
function checkWireTypes(message: Uint8Array, known: readonly number[]): readonly Uint8Array[] {
  const reader = new protobuf.Reader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const wireType = reader.uint32() & 7;
    if (!known.includes(wireType)) throw new Error(`an object with a field of wire type ${wireType}`);
    if (wireType === LENGTH_DELIMITED) found.push(reader.bytes());
    else reader.skipType(wireType);
  }
  return found;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const NO_PART = new Uint8Array();

function readReference(reference: ObjectReference__Output): ObjectReference {
  const { apiVersion, kind, namespace, name, uid, incomplete, hidden } = reference;
  if (hidden) return HIDDEN_REFERENCE;
  if (isHidden(namespace)) throw new Error('a reference into a namespace that no name in Kubernetes is');
  return { apiVersion, kind, namespace, name, uid, incomplete };
}

function bytes(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}
