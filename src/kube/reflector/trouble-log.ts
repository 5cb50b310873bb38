// The log of one resource's troubles: transitions only. The same trouble again is counted elsewhere, not logged; its
// end is logged with how long it lasted.

import type { Logger } from '../../telemetry/logger.ts';
import type { Clock } from '../clock.ts';
import type { Failure, FailureKind } from './failure.ts';

export class TroubleLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  #kind: FailureKind | undefined;
  #sinceMs = 0;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
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
    this.#log[levelOf(failure.kind, 'warn')](
      { reason: failure.kind, error: failure.message },
      `cannot follow the API server: ${meaning}`,
    );
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
