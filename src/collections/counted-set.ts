// Distinct elements, each with how often it is counted, of which one reads the first few in order.
//
// A change costs what it changes, not what there is. A few elements are sorted when they are read; from MANY on they
// are kept in order.

import { SortedSet } from './sorted-set.ts';
import { WideMap } from './wide-map.ts';

/** Up to here sorting costs no more than keeping an order does. Most services have one workload, or a few addresses. */
const MANY = 32;

interface Counted<T> {
  readonly element: T;
  count: number;
  /** Elements that compare as equal, and still are two, are in the order in which they came. */
  readonly number: number;
}

export class CountedSet<T> {
  readonly #compare: (a: Counted<T>, b: Counted<T>) => number;
  readonly #counted: WideMap<T, Counted<T>>;
  #ordered: SortedSet<Counted<T>> | undefined;
  /** As they were read last; unset when elements came or went since. */
  #read: { readonly limit: number; readonly first: readonly T[] } | undefined;
  #numbers = 0;

  /** `hash`: see `WideMap`. */
  constructor(compare: (a: T, b: T) => number, hash: (element: T) => number) {
    this.#counted = new WideMap(hash);
    this.#compare = (a, b) => compare(a.element, b.element) || a.number - b.number;
  }

  get size(): number {
    return this.#counted.size;
  }

  /** Counts once more or once less; `true` when that added the element or took it away. */
  count(element: T, by: 1 | -1): boolean {
    const known = this.#counted.get(element);
    if (known === undefined) {
      if (by === -1) throw new Error('an element is taken away that was never counted');
      const added = { element, count: 1, number: (this.#numbers += 1) };
      this.#counted.set(element, added);
      this.#ordered?.add(added);
      this.#read = undefined;
      return true;
    }
    known.count += by;
    if (known.count > 0) return false;
    this.#counted.delete(element);
    this.#ordered?.delete(known);
    this.#read = undefined;
    if (this.#counted.size < MANY / 2) this.#ordered = undefined;
    return true;
  }

  /** The first `limit` elements in order; the same list while it is the same, where they are many. */
  first(limit: number): readonly T[] {
    if (this.#counted.size <= MANY) {
      const sorted = [...this.#counted.values()].sort(this.#compare);
      return sorted.slice(0, Math.max(0, limit)).map(({ element }) => element);
    }
    if (this.#ordered === undefined) {
      this.#ordered = new SortedSet(this.#compare);
      for (const counted of this.#counted.values()) this.#ordered.add(counted);
    }
    if (this.#read?.limit !== limit) {
      this.#read = { limit, first: this.#ordered.first(limit, ({ element }) => element) };
    }
    return this.#read.first;
  }
}
