// One copy of text that repeats in thousands of objects (node names, addresses of nodes, namespaces).
//
// Sharing is a saving, never a meaning: at the bound everything is forgotten and sharing starts over.

/** Enough for the nodes and namespaces of the largest clusters (5,000 nodes are the tested limit of Kubernetes). */
const MAX_ENTRIES = 32_768;

export class Interner {
  readonly #strings = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  get size(): number {
    return this.#strings.size + this.#lists.size;
  }

  string(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size >= MAX_ENTRIES) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }

  /** For short lists whose elements contain no comma, such as addresses. */
  list(texts: readonly string[]): readonly string[] {
    if (texts.length === 0) return NO_TEXTS;
    const key = texts.join(',');
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    if (this.#lists.size >= MAX_ENTRIES) this.#lists.clear();
    this.#lists.set(key, texts);
    return texts;
  }
}

export const NO_TEXTS: readonly string[] = Object.freeze([]);
