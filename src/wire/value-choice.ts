// The labels and annotations that a subscriber wants to see of an entity, cut out of its encoded values.
//
// Values are copied field by field and never decoded, so that a choice costs a pass over them. It says nothing of what
// an entity has besides: an entity without a chosen key is sent all the same.

import { type ByteString, sliceBytes } from '../model/byte-string.ts';
import { FieldTags } from './field-tags.ts';
import { mapKeyOf, scanFields, textOf } from './labels.ts';
import { startEntity } from './message-writer.ts';
import { KeyList, type Keys } from './value-policy.ts';

/** Keys as a subscriber names them: whole ones, `example.com/*` for all of a domain, `*` for all. */
export interface ChosenKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

export class ValueChoice {
  /** Equal for choices that name the same, in whatever order. */
  readonly key: string;
  readonly #labels: Keys;
  readonly #annotations: Keys;

  constructor({ labels, annotations }: ChosenKeys) {
    this.key = JSON.stringify([labels, annotations].map((keys) => [...new Set(keys)].sort()));
    this.#labels = keysOf(labels);
    this.#annotations = keysOf(annotations);
  }

  /** Of an entity's `values`. What is left out by the server's configuration is told of chosen keys alone. */
  of(values: ByteString): ByteString {
    const writer = startEntity();
    let isWhole = true;
    scanFields(values, (tag, start, end) => {
      if (this.#isChosen(values, tag, start, end)) writer.fields(sliceBytes(values, start, end));
      else isWhole = false;
      return true;
    });
    // One text for what is the same.
    const chosen = writer.cut();
    return isWhole ? values : chosen;
  }

  #isChosen(values: ByteString, tag: number, start: number, end: number): boolean {
    switch (tag) {
      case LABELS:
        return this.#labels.has(mapKeyOf(values, start));
      case ANNOTATIONS:
        return this.#annotations.has(mapKeyOf(values, start));
      case OMITTED: {
        const omitted = textOf(values, start, end);
        if (omitted.startsWith('labels/')) return this.#labels.has(omitted.slice('labels/'.length));
        if (omitted.startsWith('annotations/')) return this.#annotations.has(omitted.slice('annotations/'.length));
        return true;
      }
      default:
        return true;
    }
  }
}

function keysOf(patterns: readonly string[]): Keys {
  return patterns.includes('*') ? ALL : new KeyList(patterns);
}

const ALL: Keys = { has: () => true };

// All kinds of entities have these numbers; labels.ts and frame.ts make sure of the first and the last.
const pod = new FieldTags('digger.v1.Pod');
const LABELS = pod.delimited('labels');
const ANNOTATIONS = pod.delimited('annotations');
const OMITTED = pod.delimited('omitted');
for (const kind of ['Service', 'Workload', 'Namespace']) {
  if (new FieldTags(`digger.v1.${kind}`).delimited('annotations') !== ANNOTATIONS)
    throw new Error(`annotations of ${kind} have a field number of their own`);
}
