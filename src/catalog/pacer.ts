// Long work in slices: whoever has run longer than the budget lets the event loop turn before it goes on, so that
// lookups and watches are served between the slices. Time and the pause are arguments.

export interface PacerOptions {
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** One turn of the event loop. */
  readonly turn: () => Promise<void>;
  /** Longest slice, ms. Lookups wait at most this long behind a slice. */
  readonly budgetMs: number;
}

/** A slice that may be asked often: the clock is read only every few steps. */
export interface Slice {
  due(): boolean;
  pause(): Promise<void>;
}

/** Steps between two readings of the clock: a step costs microseconds, so a slice overruns by well under 1 ms. */
const STEPS_PER_READING = 16;

export class Pacer {
  readonly #options: PacerOptions;

  constructor(options: PacerOptions) {
    this.#options = options;
  }

  begin(): Slice {
    const { nowMs, turn, budgetMs } = this.#options;
    let endMs = nowMs() + budgetMs;
    let steps = 0;
    return {
      due: () => {
        steps += 1;
        return steps % STEPS_PER_READING === 0 && nowMs() >= endMs;
      },
      pause: async () => {
        await turn();
        endMs = nowMs() + budgetMs;
      },
    };
  }
}
