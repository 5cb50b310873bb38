// A list of items in the order of ascending numbers, in which an item can leave its place and readers start anywhere.
//
// An item that leaves becomes a hole. Items live in chunks of a fixed number of places at most; a chunk with more holes
// than items is squeezed when an item leaves it, so that no call costs more than one chunk and the list never has more
// than twice as many places as items, and a chunk.

interface Chunk<T> {
  /** Ascending. */
  numbers: number[];
  /** Parallel; `undefined` is a hole. */
  items: (T | undefined)[];
  /** Items that are not holes. */
  count: number;
}

const CHUNK = 1024;

export class Places<T> {
  readonly #chunks: Chunk<T>[] = [];
  readonly #size: number;
  #slots = 0;

  /** `size`: places of a chunk. */
  constructor(size: number = CHUNK) {
    this.#size = size;
  }

  /** Places in memory, holes included. */
  get slots(): number {
    return this.#slots;
  }

  /** `number` is larger than that of every item before. */
  push(number: number, item: T): void {
    let chunk = this.#chunks.at(-1);
    if (chunk !== undefined && chunk.numbers.length >= this.#size && chunk.count <= this.#size / 2)
      this.#squeeze(chunk);
    if (chunk === undefined || chunk.numbers.length >= this.#size) {
      chunk = { numbers: [], items: [], count: 0 };
      this.#chunks.push(chunk);
    }
    chunk.numbers.push(number);
    chunk.items.push(item);
    chunk.count += 1;
    this.#slots += 1;
  }

  /** The item with this number leaves. */
  vacate(number: number): void {
    const at = this.#chunkBehind(number - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = firstBehind(chunk.numbers, number - 1);
    if (chunk.numbers[index] !== number || chunk.items[index] === undefined) return;
    chunk.items[index] = undefined;
    chunk.count -= 1;
    // The last chunk is still being filled.
    if (at === this.#chunks.length - 1 || chunk.count * 2 > chunk.numbers.length) return;
    this.#squeeze(chunk);
    const before = this.#chunks[at - 1];
    if (before !== undefined && before.count + chunk.count <= this.#size / 2) {
      before.numbers = before.numbers.concat(chunk.numbers);
      before.items = before.items.concat(chunk.items);
      before.count += chunk.count;
      this.#chunks.splice(at, 1);
    } else if (chunk.count === 0) {
      this.#chunks.splice(at, 1);
    }
  }

  /**
   * Hands over the items behind `after`, in order, until `visit` says stop by returning false (that item counts as not
   * visited) or `maxVisits` places were looked at. Returns the number up to which everything was passed; infinity: all.
   */
  read(after: number, maxVisits: number, visit: (item: T) => boolean): number {
    let passed = after;
    let visits = 0;
    for (let at = this.#chunkBehind(after); at < this.#chunks.length; at++) {
      const { numbers, items } = this.#chunks[at] ?? EMPTY;
      for (let index = firstBehind(numbers, passed); index < numbers.length; index++) {
        if (visits === maxVisits) return passed;
        visits += 1;
        const item = items[index];
        if (item !== undefined && !visit(item as T)) return passed;
        passed = numbers[index] ?? passed;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  #squeeze(chunk: Chunk<T>): void {
    this.#slots -= chunk.numbers.length - chunk.count;
    chunk.numbers = chunk.numbers.filter((_, index) => chunk.items[index] !== undefined);
    chunk.items = chunk.items.filter((item) => item !== undefined);
  }

  /** Index of the first chunk with a place behind `number`. */
  #chunkBehind(number: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.numbers.at(-1) ?? 0) > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const EMPTY: Chunk<never> = { numbers: [], items: [], count: 0 };

/** Index of the first number beyond `number`. */
function firstBehind(numbers: readonly number[], number: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
