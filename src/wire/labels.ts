// The labels of an entity, read where they lie: inside its encoded values.
//
// Nothing but a filter asks for them, so they are not decoded in advance and not kept: a wanted label, or its key, is
// encoded as it would stand there, and equal labels are equal bytes.

import { type ByteString, sliceBytes } from '../model/byte-string.ts';
import { type LabelRequirement, type LabelSelector, toSelectorNumber } from '../model/kubernetes/label-selector.ts';
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

/** A selector made ready to be held against the labels of many entities. */
export class LabelMatcher {
  readonly #wanted: readonly WantedLabel[];

  constructor(selector: LabelSelector) {
    this.#wanted = selector.map((requirement) => ({
      requirement,
      // A field of the entry, so that it begins right behind the entry's own tag and length.
      key: keyBytes(requirement.key),
      values: new Set(requirement.values),
      bound: requirement.values[0] === undefined ? undefined : toSelectorNumber(requirement.values[0]),
    }));
  }

  /** `values`: of an entity, or its labels alone; `undefined`: there is nothing that could have labels. */
  matches(values: ByteString | undefined): boolean {
    return values !== undefined && this.#wanted.every((wanted) => isMet(wanted, valueOf(values, wanted.key)));
  }
}

interface WantedLabel {
  readonly requirement: LabelRequirement;
  readonly key: ByteString;
  readonly values: ReadonlySet<string>;
  readonly bound: bigint | undefined;
}

/** As `Requirement.Matches` of k8s.io/apimachinery; `undefined`: the label is not there. */
function isMet({ requirement, values, bound }: WantedLabel, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.has(value);
    case 'notin':
      return value === undefined || !values.has(value);
    case 'gt':
    case 'lt': {
      const number = value === undefined ? undefined : toSelectorNumber(value);
      if (number === undefined || bound === undefined) return false;
      return requirement.operator === 'gt' ? number > bound : number < bound;
    }
  }
}

/** The value of the label with this key, one character a byte: what a selector asks for is ASCII. */
function valueOf(values: ByteString, key: ByteString): string | undefined {
  let value: string | undefined;
  scan(values, (start) => {
    // The bytes of a key may stand in its field alone: behind the tag and the length of the entry.
    const entry = varintAt(values, varintAt(values, start).end).end;
    if (!values.startsWith(key, entry)) return true;
    const length = varintAt(values, varintAt(values, entry + key.length).end);
    value = values.slice(length.end, length.end + length.value);
    return false;
  });
  return value;
}

/** The field of a map's entry that holds the key. */
function keyBytes(key: string): ByteString {
  const label = encodeLabel(key, '');
  const entry = varintAt(label, varintAt(label, 0).end).end;
  // Behind the key there is the field of the empty value: a tag and a length of one byte each.
  return sliceBytes(label, entry, label.length - 2);
}

/** Calls back with start and end of every label field, tag included, until told to stop. */
function scan(values: ByteString, found: (start: number, end: number) => boolean): void {
  scanFields(values, (tag, start, end) => tag !== LABELS_TAG || found(start, end));
}

/** The key of the map's entry whose field begins there. */
export function mapKeyOf(values: ByteString, start: number): string {
  // Behind the tag and the length of the entry: its first field, which is the key.
  const entry = varintAt(values, varintAt(values, start).end).end;
  const length = varintAt(values, varintAt(values, entry).end);
  return utf8(values, length.end, length.end + length.value);
}

/** The text in the field from `start` to `end`. */
export function textOf(values: ByteString, start: number, end: number): string {
  return utf8(values, varintAt(values, varintAt(values, start).end).end, end);
}

function utf8(bytes: ByteString, from: number, to: number): string {
  const text = bytes.slice(from, to);
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString();
}

/** Calls back with tag, start and end of every field of an entity's values until told to stop. */
export function scanFields(values: ByteString, found: (tag: number, start: number, end: number) => boolean): void {
  for (let start = 0; start < values.length; ) {
    const tag = varintAt(values, start);
    const length = varintAt(values, tag.end);
    // Labels, annotations and omitted keys are all length-delimited.
    const end = length.end + length.value;
    if (!found(tag.value, start, end)) return;
    start = end;
  }
}

/** The number that begins there, and where it ends. */
export function varintAt(text: ByteString, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, shift = 0; at < text.length; at += 1, shift += 7) {
    const byte = text.charCodeAt(at);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error('an entity has values that end in the middle of a number');
}

/** The kinds share it, so that values can be read without knowing whose they are. */
function labelsTag(): number {
  const tags = ['Pod', 'Service', 'Node', 'Workload', 'Namespace'].map((kind) =>
    new FieldTags(`digger.v1.${kind}`).delimited('labels'),
  );
  const [first] = tags;
  if (first === undefined || tags.some((tag) => tag !== first)) {
    throw new Error('the kinds of entities do not share the field number of labels');
  }
  return first;
}
