// Long work in slices: once the work of one turn has taken its share, a task with more to do lets the event loop
// turn before it goes on, so that lookups and watches are served in between. All who share a pacer share the turn: ten
// lists that arrive at once take no longer than one. Time and the turn are arguments.

import { setImmediate as nextTurn } from 'node:timers/promises';

export interface PacerOptions {
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** One turn of the event loop. */
  readonly turn: () => Promise<void>;
  /** What all take together of one turn, ms. Lookups wait about this long behind them. */
  readonly budgetMs: number;
}

/** Piece of work of many steps, which asks after each: steps may take microseconds or a millisecond. */
export interface Slice {
  due(): boolean;
  pause(): Promise<void>;
}

/**
 * The feed has its share of the same turn. Lookups that wait behind both, the last step of each and a pause of the
 * garbage collector mostly stay under 10 ms.
 */
const BUDGET_MS = 3;

export function createPacer(): Pacer {
  return new Pacer({ nowMs: () => performance.now(), turn: () => nextTurn(), budgetMs: BUDGET_MS });
}

/** What a task takes of a turn that others have used up: so many steps, if they are short. */
const FEW_STEPS = 16;
const LITTLE_MS = 0.5;

export class Pacer {
  readonly #options: PacerOptions;
  #endMs: number;
  #pause: Promise<void> | undefined;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#endMs = options.nowMs() + options.budgetMs;
  }

  /** The share of this turn is used up; also when no task has paused for long, which then costs one turn. */
  due(): boolean {
    return this.#options.nowMs() >= this.#endMs;
  }

  /** The next turn. All who wait for it share it, so every task makes at least a few steps of progress. */
  pause(): Promise<void> {
    this.#pause ??= this.#options.turn().then(() => {
      this.#pause = undefined;
      this.#endMs = this.#options.nowMs() + this.#options.budgetMs;
    });
    return this.#pause;
  }

  begin(): Slice {
    // Where others used up the turn, a task still takes a little of it: what arrives meanwhile may be its work too.
    let steps = 0;
    let resumedMs = this.#options.nowMs();
    return {
      due: () => {
        steps += 1;
        const nowMs = this.#options.nowMs();
        return nowMs >= this.#endMs && (steps >= FEW_STEPS || nowMs - resumedMs >= LITTLE_MS);
      },
      pause: async () => {
        await this.pause();
        steps = 0;
        resumedMs = this.#options.nowMs();
      },
    };
  }
}
