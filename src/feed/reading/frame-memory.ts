// The frames that were made since the log last moved, so that subscribers at the same place of the same projection get
// the same buffer instead of an equal one. One memory for all projections, so one bound: when it is full it forgets
// everything, and the next reader composes again.

import type { ReadingPosition, ReadingStep } from './position.ts';

export class FrameMemory {
  readonly #maxBytes: number;
  readonly #steps = new Map<string, ReadingStep>();
  #bytes = 0;
  #head = -1;
  #forgotten = -1;
  /** The step that was asked for last. Readers that took the same step before have the very same position object. */
  #last: { readonly projection: string; readonly from: ReadingPosition; readonly step: ReadingStep } | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of the frames held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The step of this projection from this position that was remembered while the log stood where it stands; `compose`
   * makes it otherwise.
   */
  recall(
    log: { readonly head: number; readonly forgotten: number },
    projection: string,
    from: ReadingPosition,
    compose: () => ReadingStep,
  ): ReadingStep {
    if (this.#head !== log.head || this.#forgotten !== log.forgotten) {
      this.clear();
      this.#head = log.head;
      this.#forgotten = log.forgotten;
    }
    if (this.#last?.from === from && this.#last.projection === projection) return this.#last.step;
    const within = from.within === undefined ? '' : `/${from.within.namespaceAt}/${from.within.upTo}`;
    const step = this.#find(
      `${projection}/${from.cursor}/${from.floor}/${from.held}${from.whole ? '/w' : ''}${within}`,
      compose,
    );
    this.#last = { projection, from, step };
    return step;
  }

  clear(): void {
    this.#steps.clear();
    this.#last = undefined;
    this.#bytes = 0;
  }

  #find(key: string, compose: () => ReadingStep): ReadingStep {
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step = compose();
    const cost = STEP_BYTES + (step.frame?.byteLength ?? 0);
    if (this.#bytes + cost > this.#maxBytes) this.clear();
    this.#steps.set(key, step);
    this.#bytes += cost;
    return step;
  }
}

// A key, two objects and a place in the map.
const STEP_BYTES = 256;
