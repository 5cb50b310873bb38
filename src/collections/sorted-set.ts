// A set in order, of which one reads the first few: adding and removing cost about the square root of its size, and
// thousands of elements are never sorted because one of them changed.
//
// Elements are kept in chunks of at most MAX_CHUNK, each sorted, the chunks in order. Elements that compare as equal
// are one element.

/** A move within 256 pointers is quicker than a comparison of two names. */
const MAX_CHUNK = 256;

export class SortedSet<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #chunks: T[][] = [];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** What `of` makes of the first `count` elements, in order. */
  first<U>(count: number, of: (element: T) => U): U[] {
    const found: U[] = [];
    for (const chunk of this.#chunks) {
      for (const element of chunk) {
        if (found.length >= count) return found;
        found.push(of(element));
      }
    }
    return found;
  }

  add(element: T): void {
    const index = this.#chunkOf(element);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      const last = this.#chunks.at(-1);
      if (last !== undefined && last.length < MAX_CHUNK) last.push(element);
      else this.#chunks.push([element]);
      this.#size += 1;
      return;
    }
    const at = this.#placeIn(chunk, element);
    const there = chunk[at];
    if (there !== undefined && this.#compare(there, element) === 0) return;
    chunk.splice(at, 0, element);
    this.#size += 1;
    if (chunk.length > MAX_CHUNK) this.#chunks.splice(index + 1, 0, chunk.splice(MAX_CHUNK / 2));
  }

  delete(element: T): void {
    const index = this.#chunkOf(element);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = this.#placeIn(chunk, element);
    const there = chunk[at];
    if (there === undefined || this.#compare(there, element) !== 0) return;
    chunk.splice(at, 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** The first chunk whose last element is not before `element`; the number of chunks when there is no such chunk. */
  #chunkOf(element: T): number {
    return firstIndex(this.#chunks.length, (at) => {
      const last = this.#chunks[at]?.at(-1);
      return last !== undefined && this.#compare(last, element) >= 0;
    });
  }

  #placeIn(chunk: readonly T[], element: T): number {
    return firstIndex(chunk.length, (at) => {
      const there = chunk[at];
      return there !== undefined && this.#compare(there, element) >= 0;
    });
  }
}

/** The smallest index below `length` for which `holds` is true, which it is for all after it; `length` if for none. */
function firstIndex(length: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
