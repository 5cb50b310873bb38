// That the server drains, for calls that wait: each is told once, and leaves no trace when it has ended before.
//
// An AbortSignal would do, if it did not walk over all of its listeners for each that comes or goes: with 2,000 lookups
// that wait that was a fifth of what each of them cost, and most of what it cost when they all ended at once.

export class Drain {
  readonly #waiting = new Set<() => void>();
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Calls that are to be told. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `listener` when it begins, which it has not yet; a listener counts once. */
  add(listener: () => void): void {
    this.#waiting.add(listener);
  }

  delete(listener: () => void): void {
    this.#waiting.delete(listener);
  }

  begin(): void {
    this.#hasBegun = true;
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }
}
