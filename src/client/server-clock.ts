// The time by the server's clock, which is what timelines are told by.
//
// A reading is too small by the time that the frame took on its way, and by the time that it waited here while the
// program did something else; so the largest of the last few counts, and a clock that is set is followed after as many.

const READINGS = 8;

export class ServerClock {
  readonly #readings: number[] = [];
  #aheadMs = 0;

  /** By this machine's clock. */
  toLocalMs(serverMs: number): number {
    return serverMs - this.#aheadMs;
  }

  toServerMs(localMs: number): number {
    return localMs + this.#aheadMs;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** A server said that it is this late. */
  read(serverMs: number): void {
    this.#readings.push(serverMs - Date.now());
    if (this.#readings.length > READINGS) this.#readings.shift();
    this.#aheadMs = Math.max(...this.#readings);
  }

  /** Another server is followed. */
  forget(): void {
    this.#readings.length = 0;
  }
}
