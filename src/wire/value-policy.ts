// Which labels and annotations leave the service. Annotations are where people keep secrets and whole manifests, so
// some are left out; their keys are told in `omitted`, so that nobody takes an absent value for one that never was.

import type { StringMap } from '../model/records.ts';
import { writeMap, writeTexts } from './fields.ts';
import type { MessageWriter } from './message-writer.ts';

export interface ValuePolicy {
  /** Exact annotation keys that are left out. */
  readonly deniedAnnotations: ReadonlySet<string>;
  /** Exact label keys that are left out. */
  readonly deniedLabels: ReadonlySet<string>;
  /** Values with more UTF-8 bytes than this are left out. */
  readonly maxValueBytes: number;
}

export const DEFAULT_VALUE_POLICY: ValuePolicy = {
  // A copy of the whole object, environment variables with their secrets included.
  deniedAnnotations: new Set(['kubectl.kubernetes.io/last-applied-configuration']),
  deniedLabels: new Set(),
  // Label values end at 63 bytes; annotations above 1 KiB are documents (manifests, certificates), not attributes.
  maxValueBytes: 1024,
};

/** Tags of the fields in one message; `annotations` is unset where the message has none. */
export interface ValueTags {
  readonly labels: number;
  readonly annotations: number | undefined;
  readonly omitted: number;
}

/** Writes labels, annotations and the keys that the policy left out. */
export function writeValues(
  writer: MessageWriter,
  tags: ValueTags,
  labels: StringMap,
  annotations: StringMap,
  policy: ValuePolicy,
): void {
  const omitted: string[] = [];
  if (tags.annotations !== undefined) {
    const kept = keptEntries(annotations, policy.deniedAnnotations, policy.maxValueBytes, 'annotations/', omitted);
    const keptLabels = keptEntries(labels, policy.deniedLabels, policy.maxValueBytes, 'labels/', omitted);
    writeMap(writer, tags.labels, keptLabels);
    writeMap(writer, tags.annotations, kept);
  } else {
    writeMap(writer, tags.labels, keptEntries(labels, policy.deniedLabels, policy.maxValueBytes, 'labels/', omitted));
  }
  writeTexts(writer, tags.omitted, omitted);
}

/** Entries of `values` that may go out, sorted by key; the keys of the others are appended to `omitted`. */
function keptEntries(
  values: StringMap,
  denied: ReadonlySet<string>,
  maxValueBytes: number,
  prefix: string,
  omitted: string[],
): [string, string][] {
  const kept: [string, string][] = [];
  for (const key of Object.keys(values).sort()) {
    const value = values[key] ?? '';
    // A UTF-16 code unit is at most 3 bytes of UTF-8: most values are short enough without counting.
    const short = value.length * 3 <= maxValueBytes || Buffer.byteLength(value) <= maxValueBytes;
    if (short && !denied.has(key)) kept.push([key, value]);
    else omitted.push(prefix + key);
  }
  return kept;
}
