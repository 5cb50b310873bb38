// The log of one resource's troubles: transitions only. The same trouble again is counted elsewhere, not logged; its
// end is logged with how long it lasted. What is refused to many resources alike is told for all of them at once
// (shared-refusals.ts).

import type { Logger } from '../../telemetry/logger.ts';
import type { Clock } from '../clock.ts';
import type { Failure, FailureKind } from './failure.ts';

/** They concern the account, and so most often every resource. */
const REFUSALS: ReadonlySet<FailureKind> = new Set(['forbidden', 'unauthorized', 'credentials']);

export class TroubleLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #tellRefusal: (failure: Failure, text: string) => void;
  #kind: FailureKind | undefined;
  #sinceMs = 0;

  constructor(log: Logger, clock: Clock, tellRefusal: (failure: Failure, text: string) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#tellRefusal = tellRefusal;
  }

  /** `synced`: answers go on. `required`: without the resource there are none. */
  trouble(failure: Failure, synced: boolean, required: boolean): void {
    if (this.#kind === failure.kind) return;
    if (this.#kind === undefined) this.#sinceMs = this.#clock.now();
    this.#kind = failure.kind;
    if (failure.kind === 'not_found' && !synced && !required) {
      // An older API server: nothing is wrong and there is nothing to do.
      this.#log.debug({ error: failure.message }, 'the API server does not serve this resource, going without');
      return;
    }
    const meaning = synced ? 'answers go on from the last known state' : 'not synced yet';
    const text = `cannot follow the API server: ${meaning}`;
    if (REFUSALS.has(failure.kind)) this.#tellRefusal(failure, text);
    else this.#log[levelOf(failure.kind, 'warn')]({ reason: failure.kind, error: failure.message }, text);
  }

  recovered(): void {
    if (this.#kind === undefined) return;
    const afterMs = this.#clock.now() - this.#sinceMs;
    this.#log[levelOf(this.#kind, 'info')]({ reason: this.#kind, afterMs }, 'following the API server again');
    this.#kind = undefined;
  }
}

/** An outage is the whole cluster's, and the probe that stands for all resources speaks for it. */
function levelOf<L extends 'warn' | 'info'>(kind: FailureKind, level: L): L | 'debug' {
  return kind === 'unreachable' ? 'debug' : level;
}
