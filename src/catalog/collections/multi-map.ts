// Several values for a key, where nearly every key has one: that one stands for itself, without a set around it.

export class MultiMap<K, V extends object> {
  readonly #values = new Map<K, V | Set<V>>();

  /** Keys that have a value. */
  get size(): number {
    return this.#values.size;
  }

  get(key: K): readonly V[] {
    const found = this.#values.get(key);
    if (found === undefined) return NONE;
    return found instanceof Set ? [...found] : [found];
  }

  has(key: K): boolean {
    return this.#values.has(key);
  }

  add(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, value);
    else if (found instanceof Set) found.add(value);
    else if (found !== value) this.#values.set(key, new Set([found, value]));
  }

  delete(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === value) {
      this.#values.delete(key);
    } else if (found instanceof Set && found.delete(value) && found.size === 1) {
      for (const last of found) this.#values.set(key, last);
    }
  }
}

const NONE: readonly never[] = Object.freeze([]);
