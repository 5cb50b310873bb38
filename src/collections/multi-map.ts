// Several values for a text, where nearly every key has one: that one stands for itself, without a set around it.

import { wideMap } from './wide-map.ts';

export class MultiMap<V extends object> {
  readonly #values = wideMap<V | Set<V>>();

  /** Keys that have a value. */
  get size(): number {
    return this.#values.size;
  }

  get(key: string): readonly V[] {
    const found = this.#values.get(key);
    if (found === undefined) return NONE;
    return found instanceof Set ? [...found] : [found];
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  add(key: string, value: V): void {
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, value);
    else if (found instanceof Set) found.add(value);
    else if (found !== value) this.#values.set(key, new Set([found, value]));
  }

  delete(key: string, value: V): void {
    const found = this.#values.get(key);
    if (found === value) {
      this.#values.delete(key);
    } else if (found instanceof Set && found.delete(value) && found.size === 1) {
      for (const last of found) this.#values.set(key, last);
    }
  }
}

const NONE: readonly never[] = Object.freeze([]);
