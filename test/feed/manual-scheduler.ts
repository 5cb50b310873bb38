// A clock that moves only when told to, and an event loop whose turns are taken one by one.

import type { Scheduler } from '../../src/feed/subscriptions/scheduler.ts';

export class ManualScheduler implements Scheduler {
  #nowMs = 0;
  #soon: (() => void)[] = [];
  readonly #timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  #nextTimer = 0;

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#nextTimer++;
    this.#timers.set(id, { atMs: this.#nowMs + delayMs, run });
    return () => this.#timers.delete(id);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /**
   * One turn of the loop: what was asked for before it, not what it asks for itself. Returns whether it did anything.
   */
  turn(): boolean {
    const due = this.#soon;
    this.#soon = [];
    for (const run of due) run();
    return due.length > 0;
  }

  /** Turns until nothing is left to do. */
  settle(): void {
    for (let turns = 0; this.turn(); turns++) {
      if (turns > 100_000) throw new Error('the loop does not come to rest');
    }
  }

  /** Moves the clock to the next timer, if there is one, and lets it run; no turn is taken. */
  advanceOneTimer(): void {
    const next = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
    if (next === undefined) return;
    this.#timers.delete(next[0]);
    this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
    next[1].run();
  }

  /** Moves the clock, timer by timer. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    this.settle();
    for (;;) {
      const next = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (next === undefined || next[1].atMs > endMs) break;
      this.#timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
      next[1].run();
      this.settle();
    }
    this.#nowMs = endMs;
  }
}
