// The bytes of a `digger.v1.WatchResponse`.
//
// Entities arrive here encoded. A protobuf message is the concatenation of its fields, so a frame of changes is written
// as headers (tag and length) around copies of those bytes: composing costs a copy, never an encoding. The token is the
// last field, which lets subscribers that stand at different places share the body before it. What gRPC puts before a
// message is put there once too, so that a frame goes to thousands from one piece of memory, see
// `rpc/calls/shared-frames.ts`.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import { type ClusterIdentity, UNKNOWN_CLUSTER } from '../model/cluster-identity.ts';
import type { Entity, EntityKind, ObjectReference } from '../model/entities.ts';
import { copyByteString, copyEncoded, encodedLength, type View } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { writeText } from './fields.ts';
import { startEntity } from './message-writer.ts';
import { enumValues, messageType } from './schema.ts';
import { toSecondsAndNanos } from './seconds-and-nanos.ts';

/** `digger.v1.ResetReason`, without prefix. */
export type ResetReason =
  | 'NO_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'OTHER_EPOCH'
  | 'PROJECTION_CHANGED'
  | 'TOO_SLOW'
  | 'HISTORY_REWRITTEN';

/** What a `digger.v1.Removal` names. */
export interface RemovalKey {
  readonly kind: EntityKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Empty unless a workload. */
  readonly workloadApiVersion: string;
  /** Empty unless a workload. */
  readonly workloadKind: string;
}

/** `digger.v1.ResourceFreshness`: times in ms since the epoch, `stalenessMs` unset while the watch is healthy. */
export interface ResourceFreshness {
  readonly resource: string;
  readonly lastContactMs: number | undefined;
  readonly stalenessMs: number | undefined;
}

/** A whole `WatchResponse`, to be sent unchanged to every subscriber at the same position. */
export class Frame {
  /** Behind the five bytes that gRPC puts before a message (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
  readonly prefixed: Buffer;
  /** The same memory without them. */
  readonly message: Buffer;

  /** Of a message of this length, which has to be written behind the prefix. */
  constructor(messageLength: number) {
    this.prefixed = Buffer.allocUnsafe(PREFIX_BYTES + messageLength);
    this.message = this.prefixed.subarray(PREFIX_BYTES);
    // Not compressed.
    this.prefixed[0] = 0;
    this.prefixed.writeUInt32BE(messageLength, 1);
  }

  /** Of the message. */
  get byteLength(): number {
    return this.message.byteLength;
  }
}

const PREFIX_BYTES = 5;

/** What gRPC clients accept in one message unless they are told otherwise. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Beyond this an entity goes without labels, annotations and containers. Kubernetes keeps no object above 1.5 MiB by
 * default, and lists are cut, so that only a cluster with other limits comes near. The rest is for what is in the frame
 * before it (64 KiB), the token (4 KiB) and headers.
 */
export const MAX_ENTITY_BYTES: number = MAX_MESSAGE_BYTES - 128 * 1024;

const WatchResponse = messageType('digger.v1.WatchResponse');
const RemovalMessage = messageType('digger.v1.Removal');

const response = new FieldTags('digger.v1.WatchResponse');
const FRAME_CHANGES_TAG = oneByteTag(response.delimited('changes'));
const FRAME_TOKEN_TAG = oneByteTag(response.delimited('resumeToken'));
const CHANGES_CHANGE_TAG = oneByteTag(new FieldTags('digger.v1.Changes').delimited('changes'));
const change = new FieldTags('digger.v1.Change');
const CHANGE_UPSERT_TAG = oneByteTag(change.delimited('upsert'));
const CHANGE_FORMER_TAG = oneByteTag(change.delimited('former'));
const CHANGE_REMOVAL_TAG = oneByteTag(change.delimited('removal'));
const entity = new FieldTags('digger.v1.Entity');
const ENTITY_TAGS: Readonly<Record<EntityKind, number>> = {
  Pod: oneByteTag(entity.delimited('pod')),
  Service: oneByteTag(entity.delimited('service')),
  Node: oneByteTag(entity.delimited('node')),
  Workload: oneByteTag(entity.delimited('workload')),
  Namespace: oneByteTag(entity.delimited('namespace')),
};

/** The values of an entity that is too large: `omitted` says that all are left out. */
const ALL_OMITTED = allOmitted();

const KIND_NUMBERS = enumValues('digger.v1.EntityKind');
const REASON_NUMBERS = enumValues('digger.v1.ResetReason');

/** Collects changes in the order in which they have to be applied, then becomes one frame. */
export class ChangesFrame {
  /** Entities to be upserted, former ones, encoded removals, and whole changes as fields of `Change`. */
  readonly #parts: (Entity | Former | Uint8Array | ByteString)[] = [];
  readonly #view: View;
  #bodyLength = 0;

  constructor(view: View) {
    this.#view = view;
  }

  /** Changes so far. */
  get count(): number {
    return this.#parts.length;
  }

  /** Bytes of the frame so far, without token and outermost header. */
  get byteLength(): number {
    return this.#bodyLength;
  }

  addUpsert(entity: Entity): void {
    const sent = this.#fitting(entity);
    this.#add(sent, fieldLength(fieldLength(encodedLength(sent, this.#view))));
  }

  /** An object that is gone, at its last state. */
  addFormer(entity: Entity): void {
    const sent = this.#fitting(entity);
    this.#add(new Former(sent), fieldLength(fieldLength(encodedLength(sent, this.#view))));
  }

  /** Encoded fields of a `digger.v1.Change`. */
  addChange(fields: ByteString): void {
    this.#add(fields, fields.length);
  }

  /** `bytes`: see `encodeRemoval`. */
  addRemoval(bytes: Uint8Array): void {
    this.#add(bytes, fieldLength(bytes.byteLength));
  }

  /** The whole `WatchResponse`. */
  encode(token: Uint8Array): Frame {
    const frame = new Frame(fieldLength(this.#bodyLength) + fieldLength(token.byteLength));
    const target = frame.prefixed;
    let at = writeHeader(target, PREFIX_BYTES, FRAME_CHANGES_TAG, this.#bodyLength);
    for (const part of this.#parts) {
      if (part instanceof Uint8Array) {
        at = writeHeader(target, at, CHANGES_CHANGE_TAG, fieldLength(part.byteLength));
        at = writeHeader(target, at, CHANGE_REMOVAL_TAG, part.byteLength);
        target.set(part, at);
        at += part.byteLength;
        continue;
      }
      if (typeof part === 'string') {
        at = writeHeader(target, at, CHANGES_CHANGE_TAG, part.length);
        at = copyByteString(target, at, part);
        continue;
      }
      const sent = part instanceof Former ? part.entity : part;
      const length = encodedLength(sent, this.#view);
      at = writeHeader(target, at, CHANGES_CHANGE_TAG, fieldLength(fieldLength(length)));
      at = writeHeader(target, at, part instanceof Former ? CHANGE_FORMER_TAG : CHANGE_UPSERT_TAG, fieldLength(length));
      at = writeHeader(target, at, ENTITY_TAGS[sent.kind], length);
      at = copyEncoded(target, at, sent, this.#view);
    }
    at = writeHeader(target, at, FRAME_TOKEN_TAG, token.byteLength);
    target.set(token, at);
    return frame;
  }

  #fitting(entity: Entity): Entity {
    const isTooLarge = encodedLength(entity, this.#view) > MAX_ENTITY_BYTES;
    return isTooLarge ? { ...entity, values: ALL_OMITTED, rest: NO_BYTES } : entity;
  }

  /** `length`: of the `Change`. */
  #add(part: Entity | Former | Uint8Array | ByteString, length: number): void {
    this.#parts.push(part);
    this.#bodyLength += fieldLength(length);
  }
}

/** An entity that is gone. */
class Former {
  readonly entity: Entity;

  constructor(entity: Entity) {
    this.entity = entity;
  }
}

/** A `digger.v1.Removal`. */
export function encodeRemoval(key: RemovalKey): Uint8Array {
  return RemovalMessage.encode({ ...key, kind: KIND_NUMBERS[`ENTITY_KIND_${key.kind.toUpperCase()}`] }).finish();
}

/** The names by which a consumer knows the entity. */
export function removalKey(entity: Entity): RemovalKey {
  const { kind, namespace, name, uid } = entity;
  const workload = entity.kind === 'Workload';
  return {
    kind,
    namespace,
    name,
    uid,
    workloadApiVersion: workload ? entity.apiVersion : '',
    workloadKind: workload ? entity.workloadKind : '',
  };
}

/** The same for a workload of which only the reference is known. */
export function referenceKey({ apiVersion, kind, namespace, name, uid }: ObjectReference): RemovalKey {
  return { kind: 'Workload', namespace, name, uid, workloadApiVersion: apiVersion, workloadKind: kind };
}

/** A `Reset` without its token. */
export function encodeReset(reason: ResetReason, message: string, cluster = UNKNOWN_CLUSTER): Uint8Array {
  const reset = { reason: REASON_NUMBERS[`RESET_REASON_${reason}`], message };
  return WatchResponse.encode({ reset, ...told(cluster) }).finish();
}

/** A `Synced` without its token. */
export function encodeSynced(cluster = UNKNOWN_CLUSTER): Uint8Array {
  return WatchResponse.encode({ synced: {}, ...told(cluster) }).finish();
}

/** A `Progress` without its token. `serverTimeMs`: ms since the epoch. */
export function encodeProgress(
  serverTimeMs: number,
  resources: readonly ResourceFreshness[],
  closing: boolean,
  cluster = UNKNOWN_CLUSTER,
): Uint8Array {
  return WatchResponse.encode({
    progress: {
      serverTime: toSecondsAndNanos(serverTimeMs),
      resources: resources.map(({ resource, lastContactMs, stalenessMs }) => ({
        resource,
        ...(lastContactMs === undefined ? {} : { lastContact: toSecondsAndNanos(lastContactMs) }),
        ...(stalenessMs === undefined ? {} : { staleness: toSecondsAndNanos(stalenessMs) }),
      })),
      closing,
    },
    ...told(cluster),
  }).finish();
}

/** The field `cluster`, unless nothing is known. */
function told({ name, uid }: ClusterIdentity): { readonly cluster?: ClusterIdentity } {
  return name === '' && uid === '' ? {} : { cluster: { name, uid } };
}

/** Puts the token behind a `WatchResponse` that has none yet. */
export function withToken(message: Uint8Array, token: Uint8Array): Frame {
  const frame = new Frame(message.byteLength + fieldLength(token.byteLength));
  const target = frame.prefixed;
  target.set(message, PREFIX_BYTES);
  target.set(token, writeHeader(target, PREFIX_BYTES + message.byteLength, FRAME_TOKEN_TAG, token.byteLength));
  return frame;
}

/** Length of a length-delimited field whose tag takes one byte. */
function fieldLength(contentLength: number): number {
  return 1 + varintLength(contentLength) + contentLength;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Returns the offset behind the header. */
function writeHeader(target: Buffer, offset: number, tag: number, contentLength: number): number {
  let at = offset;
  target[at++] = tag;
  let rest = contentLength;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

function oneByteTag(tag: number): number {
  // Field numbers up to 15. A larger one would need the lengths above to count a second byte.
  if (tag > 0x7f) throw new Error(`tag ${tag} does not fit one byte`);
  return tag;
}

function allOmitted(): ByteString {
  const [tag, ...others] = ['Pod', 'Service', 'Node', 'Workload', 'Namespace'].map((kind) =>
    new FieldTags(`digger.v1.${kind}`).delimited('omitted'),
  );
  if (tag === undefined || others.some((other) => other !== tag)) {
    throw new Error('the kinds of entities do not share the field number of omitted');
  }
  const writer = startEntity();
  writeText(writer, tag, '*');
  return writer.cut();
}
