// A map that grows without a pause. A Map that is full copies every entry into one twice as large, which at 65,536
// entries takes 5 ms and at 131,072 twice as long, and the tables of one write are full at the same moment, because
// they have the same number of entries. From MANY entries on a WideMap is PARTS maps, of which each is full at its own
// moment.
//
// It has the methods of a Map, and entries may come and go while it is walked. Entries are in the order in which they
// came while there are few of them, and in no order when they are many. Keys that all have one hash make it a Map like
// any other: slower to grow, never wrong.

/** Moved in one step when they become too many, in less than a millisecond. */
const MANY = 4_096;
/** A million entries are then parts of 16,384, which are copied in a millisecond. */
const PARTS = 64;
/** The upper six bits of the product. */
const SHIFT = 32 - Math.log2(PARTS);
/** Knuth's multiplicative hashing: every bit of what is multiplied reaches the upper bits. */
const GOLDEN = 0x9e3779b1;

export class WideMap<K, V> {
  readonly #hash: (key: K) => number;
  /** All of it, while there are few; `undefined` from then on. */
  #few: Map<K, V> | undefined = new Map();
  #parts: readonly Map<K, V>[] = [];
  #size = 0;

  /** `hash`: any number of 32 bits, the same for the same key. */
  constructor(hash: (key: K) => number) {
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  /** Entries of its largest part: what a write may have to copy. */
  get largest(): number {
    return Math.max(...this.#maps().map(({ size }) => size));
  }

  get(key: K): V | undefined {
    return this.#of(key).get(key);
  }

  has(key: K): boolean {
    return this.#of(key).has(key);
  }

  set(key: K, value: V): void {
    const map = this.#of(key);
    const before = map.size;
    map.set(key, value);
    this.#size += map.size - before;
    if (map === this.#few && this.#size > MANY) this.#widen(map);
  }

  delete(key: K): boolean {
    const isDeleted = this.#of(key).delete(key);
    if (isDeleted) this.#size -= 1;
    return isDeleted;
  }

  clear(): void {
    for (const map of this.#maps()) map.clear();
    this.#size = 0;
  }

  *keys(): Generator<K, undefined> {
    if (this.#few !== undefined) for (const [key] of this) yield key;
    else for (const part of this.#parts) for (const key of part.keys()) yield key;
  }

  *values(): Generator<V, undefined> {
    if (this.#few !== undefined) for (const [, value] of this) yield value;
    else for (const part of this.#parts) for (const value of part.values()) yield value;
  }

  *[Symbol.iterator](): Generator<[K, V], undefined> {
    const few = this.#few;
    if (few !== undefined) {
      for (const entry of few) {
        yield entry;
        if (this.#few === few) continue;
        // It became many while it was walked: what is left is everything but those that were passed.
        const passed = new Set<K>();
        for (const key of few.keys()) {
          passed.add(key);
          if (key === entry[0]) break;
        }
        for (const part of this.#parts) for (const each of part) if (!passed.has(each[0])) yield each;
        return;
      }
      return;
    }
    for (const part of this.#parts) for (const entry of part) yield entry;
  }

  #of(key: K): Map<K, V> {
    return this.#few ?? (this.#parts[Math.imul(this.#hash(key), GOLDEN) >>> SHIFT] as Map<K, V>);
  }

  #maps(): readonly Map<K, V>[] {
    return this.#few === undefined ? this.#parts : [this.#few];
  }

  #widen(few: Map<K, V>): void {
    this.#parts = Array.from({ length: PARTS }, () => new Map<K, V>());
    this.#few = undefined;
    for (const [key, value] of few) this.#of(key).set(key, value);
  }
}

/**
 * Of a text of which the last characters, or one in its middle, differ from those of others: addresses, uids, names of
 * pods. All of it is not read: it may be long, and the map of a part hashes it anyhow.
 */
export function hashOfText(text: string): number {
  const { length } = text;
  if (length < 4) return length === 0 ? 0 : text.charCodeAt(length - 1) ^ (text.charCodeAt(0) << 5);
  return (
    text.charCodeAt(length - 1) ^
    (text.charCodeAt(length - 2) << 5) ^
    (text.charCodeAt(length - 3) << 10) ^
    (text.charCodeAt(length - 4) << 15) ^
    (text.charCodeAt(length >>> 1) << 20) ^
    (text.charCodeAt((length >>> 1) + 1) << 25)
  );
}

/** A map of texts. */
export function wideMap<V>(): WideMap<string, V> {
  return new WideMap<string, V>(hashOfText);
}
