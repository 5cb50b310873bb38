// A clock that stands still until it is told to go on: hours of waiting pass in no time, in the same order every time.

import type { CancelTimer, Clock } from '../../../src/kube/clock.ts';

export class VirtualClock implements Clock {
  #nowMs = 1_800_000_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): CancelTimer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets everything finish that waits for no timer. Promises only: nothing here may use sockets or threads. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Goes on by `ms`, and lets everything settle after each timer on the way. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    while (this.#nextAtMs() <= endMs) await this.advanceToNextTimer();
    this.#nowMs = endMs;
    await this.settle();
  }

  /** False: nothing waits for time to pass. */
  async advanceToNextTimer(): Promise<boolean> {
    const atMs = this.#nextAtMs();
    for (const timer of this.#timers) {
      if (timer.atMs !== atMs) continue;
      this.#timers.delete(timer);
      this.#nowMs = atMs;
      timer.callback();
      await this.settle();
      return true;
    }
    return false;
  }

  #nextAtMs(): number {
    let atMs = Infinity;
    for (const timer of this.#timers) atMs = Math.min(atMs, timer.atMs);
    return atMs;
  }
}
