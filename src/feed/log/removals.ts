// What was removed and is still kept, oldest first. Adding one and dropping the oldest cost the same however many are
// kept.
//
// A Map would keep the order by itself, but those that leave it at the front stay there as holes until it is copied:
// finding the oldest of 100,000 passes tens of thousands of them, with every change.

import { wideMap } from '../../collections/wide-map.ts';

const MIN_OVER_TO_SQUEEZE = 1_024;

export class Removals<E extends { readonly identity: string }> {
  readonly #kept = wideMap<E>();
  /** In the order in which they came; some are over: they were taken back, or came again. */
  #queue: E[] = [];
  /** Index of the first that was not dropped. */
  #first = 0;
  /** Places of the queue that were looked at, ever: what finding the oldest costs. */
  visits = 0;

  get size(): number {
    return this.#kept.size;
  }

  get(identity: string): E | undefined {
    return this.#kept.get(identity);
  }

  /** It is the newest; one with its identity must have left before. */
  add(entry: E): void {
    if (this.#kept.has(entry.identity)) throw new Error('bug: something is removed twice');
    this.#kept.set(entry.identity, entry);
    this.#queue.push(entry);
    // When more than half are over: so each is copied once, on average.
    const over = this.#queue.length - this.#kept.size;
    if (over < MIN_OVER_TO_SQUEEZE || over < this.#kept.size) return;
    this.#queue = this.#queue.filter((each, at) => at >= this.#first && this.#isKept(each));
    this.#first = 0;
  }

  delete(identity: string): void {
    this.#kept.delete(identity);
  }

  /** Stays until it is deleted. */
  oldest(): E | undefined {
    for (; this.#first < this.#queue.length; this.#first += 1) {
      this.visits += 1;
      const entry = this.#queue[this.#first];
      if (entry !== undefined && this.#isKept(entry)) return entry;
    }
    return undefined;
  }

  #isKept(entry: E): boolean {
    return this.#kept.get(entry.identity) === entry;
  }
}
