// Writes the parts that the messages of answers share straight into a message writer: embedded bytes that are encoded already,
// moments, durations, references. Tags come from the schema; nothing here builds an object only to encode it.
//
// Default values (empty text, zero, false) are left out, as proto3 encoders do; a message field that is set is always
// written, however empty.

import type protobuf from 'protobufjs';

import type { ObjectReference } from '../model/entities.ts';
import type { MessageWriter } from './message-writer.ts';
import { messageFieldTag, messageType } from './schema.ts';

/** The tag of a field that is written as a varint (bool, enum, integers). */
export function varintFieldTag(type: protobuf.Type, field: string): number {
  // A varint's wire type is 0, a length-delimited one's is 2.
  return messageFieldTag(type, field) - 2;
}

/** An embedded message whose encoding is the first `length` bytes of `bytes`. */
export function writeEncoded(writer: MessageWriter, tag: number, bytes: Uint8Array, length: number): void {
  writer.uint32(tag).bytes(bytes, length);
}

/** Text, unless empty. */
export function writeText(writer: MessageWriter, tag: number, text: string): void {
  if (text !== '') writer.uint32(tag).string(text);
}

/** `google.protobuf.Timestamp` of a moment in ms since the epoch. */
export function writeTimestamp(writer: MessageWriter, tag: number, ms: number): void {
  const { seconds, nanos } = toSecondsAndNanos(ms);
  const begun = writer.uint32(tag).begin();
  if (seconds !== 0) writer.uint32(SECONDS).int64(seconds);
  if (nanos !== 0) writer.uint32(NANOS).uint32(nanos);
  writer.end(begun);
}

/** `google.protobuf.Duration` of a time span of at least 0 ms. */
export function writeDuration(writer: MessageWriter, tag: number, ms: number): void {
  writeTimestamp(writer, tag, ms);
}

/** `digger.v1.ObjectReference`. */
export function writeReference(writer: MessageWriter, tag: number, reference: ObjectReference): void {
  const begun = writer.uint32(tag).begin();
  writeText(writer, API_VERSION, reference.apiVersion);
  writeText(writer, KIND, reference.kind);
  writeText(writer, NAMESPACE, reference.namespace);
  writeText(writer, NAME, reference.name);
  writeText(writer, UID, reference.uid);
  if (reference.incomplete) writer.uint32(INCOMPLETE).bool(true);
  writer.end(begun);
}

/** The Timestamp or Duration object (for messages that are encoded from objects) of a number of ms. */
export function toSecondsAndNanos(ms: number): { readonly seconds: number; readonly nanos: number } {
  // Nanos count forwards from the second below, also before 1970.
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.trunc((ms - seconds * 1000) * NANOS_PER_MS) };
}

const NANOS_PER_MS = 1_000_000;

// Timestamp and Duration are the same on the wire: 1 = seconds (int64), 2 = nanos (int32).
const SECONDS = 1 << 3;
const NANOS = 2 << 3;

const ObjectReferenceType = messageType('digger.v1.ObjectReference');
const API_VERSION = messageFieldTag(ObjectReferenceType, 'apiVersion');
const KIND = messageFieldTag(ObjectReferenceType, 'kind');
const NAMESPACE = messageFieldTag(ObjectReferenceType, 'namespace');
const NAME = messageFieldTag(ObjectReferenceType, 'name');
const UID = messageFieldTag(ObjectReferenceType, 'uid');
const INCOMPLETE = varintFieldTag(ObjectReferenceType, 'incomplete');
