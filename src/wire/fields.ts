// Writes what messages have in common straight into a message writer: text, lists, maps, moments, durations,
// references. Tags come from the schema; nothing here builds an object only to encode it.
//
// Default values (empty text, zero, false) are left out, as proto3 encoders do; a message field that is set is always
// written, however empty.

import type { ObjectReference } from '../model/entities.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';
import type { MessageWriter } from './message-writer.ts';
import { FieldTags } from './field-tags.ts';
import { toSecondsAndNanos } from './seconds-and-nanos.ts';

/** Text, unless empty. */
export function writeText(writer: MessageWriter, tag: number, text: string): void {
  if (text !== '') writer.uint32(tag).string(text);
}

export function writeTexts(writer: MessageWriter, tag: number, texts: readonly string[]): void {
  for (const text of texts) writer.uint32(tag).string(text);
}

export function writeUint(writer: MessageWriter, tag: number, value: number): void {
  if (value !== 0) writer.uint32(tag).uint32(value);
}

export function writeBool(writer: MessageWriter, tag: number, value: boolean): void {
  if (value) writer.uint32(tag).bool(true);
}

/** A map of strings; the caller sorts the entries, so that equal maps are equal bytes. */
export function writeMap(writer: MessageWriter, tag: number, entries: readonly (readonly [string, string])[]): void {
  for (const [key, value] of entries) writeMapEntry(writer, tag, key, value);
}

/** One entry of a map of strings. */
export function writeMapEntry(writer: MessageWriter, tag: number, key: string, value: string): void {
  const begun = writer.uint32(tag).begin();
  // Both fields, as every protobuf implementation writes an entry.
  writer.uint32(MAP_KEY).string(key).uint32(MAP_VALUE).string(value);
  writer.end(begun);
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

/** `digger.v1.ObjectReference`; of a hidden object only that it is hidden. */
export function writeReference(writer: MessageWriter, tag: number, reference: ObjectReference): void {
  const begun = writer.uint32(tag).begin();
  if (isHidden(reference.namespace)) {
    writer.uint32(HIDDEN).bool(true).end(begun);
    return;
  }
  writeText(writer, API_VERSION, reference.apiVersion);
  writeText(writer, KIND, reference.kind);
  writeText(writer, NAMESPACE, reference.namespace);
  writeText(writer, NAME, reference.name);
  writeText(writer, UID, reference.uid);
  writeBool(writer, INCOMPLETE, reference.incomplete);
  writer.end(begun);
}

// Timestamp and Duration are the same on the wire: 1 = seconds (int64), 2 = nanos (int32).
const SECONDS = 1 << 3;
const NANOS = 2 << 3;

// A map field is a repeated message {key = 1, value = 2}: protobuf encoding guide, "Maps".
const MAP_KEY = (1 << 3) | 2;
const MAP_VALUE = (2 << 3) | 2;

const reference = new FieldTags('digger.v1.ObjectReference');
const API_VERSION = reference.delimited('apiVersion');
const KIND = reference.delimited('kind');
const NAMESPACE = reference.delimited('namespace');
const NAME = reference.delimited('name');
const UID = reference.delimited('uid');
const INCOMPLETE = reference.varint('incomplete');
const HIDDEN = reference.varint('hidden');
