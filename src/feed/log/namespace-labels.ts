// The labels of namespaces, now and for some changes back: what a filter by the labels of namespaces looks at beside
// the entity itself.
//
// A reader of the log holds states that were current at or after its floor, see `reading/projection.ts`. Whether one of
// them may have passed depends on the labels that the namespace had since then; so the last few are kept, each with the
// sequence at which it came. Of what is not kept the answer is that it cannot be told, and the reader has to expect
// anything.
//
// Bound: MAX_STATES for each namespace that there is, and for each that was removed as long as the log keeps its
// removal.

import type { ByteString } from '../../model/byte-string.ts';

/** What a filter asks. */
export interface NamespaceLabels {
  /** The values of the namespace, its labels among them; `undefined`: there is none of this name. */
  now(name: string): ByteString | undefined;
  /**
   * All that they were at the sequence or after it, newest first; `undefined` in it: there was none. `undefined` alone:
   * cannot be told.
   */
  since(name: string, sequence: number): readonly (ByteString | undefined)[] | undefined;
}

interface State {
  /** The sequence at which it came. */
  readonly at: number;
  readonly labels: ByteString | undefined;
}

/** A namespace is labelled by people and operators, now and then. */
const MAX_STATES = 8;

export class NamespaceLabelHistory implements NamespaceLabels {
  /** Oldest first; never empty. Before the first there was none, unless `#cut` says otherwise. */
  readonly #states = new Map<string, readonly State[]>();
  readonly #cut = new Set<string>();
  /** The newest sequence of a removal that is not kept any more. */
  #forgotten = 0;

  now(name: string): ByteString | undefined {
    return this.#states.get(name)?.at(-1)?.labels;
  }

  since(name: string, sequence: number): readonly (ByteString | undefined)[] | undefined {
    const states = this.#states.get(name);
    const isFromTheBegin = states === undefined ? this.#forgotten <= sequence : !this.#cut.has(name);
    const found: (ByteString | undefined)[] = [];
    for (const { at, labels } of states?.toReversed() ?? []) {
      found.push(labels);
      if (at <= sequence) return found;
    }
    return isFromTheBegin ? [...found, undefined] : undefined;
  }

  /** From the sequence on the namespace has these labels; `undefined`: it is gone. */
  set(name: string, at: number, labels: ByteString | undefined): void {
    const states = this.#states.get(name) ?? [];
    const last = states.at(-1);
    if (last !== undefined && last.labels === labels) return;
    // What was forgotten of an earlier namespace of this name may have been anything.
    if (states.length === 0 && this.#forgotten > 0) this.#cut.add(name);
    if (states.length === MAX_STATES) this.#cut.add(name);
    this.#states.set(name, [...states.slice(states.length === MAX_STATES ? 1 : 0), { at, labels }]);
  }

  /** The removal at the sequence is not kept any more. */
  forget(name: string, sequence: number): void {
    const last = this.#states.get(name)?.at(-1);
    if (last === undefined || last.labels !== undefined || last.at > sequence) return;
    this.#states.delete(name);
    this.#cut.delete(name);
    this.#forgotten = Math.max(this.#forgotten, sequence);
  }
}
