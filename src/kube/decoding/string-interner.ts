// One copy of strings that thousands of objects share: namespaces, node names, images, label values.
//
// A freshly decoded string is garbage as soon as an equal older one is found. Bounded: two generations of at most
// `capacity` strings each; when the young one is full the old one is dropped, so what is in use survives and what is
// not (names of objects long gone) leaves after a while. Losing a string costs memory, never correctness.

/** Longer strings are not worth hashing: they rarely repeat. */
const MAX_LENGTH = 256;

export class Interner {
  readonly #capacity: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** An equal string that earlier callers have got too, where one is known. */
  intern(text: string): string {
    if (text.length === 0 || text.length > MAX_LENGTH) return text;
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const kept = this.#old.get(text) ?? text;
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(kept, kept);
    return kept;
  }

  /** Strings held now, at most twice the capacity. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

/** Shared by all decoding of the process. 32 Ki strings of about 50 bytes: 3 MB at the very most. */
const shared = new Interner(16_384);

export function intern(text: string): string {
  return shared.intern(text);
}
