// How long one small request may take: so long for credentials, which have a limit of their own, and so long for the
// answer and its body, counted from the moment at which the request begins. A plugin for credentials that takes ten
// seconds would otherwise be ended by every request that allows five, and never come to its end.

import type { CancelTimer, Clock } from './clock.ts';

/** More than credentials take by themselves (65 s): a request always ends. */
const CREDENTIALS_MS = 70_000;

/** To be disposed of when the request is over. */
export class AnswerLimit implements Disposable {
  readonly #clock: Clock;
  readonly #answerMs: number;
  readonly #over = new AbortController();
  /** Aborts when time is up, or when `outer` does. */
  readonly signal: AbortSignal;
  #cancel: CancelTimer;

  constructor(clock: Clock, outer: AbortSignal, answerMs: number) {
    this.#clock = clock;
    this.#answerMs = answerMs;
    this.signal = AbortSignal.any([outer, this.#over.signal]);
    this.#cancel = clock.setTimer(() => this.#over.abort(), CREDENTIALS_MS);
  }

  /** Time is up; not that the outer signal aborted. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** To be called when the request begins, and when it begins anew. */
  begin(): void {
    this.#cancel();
    this.#cancel = this.#clock.setTimer(() => this.#over.abort(), this.#answerMs);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
