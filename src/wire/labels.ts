// The labels of an entity, read where they lie: inside its encoded values.
//
// Nothing but a label filter asks for them, so they are not decoded in advance and not kept: a wanted label is encoded
// as it would stand there, and equal labels are equal bytes.

import { type ByteString, sliceBytes } from '../model/byte-string.ts';
import { writeMap } from './fields.ts';
import { startEntity } from './message-writer.ts';
import { FieldTags } from './field-tags.ts';

const LABELS_TAG = labelsTag();

/** One label as it stands in an entity's values. */
export function encodeLabel(key: string, value: string): ByteString {
  const writer = startEntity();
  writeMap(writer, LABELS_TAG, [[key, value]]);
  return writer.cut();
}

/**
 * The labels alone, as they stand in an entity's `values`, one after the other, in memory of their own. Equal labels
 * give equal text.
 */
export function labelsOf(values: ByteString): ByteString {
  const writer = startEntity();
  scan(values, (start, end) => {
    writer.fields(sliceBytes(values, start, end));
    return true;
  });
  return writer.cut();
}

/** Whether all of `wanted` (see `encodeLabel`, each once) is among the labels. */
export function hasLabels(values: ByteString, wanted: readonly ByteString[]): boolean {
  let missing = wanted.length;
  if (missing === 0) return true;
  scan(values, (start, end) => {
    const length = end - start;
    if (wanted.some((label) => label.length === length && values.startsWith(label, start))) missing -= 1;
    return missing > 0;
  });
  return missing === 0;
}

/** Calls back with start and end of every label field, tag included, until told to stop. */
function scan(values: ByteString, found: (start: number, end: number) => boolean): void {
  for (let start = 0; start < values.length; ) {
    const tag = varintAt(values, start);
    const length = varintAt(values, tag.end);
    // Labels, annotations and omitted keys are all length-delimited.
    const end = length.end + length.value;
    if (tag.value === LABELS_TAG && !found(start, end)) return;
    start = end;
  }
}

function varintAt(text: ByteString, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, shift = 0; at < text.length; at += 1, shift += 7) {
    const byte = text.charCodeAt(at);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error('an entity has values that end in the middle of a number');
}

/** The four kinds share it, so that values can be read without knowing whose they are. */
function labelsTag(): number {
  const tags = ['Pod', 'Service', 'Node', 'Workload'].map((kind) =>
    new FieldTags(`digger.v1.${kind}`).delimited('labels'),
  );
  const [first] = tags;
  if (first === undefined || tags.some((tag) => tag !== first)) {
    throw new Error('the kinds of entities do not share the field number of labels');
  }
  return first;
}
