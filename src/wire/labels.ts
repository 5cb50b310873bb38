// The labels of an entity, read where they lie: inside its encoded message.
//
// Nothing but a label filter asks for them, so they are not decoded in advance and not kept: reading a handful of map
// entries costs about as much as finding them in a cache would.

import protobuf from 'protobufjs';
import { messageType } from './schema.ts';

const LABELS_FIELD = labelsField();

/**
 * The label entries of an encoded entity as they stand there, one after the other; `from` skips what cannot be labels
 * (`basicLength`: labels are behind it). Equal labels of equally encoded entities give equal bytes.
 */
export function labelBytes(message: Uint8Array, from: number): Buffer {
  const entries: Uint8Array[] = [];
  scan(message, from, (start, end) => {
    entries.push(message.subarray(start, end));
    return true;
  });
  return Buffer.concat(entries);
}

/** Whether all of `wanted` is among the labels. `from` as above; bytes made by `labelBytes` start at 0. */
export function hasLabels(message: Uint8Array, from: number, wanted: ReadonlyMap<string, string>): boolean {
  let missing = wanted.size;
  if (missing === 0) return true;
  scan(message, from, (start, end) => {
    const { key, value } = readEntry(message.subarray(start, end));
    if (wanted.get(key) === value) missing--;
    return missing > 0;
  });
  return missing === 0;
}

/** Calls back with start and end of every label field, tag included, until told to stop. */
function scan(message: Uint8Array, from: number, found: (start: number, end: number) => boolean): void {
  const reader = protobuf.Reader.create(message);
  reader.pos = from;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    if (tag >>> 3 === LABELS_FIELD && !found(start, reader.pos)) return;
  }
}

/** A map entry is a message with the key as field 1 and the value as field 2; either may be absent when empty. */
function readEntry(field: Uint8Array): { readonly key: string; readonly value: string } {
  const reader = protobuf.Reader.create(field);
  reader.uint32();
  const end = reader.uint32() + reader.pos;
  let key = '';
  let value = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = reader.string();
    else reader.skipType(tag & 7);
  }
  return { key, value };
}

/** The four kinds share the number, so that the bytes can be read without knowing which one they are. */
function labelsField(): number {
  const numbers = ['Pod', 'Service', 'Node', 'Workload'].map(
    (kind) => messageType(`digger.v1.${kind}`).fields['labels']?.id,
  );
  const [first] = numbers;
  if (first === undefined || numbers.some((number) => number !== first)) {
    throw new Error('the kinds of entities do not share the field number of labels');
  }
  return first;
}
