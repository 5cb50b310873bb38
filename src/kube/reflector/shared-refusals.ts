// What the API server refuses to many resources for one reason is told once, in a line that names them all: an account
// without rights would otherwise fill the log with a line for each of thirteen resources, which all say the same.
//
// Refusals come with the answers, within milliseconds of each other; so the first one waits GATHER_MS for the others.
// At most one waits for each resource, because who tells of them tells transitions only (trouble-log.ts).

import type { Logger } from '../../telemetry/logger.ts';
import type { Clock } from '../clock.ts';
import { listCause } from '../list-cause.ts';
import type { Failure, FailureKind } from './failure.ts';

const GATHER_MS = 200;

type Refusal = {
  readonly kind: FailureKind;
  readonly cause: string;
  readonly text: string;
  readonly resources: string[];
};

export class SharedRefusals {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #gathered = new Map<string, Refusal>();

  /** `stopping`: what waits is told at once. */
  constructor(logger: Logger, clock: Clock, stopping: AbortSignal) {
    this.#logger = logger;
    this.#clock = clock;
    stopping.addEventListener('abort', () => this.#tellAll(), { once: true });
  }

  /** `text` is the message of the line. */
  tell(resource: string, failure: Failure, text: string): void {
    const cause = listCause(failure.message);
    const key = `${failure.kind} ${text} ${cause}`;
    const there = this.#gathered.get(key);
    if (there !== undefined) {
      there.resources.push(resource);
      return;
    }
    if (this.#gathered.size === 0) this.#clock.setTimer(() => this.#tellAll(), GATHER_MS);
    this.#gathered.set(key, { kind: failure.kind, cause, text, resources: [resource] });
  }

  #tellAll(): void {
    const all = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const { kind, cause, text, resources } of all) {
      this.#logger.warn({ resource: resources.join(', '), reason: kind, error: cause }, text);
    }
  }
}
