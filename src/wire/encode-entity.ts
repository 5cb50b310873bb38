// What the encodings of all entities share: how a message is put together from parts, references, times, strings.
//
// An entity's bytes are three parts in a row, because protobuf fields may stand in any order: what its own record says
// (`own`), what the join adds (owners, services), and what VIEW_BASIC leaves out (`detail`). So a join copies `own` and
// `detail` and never needs the record again. Field numbers come from the .proto files, defaults are not written, maps
// are sorted: equal content gives equal bytes. Sealed bytes have exactly their own memory; they never pin a pool slab.

import protobuf from 'protobufjs';
import type { ObjectReference } from '../model/entities.ts';
import { messageType } from './schema.ts';

/** What a record alone contributes: `own`, then `detail` from `ownLength` on. */
export interface EncodedRecord {
  readonly bytes: Uint8Array;
  readonly ownLength: number;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Writes the fields of one message type by name. What is not in the .proto file throws when the module loads. */
export class FieldTags {
  readonly #type: protobuf.Type;

  constructor(fullName: string) {
    this.#type = messageType(fullName);
  }

  /** Tag of a string, bytes, map or message field, or of each element of a repeated one. */
  delimited(field: string): number {
    return (this.#id(field) << 3) | LENGTH_DELIMITED;
  }

  /** Tag of a bool, enum or integer field. */
  varint(field: string): number {
    return (this.#id(field) << 3) | VARINT;
  }

  #id(field: string): number {
    const found = this.#type.fields[field];
    if (found === undefined) throw new Error(`${this.#type.fullName} has no field ${field}`);
    return found.id;
  }
}

export function newWriter(): protobuf.Writer {
  return protobuf.Writer.create();
}

/** A copy that owns exactly its memory: small allocations would otherwise hold a shared 8 KiB pool slab alive. */
export function sealBytes(bytes: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafeSlow(bytes.length);
  sealed.set(bytes);
  return sealed;
}

/** The entity's bytes with the fields of the join between `own` and `detail`; `basicLength` is where `detail` begins. */
export function joinParts(
  own: Uint8Array,
  joined: readonly Uint8Array[],
  detail: Uint8Array,
): { readonly bytes: Uint8Array; readonly basicLength: number } {
  let basicLength = own.length;
  for (const part of joined) basicLength += part.length;
  const bytes = Buffer.allocUnsafeSlow(basicLength + detail.length);
  bytes.set(own);
  let at = own.length;
  for (const part of joined) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.set(detail, at);
  return { bytes, basicLength };
}

export function writeString(writer: protobuf.Writer, tag: number, value: string): void {
  if (value !== '') writer.uint32(tag).string(value);
}

export function writeStrings(writer: protobuf.Writer, tag: number, values: readonly string[]): void {
  for (const value of values) writer.uint32(tag).string(value);
}

export function writeUint(writer: protobuf.Writer, tag: number, value: number): void {
  if (value !== 0) writer.uint32(tag).uint32(value);
}

export function writeBool(writer: protobuf.Writer, tag: number, value: boolean): void {
  if (value) writer.uint32(tag).bool(true);
}

/** A map of strings, sorted by key (UTF-16 code units), so that equal maps are equal bytes. */
export function writeMap(writer: protobuf.Writer, tag: number, entries: readonly (readonly [string, string])[]): void {
  for (const [key, value] of entries) {
    writer.uint32(tag).fork();
    // Entries of a map are written with both fields, as every protobuf implementation does.
    writer.uint32(MAP_KEY).string(key).uint32(MAP_VALUE).string(value);
    writer.ldelim();
  }
}

/** google.protobuf.Timestamp of a time in ms since the epoch; times before 1970 have negative seconds, never nanos. */
export function writeTimestamp(writer: protobuf.Writer, tag: number, timeMs: number | undefined): void {
  if (timeMs === undefined) return;
  const seconds = Math.floor(timeMs / 1000);
  const nanos = Math.round((timeMs - seconds * 1000) * 1e6);
  writer.uint32(tag).fork();
  if (seconds !== 0) writer.uint32(TIMESTAMP_SECONDS).int64(seconds);
  if (nanos !== 0) writer.uint32(TIMESTAMP_NANOS).int32(nanos);
  writer.ldelim();
}

export function writeReference(writer: protobuf.Writer, tag: number, reference: ObjectReference): void {
  writer.uint32(tag).fork();
  writeString(writer, REFERENCE.apiVersion, reference.apiVersion);
  writeString(writer, REFERENCE.kind, reference.kind);
  writeString(writer, REFERENCE.namespace, reference.namespace);
  writeString(writer, REFERENCE.name, reference.name);
  writeString(writer, REFERENCE.uid, reference.uid);
  writeBool(writer, REFERENCE.incomplete, reference.incomplete);
  writer.ldelim();
}

const reference = new FieldTags('digger.v1.ObjectReference');
const REFERENCE = {
  apiVersion: reference.delimited('apiVersion'),
  kind: reference.delimited('kind'),
  namespace: reference.delimited('namespace'),
  name: reference.delimited('name'),
  uid: reference.delimited('uid'),
  incomplete: reference.varint('incomplete'),
};

const timestamp = new FieldTags('google.protobuf.Timestamp');
const TIMESTAMP_SECONDS = timestamp.varint('seconds');
const TIMESTAMP_NANOS = timestamp.varint('nanos');

// A map field is a repeated message {key = 1, value = 2}: protobuf encoding guide, "Maps".
const MAP_KEY = (1 << 3) | LENGTH_DELIMITED;
const MAP_VALUE = (2 << 3) | LENGTH_DELIMITED;
