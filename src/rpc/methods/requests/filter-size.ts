// Counts what a subscription's filter lists before objects are made of it: 256 KiB have room for 130,000 empty names,
// which take the event loop many times as long to decode as to count. Malformed bytes are left to the decoder.

import protobuf from 'protobufjs';

import { FieldTags } from '../../../wire/field-tags.ts';
import { messageType } from '../../../wire/schema.ts';
import type { CallError } from '../../errors/call-error.ts';
import { invalidArgument } from '../../errors/outcomes.ts';

/** Namespaces, and node names, of one filter. */
export const MAX_FILTER_NAMES = 1_000;
/** Labels of one filter. */
export const MAX_FILTER_LABELS = 64;
/** Keys of labels, and of annotations, that one subscription chooses. */
export const MAX_CHOSEN_KEYS = 64;
/** Kinds of one filter; there are four, and naming one twice is harmless. */
const MAX_FILTER_KINDS = 64;

export function refuseLargeFilter(bytes: Uint8Array): CallError | undefined {
  // Two bytes are the least that an entry takes, one a packed kind.
  if (bytes.length < MAX_FILTER_KINDS) return undefined;
  const counts: Counts = { kinds: 0, namespaces: 0, node_names: 0, labels: 0 };
  const chosen = { labels: 0, annotations: 0 };
  try {
    const reader = protobuf.Reader.create(bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === VALUES) {
        const length = reader.uint32();
        countChosen(reader, reader.pos + length, chosen);
        continue;
      }
      if (tag !== FILTER) {
        reader.skipType(tag & 7);
        continue;
      }
      const length = reader.uint32();
      countFilter(reader, reader.pos + length, counts);
    }
  } catch {
    // Truncated or malformed: the decoder meets the same bytes and says so.
    return undefined;
  }
  const violations = LIMITS.filter(([field, most]) => counts[field] > most).map(([field, most]) => ({
    field: `filter.${field}`,
    reason: 'TOO_MANY' as const,
    description: `${counts[field]} ${field.replace('_', ' ')}, at most ${most}`,
  }));
  for (const field of ['labels', 'annotations'] as const) {
    if (chosen[field] <= MAX_CHOSEN_KEYS) continue;
    const description = `${chosen[field]} keys, at most ${MAX_CHOSEN_KEYS}`;
    violations.push({ field: `values.${field}`, reason: 'TOO_MANY' as const, description });
  }
  return violations.length === 0 ? undefined : invalidArgument(violations);
}

type Field = 'kinds' | 'namespaces' | 'node_names' | 'labels';
type Counts = Record<Field, number>;

const LIMITS = [
  ['kinds', MAX_FILTER_KINDS],
  ['namespaces', MAX_FILTER_NAMES],
  ['node_names', MAX_FILTER_NAMES],
  ['labels', MAX_FILTER_LABELS],
] as const;

const FilterType = messageType('digger.v1.WatchFilter');
const FILTER = new FieldTags('digger.v1.WatchRequest').delimited('filter');
const FIELDS: ReadonlyMap<number, Field> = new Map([
  [FilterType.fields['kinds']?.id ?? 0, 'kinds'],
  [FilterType.fields['namespaces']?.id ?? 0, 'namespaces'],
  [FilterType.fields['nodeNames']?.id ?? 0, 'node_names'],
  [FilterType.fields['labels']?.id ?? 0, 'labels'],
]);
const VALUES = new FieldTags('digger.v1.WatchRequest').delimited('values');
const CHOSEN_LABELS = new FieldTags('digger.v1.ValueSelection').delimited('labels');
const LENGTH_DELIMITED = 2;

function countChosen(reader: protobuf.Reader, end: number, chosen: { labels: number; annotations: number }): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    chosen[tag === CHOSEN_LABELS ? 'labels' : 'annotations'] += 1;
    reader.skipType(tag & 7);
  }
}

function countFilter(reader: protobuf.Reader, end: number, counts: Counts): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = FIELDS.get(tag >>> 3);
    if (field === 'kinds' && (tag & 7) === LENGTH_DELIMITED) {
      // Packed: a number a kind.
      const length = reader.uint32();
      const packedEnd = reader.pos + length;
      while (reader.pos < packedEnd) {
        reader.uint32();
        counts.kinds += 1;
      }
      continue;
    }
    if (field !== undefined) counts[field] += 1;
    reader.skipType(tag & 7);
  }
}
