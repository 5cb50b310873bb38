// Calls whose wait is over go on in turns: thousands that wait for one address, or until one moment, are woken together,
// or their deadlines pass together, and answering each takes 0.05 to 0.1 ms. The first few go on at once, which is all
// where few wait.
//
// First come, first served, for nothing more can come of a call than its answer. What waits here is on the ledger.

export interface WokenCallsOptions {
  /** Runs something after what is ready now (`setImmediate`). */
  readonly afterReads: (run: () => void) => void;
}

/** Calls that go on in a turn of the event loop. */
export const MAX_WOKEN_PER_TURN = 32;

export class WokenCalls {
  readonly #afterReads: (run: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #inTurn = 0;
  #isPlanned = false;
  readonly #turn = (): void => this.#takeTurn();

  constructor({ afterReads }: WokenCallsOptions) {
    this.#afterReads = afterReads;
  }

  /** Calls that have something to go on with. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Resolves when a call that was woken may go on; unset: at once. */
  turn(): Promise<void> | undefined {
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      this.#afterReads(this.#turn);
    }
    if (this.waiting === 0 && this.#inTurn < MAX_WOKEN_PER_TURN) {
      this.#inTurn += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #takeTurn(): void {
    this.#inTurn = 0;
    for (; this.waiting > 0 && this.#inTurn < MAX_WOKEN_PER_TURN; this.#inTurn++) {
      this.#waiting[this.#next]?.();
      this.#next += 1;
    }
    if (this.waiting === 0) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    this.#isPlanned = this.#inTurn > 0;
    if (this.#isPlanned) this.#afterReads(this.#turn);
  }
}
