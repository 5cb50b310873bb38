// What a reflector counts, for status and metrics.

import type { RestartReason } from './failure.ts';

export class ReflectorTally {
  /** Lists begun, pages not counted. */
  lists = 0;
  /** Watches begun, streamed lists among them. */
  watches = 0;
  /** Watch events received, bookmarks included. */
  events = 0;
  /** When the store was last written, ms since the epoch. */
  lastChangeMs: number | undefined = undefined;
  readonly #restarts = new Map<RestartReason, number>();

  /** A list or watch ended otherwise than planned. */
  restarted(reason: RestartReason): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1);
  }

  snapshot(): {
    readonly lists: number;
    readonly watches: number;
    readonly events: number;
    readonly lastChangeMs: number | undefined;
    readonly restarts: ReadonlyMap<string, number>;
  } {
    const { lists, watches, events, lastChangeMs } = this;
    return { lists, watches, events, lastChangeMs, restarts: new Map(this.#restarts) };
  }
}
