// What ended a while ago, kept for the history: by age, count and bytes, the oldest going first.

export interface PastOptions<T> {
  readonly retentionMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
  /** It is kept no longer. */
  readonly dropped: (value: T) => void;
}

interface Kept<T> {
  readonly value: T;
  readonly bytes: number;
  readonly atMs: number;
}

export class Past<T> {
  readonly #options: PastOptions<T>;
  /** In the order in which they came. */
  readonly #kept = new Map<string, Kept<T>>();
  #bytes = 0;

  constructor(options: PastOptions<T>) {
    this.#options = options;
  }

  get count(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    return this.#kept.get(key)?.value;
  }

  /** `atMs`: when it ended. One with the same key is replaced, and goes to the end. */
  add(key: string, value: T, bytes: number, atMs: number): void {
    const before = this.#kept.get(key);
    if (before !== undefined) this.#take(key, before);
    this.#kept.set(key, { value, bytes, atMs });
    this.#bytes += bytes;
    this.expire(atMs);
  }

  expire(nowMs: number): void {
    const { retentionMs, maxCount, maxBytes, dropped } = this.#options;
    for (const [key, kept] of this.#kept) {
      const isOver = this.#kept.size > maxCount || this.#bytes > maxBytes;
      if (!isOver && kept.atMs + retentionMs >= nowMs) return;
      this.#take(key, kept);
      dropped(kept.value);
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  #take(key: string, { bytes }: Kept<T>): void {
    this.#kept.delete(key);
    this.#bytes -= bytes;
  }
}
