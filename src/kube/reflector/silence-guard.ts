// Ends a request whose peer went quiet for longer than a healthy one can be, or that lasts longer than agreed.
//
// Its signal aborts the request; `explain` then tells a stall from the many errors that an abort looks like.

import type { CancelTimer, Clock } from '../clock.ts';
import { StalledError } from './failure.ts';

export class SilenceGuard {
  readonly #clock: Clock;
  readonly #own = new AbortController();
  readonly #over = new AbortController();
  /**
   * Aborts when the outer signal does, when time is up, and at the end: what the request opened is let go, read or not.
   */
  readonly signal: AbortSignal;
  #silence: CancelTimer = NOT_SET;
  #deadline: CancelTimer = NOT_SET;
  #lifetime: CancelTimer = NOT_SET;

  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock;
    this.signal = AbortSignal.any([outer, this.#own.signal, this.#over.signal]);
  }

  /** From now on something has to come within `limitMs`. Replaces the expectation before. */
  expectWithin(limitMs: number, message: string): void {
    this.#silence();
    this.#silence = this.#clock.setTimer(() => this.#own.abort(new StalledError(message)), limitMs);
  }

  /** `expectNothing` has to be called within `limitMs`. */
  expectBy(limitMs: number, message: string): void {
    this.#deadline = this.#clock.setTimer(() => this.#own.abort(new StalledError(message)), limitMs);
  }

  /** What was expected came. */
  expectNothing(): void {
    this.#silence();
    this.#deadline();
  }

  /** All has to be over within `limitMs`, whatever comes. */
  endAfter(limitMs: number, message: string): void {
    this.#lifetime = this.#clock.setTimer(() => this.#own.abort(new StalledError(message)), limitMs);
  }

  /** The stall, if it was this guard that ended the request; else `error` itself. */
  explain(error: unknown): unknown {
    return this.#own.signal.aborted ? this.#own.signal.reason : error;
  }

  /** The request is over. */
  end(): void {
    this.expectNothing();
    this.#lifetime();
    this.#over.abort();
  }
}

const NOT_SET: CancelTimer = () => {};
