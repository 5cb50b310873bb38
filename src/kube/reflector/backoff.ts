// How long to wait before trying again.
//
// client-go's numbers (reflector.go: 800 ms, 30 s, 2 min, factor 2, jitter 1.0), with a lower cap for a server that
// cannot be reached at all: such a server did not ask for relief, and every second of waiting after its return is a
// second of wrong answers.

import type { Random } from '../clock.ts';

/** client-go: "a server with 30 s of unavailability sees each client about six times". */
export const BACKOFF_START_MS = 800;
/** After answers that ask for relief: 429 and 5xx, and for anything that looks wrong. */
export const RELIEF_CAP_MS = 30_000;
/** After refused, reset and timed-out connections, where one probe stands for all resources of a cluster. */
export const UNREACHABLE_CAP_MS = 5_000;
/** So long without a failure and the next one is a new story. */
export const HEALTHY_RESET_MS = 120_000;

export class Backoff {
  readonly #capMs: number;
  readonly #random: Random;
  #baseMs = BACKOFF_START_MS;
  #healthySinceMs: number | undefined;

  constructor(capMs: number, random: Random) {
    this.#capMs = capMs;
    this.#random = random;
  }

  /**
   * The delay after one more failure: in [d, 2d) for d = 800 ms, 1.6 s, 3.2 s, … up to half of the cap, so that it
   * stays below the cap and many clients of one server never come back in step.
   */
  nextMs(nowMs: number): number {
    if (this.#healthySinceMs !== undefined && nowMs - this.#healthySinceMs >= HEALTHY_RESET_MS) this.reset();
    const base = this.#baseMs;
    this.#baseMs = Math.min(base * 2, this.#capMs / 2);
    const delayMs = base + Math.floor(base * this.#random());
    // Health is counted from the end of the wait.
    this.#healthySinceMs = nowMs + delayMs;
    return delayMs;
  }

  reset(): void {
    this.#baseMs = BACKOFF_START_MS;
    this.#healthySinceMs = undefined;
  }
}
