// An output that says when it takes more: `digger watch | less` reads a screen and waits, and what the service sends
// meanwhile has to stay at the service, not in our memory.

import type { Output } from './edge.ts';

export class PacedOutput {
  readonly #out: Output;
  #draining: Promise<void> | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  write(text: string): void {
    if (this.#out.write(text) || this.#draining !== undefined || this.#out.once === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#draining = promise;
    this.#out.once('drain', () => {
      this.#draining = undefined;
      resolve();
    });
  }

  /** Resolves when the other side has taken what was written; unset: it has. */
  get draining(): Promise<void> | undefined {
    return this.#draining;
  }
}
