// The beginning of a streamed list (KEP-3157): the state as ADDED events, ended by a bookmark that says so.
//
// Collected in a replacement, so that the store shows the old picture until the new one is whole. MODIFIED and DELETED
// may come before the bookmark; a replacement only grows, so from the first of them on events wait (bounded) and are
// applied right behind it, all at the bookmark's version, which is the first one that is known to hold.

import type { Observation } from '../../model/observation.ts';
import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { ApiError, type FailureKind, ShortWatchError } from './failure.ts';
import type { ReflectorTally } from './reflector-tally.ts';
import type { Replacement, ReflectorStore } from './store.ts';
import type { WatchEvent, WatchStream } from '../decoding/watch-body.ts';
import { WireError } from '../wire-error.ts';

/** Changes within the seconds of one initial stream; a cluster with more of them is better listed. */
const MAX_WAITING_EVENTS = 10_000;

export class InitialEvents<R extends KubernetesRecord> {
  readonly #store: ReflectorStore<R>;
  readonly #replacement: Replacement<R>;
  readonly #waiting: { readonly removed: boolean; readonly record: R }[] = [];
  #objects = 0;

  constructor(store: ReflectorStore<R>) {
    this.#store = store;
    this.#replacement = store.beginReplace();
  }

  /** ADDED events so far. */
  get objects(): number {
    return this.#objects;
  }

  /**
   * Reads up to the final bookmark, without committing anything. Resolves with its version and with the events that
   * came in the same piece behind it; rejects when the stream ends before, and as `#take` does.
   */
  async read(
    watch: WatchStream<R>,
    resource: string,
    tally: ReflectorTally,
  ): Promise<{ readonly resourceVersion: string; readonly rest: readonly WatchEvent<R>[] }> {
    for (;;) {
      const next = await watch.next();
      if (next.done === true) throw new ShortWatchError(`watch ${resource}: ended in its initial list`);
      const events = next.value;
      for (const [index, event] of events.entries()) {
        tally.events += 1;
        if ('record' in event) this.#take(event);
        else if (event.type === 'ERROR') throw new ApiError(event.status, `watch ${resource}`);
        // An ordinary bookmark says nothing about the initial events.
        else if (event.initialEventsEnd) {
          return { resourceVersion: event.resourceVersion, rest: events.slice(index + 1) };
        }
      }
    }
  }

  /** Writes what was read. `observe` is asked for each write. */
  async commit(resourceVersion: string, observe: () => Observation): Promise<void> {
    await this.#replacement.commit(resourceVersion, observe());
    for (const { removed, record } of this.#waiting) {
      if (removed) this.#store.remove(record, resourceVersion, observe());
      else this.#store.upsert(record, resourceVersion, observe());
    }
  }

  /** Forgets everything. */
  abort(): void {
    this.#replacement.abort();
  }

  /** One that came before the final bookmark. Throws a WireError when too much changed meanwhile. */
  #take(event: Extract<WatchEvent<R>, { record: R }>): void {
    if (event.type === 'ADDED' && this.#waiting.length === 0) {
      this.#objects += 1;
      this.#replacement.add(event.record);
      return;
    }
    if (this.#waiting.length === MAX_WAITING_EVENTS) {
      throw new WireError(`more than ${MAX_WAITING_EVENTS} changes before the initial events were complete`);
    }
    this.#waiting.push({ removed: event.type === 'DELETED', record: event.record });
  }
}

/**
 * Failures of a streamed list after which the plain list is tried, for good: the server does not know how, or does it
 * in a way that we do not understand. After the others the same is asked for again.
 */
export const NO_STREAMED_LIST: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'rejected',
  'server_error',
  'store_read_error',
  'undecodable',
  'short_watch',
  'stalled',
]);
