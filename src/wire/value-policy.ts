// Which labels and annotations leave the service. Annotations are where people keep secrets and whole manifests, so
// some are left out; their keys are told in `omitted`, so that an absent value is not taken for one that never was.

import type { StringMap } from '../model/kubernetes/records.ts';
import { writeMapEntry, writeText, writeTexts } from './fields.ts';
import type { MessageWriter } from './message-writer.ts';

/** Well-known labels: https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone */
export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const REGION_LABEL = 'topology.kubernetes.io/region';

/** Which keys: a Set of them, or a KeyList. */
export interface Keys {
  has(key: string): boolean;
}

export interface ValuePolicy {
  /** Annotation keys that are left out, also when they are allowed. */
  readonly deniedAnnotations: Keys;
  /** Annotation keys that may go out; unset: all. */
  readonly allowedAnnotations?: Keys | undefined;
  /** Label keys that are left out, also when they are allowed; in selectors too. */
  readonly deniedLabels: Keys;
  /** Label keys that may go out; unset: all. */
  readonly allowedLabels?: Keys | undefined;
  /** Values with more UTF-8 bytes than this are left out. */
  readonly maxValueBytes: number;
}

/** A copy of the whole object, environment variables with their secrets included. */
export const DEFAULT_DENIED_ANNOTATIONS: readonly string[] = ['kubectl.kubernetes.io/last-applied-configuration'];

export const DEFAULT_VALUE_POLICY: ValuePolicy = {
  deniedAnnotations: new Set(DEFAULT_DENIED_ANNOTATIONS),
  deniedLabels: new Set(),
  // Label values end at 63 bytes; annotations above 1 KiB are documents (manifests, certificates), not attributes.
  maxValueBytes: 1024,
};

/** Keys as an operator lists them: whole ones, and `example.com/*` for all of a domain. */
export class KeyList implements Keys {
  readonly #keys: ReadonlySet<string>;
  /** With their slash. */
  readonly #domains: ReadonlySet<string>;

  constructor(patterns: Iterable<string>) {
    const all = [...patterns];
    this.#keys = new Set(all.filter((pattern) => !pattern.endsWith('/*')));
    this.#domains = new Set(all.filter((pattern) => pattern.endsWith('/*')).map((pattern) => pattern.slice(0, -1)));
  }

  has(key: string): boolean {
    if (this.#keys.has(key)) return true;
    return this.#domains.size > 0 && this.#domains.has(key.slice(0, key.indexOf('/') + 1));
  }
}

/** Tags of the fields in one message; `annotations` is unset where the message has none. */
export interface ValueTags {
  readonly labels: number;
  readonly annotations: number | undefined;
  readonly omitted: number;
}

/**
 * Writes labels, annotations and the keys that the policy left out; of selectors what `keptSelector` added to
 * `omitted`.
 */
export function writeValues(
  writer: MessageWriter,
  tags: ValueTags,
  labels: StringMap,
  annotations: StringMap,
  policy: ValuePolicy,
  omittedBefore: readonly string[] = [],
): void {
  const { deniedAnnotations, allowedAnnotations, deniedLabels, allowedLabels, maxValueBytes } = policy;
  const withoutLabels = writeKept(writer, tags.labels, labels, deniedLabels, allowedLabels, maxValueBytes);
  const withoutAnnotations =
    tags.annotations === undefined
      ? NOTHING
      : writeKept(writer, tags.annotations, annotations, deniedAnnotations, allowedAnnotations, maxValueBytes);
  writeTexts(writer, tags.omitted, omittedBefore);
  for (const key of withoutAnnotations) writeText(writer, tags.omitted, `annotations/${key}`);
  for (const key of withoutLabels) writeText(writer, tags.omitted, `labels/${key}`);
}

/** Writes the entries that may go out, sorted by key; gives the keys of the others. No list is made of the entries. */
function writeKept(
  writer: MessageWriter,
  tag: number,
  values: StringMap,
  denied: Keys,
  allowed: Keys | undefined,
  maxValueBytes: number,
): readonly string[] {
  let omitted: string[] | undefined;
  for (const key of sortedKeys(values)) {
    const value = values[key] ?? '';
    if (isKept(key, value, denied, allowed, maxValueBytes)) writeMapEntry(writer, tag, key, value);
    else (omitted ??= []).push(key);
  }
  return omitted ?? NOTHING;
}

/** A selector says what labels say, so the policy of labels holds for it. Appends the keys of what it leaves out. */
export function keptSelector(selector: StringMap, policy: ValuePolicy, omitted: string[]): [string, string][] {
  const { deniedLabels, allowedLabels, maxValueBytes } = policy;
  return keptEntries(selector, deniedLabels, allowedLabels, maxValueBytes, 'selector/', omitted);
}

/** The value of a label that has a field of its own as well; empty when the policy leaves it out. */
export function keptLabel(labels: StringMap, key: string, policy: ValuePolicy): string {
  const value = labels[key];
  if (value === undefined) return '';
  return keptSelector({ [key]: value }, policy, []).length === 0 ? '' : value;
}

/** Entries of `values` that may go out, sorted by key; the keys of the others are appended to `omitted`. */
function keptEntries(
  values: StringMap,
  denied: Keys,
  allowed: Keys | undefined,
  maxValueBytes: number,
  prefix: string,
  omitted: string[],
): [string, string][] {
  const kept: [string, string][] = [];
  for (const key of sortedKeys(values)) {
    const value = values[key] ?? '';
    if (isKept(key, value, denied, allowed, maxValueBytes)) kept.push([key, value]);
    else omitted.push(prefix + key);
  }
  return kept;
}

function isKept(key: string, value: string, denied: Keys, allowed: Keys | undefined, maxValueBytes: number): boolean {
  // A UTF-16 code unit is at most 3 bytes of UTF-8: most values are short enough without counting.
  const short = value.length * 3 <= maxValueBytes || Buffer.byteLength(value) <= maxValueBytes;
  return short && !denied.has(key) && allowed?.has(key) !== false;
}

/** The API server writes maps sorted, so there is rarely anything to sort. */
function sortedKeys(values: StringMap): readonly string[] {
  const keys = Object.keys(values);
  let before = '';
  for (const key of keys) {
    if (key < before) return keys.sort();
    before = key;
  }
  return keys;
}

const NOTHING: readonly string[] = Object.freeze([]);
