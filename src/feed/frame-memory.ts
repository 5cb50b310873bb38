// The frames that were made since the log last moved, so that subscribers at the same place of the same projection get
// the same buffer instead of an equal one. One memory for all projections, hence one bound: when it is full it forgets
// everything, and the next reader composes again.

import type { ReadingStep } from './projection.ts';

export class FrameMemory {
  readonly #maxBytes: number;
  readonly #steps = new Map<string, ReadingStep>();
  #bytes = 0;
  #head = -1;
  #forgotten = -1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of the frames held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The step that was remembered under this key while the log stood where it stands; `compose` makes it otherwise. */
  recall(log: { readonly head: number; readonly forgotten: number }, key: string, compose: () => ReadingStep) {
    if (this.#head !== log.head || this.#forgotten !== log.forgotten) {
      this.clear();
      this.#head = log.head;
      this.#forgotten = log.forgotten;
    }
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step = compose();
    const cost = STEP_BYTES + (step.frame?.byteLength ?? 0);
    if (this.#bytes + cost > this.#maxBytes) this.clear();
    this.#steps.set(key, step);
    this.#bytes += cost;
    return step;
  }

  clear(): void {
    this.#steps.clear();
    this.#bytes = 0;
  }
}

// A key, two objects and a place in the map.
const STEP_BYTES = 256;
