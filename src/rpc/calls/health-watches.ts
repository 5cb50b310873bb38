// How many streams watch health. They are exempt from authentication, and each holds its place for as long as it likes;
// so one address may have a share of them, and probes from another one find room.

import type { CallError } from '../errors/call-error.ts';
import { tooManyHealthWatches } from '../errors/over-limits.ts';

/** Streams that watch health from one address, of all that may. */
const HEALTH_SHARE = 8;

export class HealthWatches {
  readonly #max: number;
  /** By caller; no entry where there are none. */
  readonly #byCaller = new Map<string, number>();
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** `undefined`: it is counted, and is to be released. */
  take(caller: string): CallError | undefined {
    const ofCaller = this.#byCaller.get(caller) ?? 0;
    const share = Math.ceil(this.#max / HEALTH_SHARE);
    if (ofCaller >= share) return tooManyHealthWatches(share, 'address');
    if (this.#count >= this.#max) return tooManyHealthWatches(this.#max, 'replica');
    this.#byCaller.set(caller, ofCaller + 1);
    this.#count += 1;
    return undefined;
  }

  release(caller: string): void {
    const left = (this.#byCaller.get(caller) ?? 0) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
    this.#count -= 1;
  }
}
