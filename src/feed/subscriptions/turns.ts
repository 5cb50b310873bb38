// Turns: subscribers with something to do stand in a queue, and have the event loop in slices.
//
// A slice takes them one after the other, each for one step, until its time, its bytes or its number is up; the others
// wait for the next turn of the loop, in which lookups come in between. One that has more to do goes to the end of the
// queue.

import type { Scheduler } from './scheduler.ts';

/** What has turns. */
export interface TurnTaker {
  /** Returns whether it wants another one. */
  step(): boolean;
}

/** How long a slice may be; see `FeedLimits`. */
export interface SliceLimits {
  readonly sliceMs: number;
  readonly sliceBytes: number;
  readonly sliceSubscribers: number;
}

export class Turns {
  readonly #scheduler: Scheduler;
  readonly #limits: SliceLimits;
  /** Whose turn it is next, in this order (a Set iterates in insertion order). */
  readonly #ready = new Set<TurnTaker>();
  #isScheduled = false;
  /** Written in the slice that is under way, or was last. */
  #bytes = 0;

  constructor(scheduler: Scheduler, limits: SliceLimits) {
    this.#scheduler = scheduler;
    this.#limits = limits;
  }

  /** In a later turn of the loop. */
  give(taker: TurnTaker): void {
    this.#ready.add(taker);
    this.#schedule();
  }

  /** In this turn already, unless one is due anyway: a turn more costs as much as a frame for one subscriber. */
  giveNow(takers: Iterable<TurnTaker>): void {
    for (const taker of takers) this.#ready.add(taker);
    if (!this.#isScheduled) this.#slice();
  }

  takeBack(taker: TurnTaker): void {
    this.#ready.delete(taker);
  }

  /** Called by those that have their turn. */
  wrote(bytes: number): void {
    this.#bytes += bytes;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#ready.size === 0) return;
    this.#isScheduled = true;
    this.#scheduler.soon(() => this.#slice());
  }

  #slice(): void {
    this.#isScheduled = false;
    this.#bytes = 0;
    const { sliceMs, sliceBytes, sliceSubscribers } = this.#limits;
    let turns = 0;
    const endMs = this.#scheduler.now() + sliceMs;
    for (const taker of this.#ready) {
      this.#ready.delete(taker);
      // To the end of the queue: others first.
      if (taker.step()) this.#ready.add(taker);
      turns += 1;
      if (turns >= sliceSubscribers || this.#bytes >= sliceBytes || this.#scheduler.now() >= endMs) break;
    }
    this.#schedule();
  }
}
