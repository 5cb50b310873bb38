// The waits between a failure and the next try, as the table of answers prescribes them.
//
// Every wait ends when everything stops. Backoff is each reflector's own; what the resources of a cluster learn from
// one another (the server is back, the credentials are good) comes from the ServerContact that they share.

import { Backoff, RELIEF_CAP_MS } from './backoff.ts';
import { capRetryAfter } from '../retry-after.ts';
import { type Clock, type Random, sleep } from '../clock.ts';
import type { Failure } from './failure.ts';
import type { Answer } from './failure-answers.ts';
import type { ServerContact } from './server-contact.ts';

export class Recovery {
  readonly #clock: Clock;
  readonly #contact: ServerContact;
  readonly #stopping: AbortSignal;
  readonly #backoff: Backoff;

  constructor(clock: Clock, random: Random, contact: ServerContact, stopping: AbortSignal) {
    this.#clock = clock;
    this.#contact = contact;
    this.#stopping = stopping;
    this.#backoff = new Backoff(RELIEF_CAP_MS, random);
  }

  /** Resolves when it is time to try again, or everything stops. */
  async sitOut(wait: Exclude<Answer['wait'], 'none'>, failure: Failure): Promise<void> {
    if (wait === 'outage') return this.#untilStopped(this.#contact.waitUntilReachable(failure.message));
    const askedMs = capRetryAfter(failure.retryAfterMs);
    const delayMs = Math.max(this.#backoff.nextMs(this.#clock.now()), askedMs);
    if (wait === 'backoff') return sleep(this.#clock, delayMs, this.#stopping);
    const accepted = new AbortController();
    const forget = this.#contact.onceAccepted(() => accepted.abort());
    await sleep(this.#clock, delayMs, AbortSignal.any([this.#stopping, accepted.signal]));
    forget();
  }

  /** Resolves at once unless the server is known to be away, and then as for `outage`. */
  async sitOutOutage(): Promise<void> {
    const { outage } = this.#contact;
    if (outage !== undefined) await this.#untilStopped(outage);
  }

  /** Resolves when the server has been looked at since `looksBegun`, or everything stops. */
  async sitOutLook(looksBegun: number): Promise<void> {
    await this.#untilStopped(this.#contact.lookedAtSince(looksBegun));
  }

  #untilStopped(wait: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = () => resolve();
      this.#stopping.addEventListener('abort', finish, { once: true });
      wait.then(finish, reject).finally(() => this.#stopping.removeEventListener('abort', finish));
    });
  }
}
