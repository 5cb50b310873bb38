// Applies the events of a watch to the store of one resource, in the order in which they come, and says after each up
// to which version everything is in the store. An ERROR event ends the watch as a failed request does.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import type { Clock } from '../clock.ts';
import type { WatchEvent, WatchStream } from '../decoding/watch-body.ts';
import type { Blindness } from './blindness.ts';
import { ApiError } from './failure.ts';
import type { ReflectorTally } from './reflector-tally.ts';
import type { ReflectorStore } from './store.ts';

export class EventWriter<R extends KubernetesRecord> {
  readonly #store: ReflectorStore<R>;
  readonly #clock: Clock;
  readonly #blindness: Blindness;
  readonly #tally: ReflectorTally;
  readonly #onVersion: (version: string) => void;

  /** `onVersion`: everything up to this version is in the store. */
  constructor(
    store: ReflectorStore<R>,
    clock: Clock,
    blindness: Blindness,
    tally: ReflectorTally,
    onVersion: (version: string) => void,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#blindness = blindness;
    this.#tally = tally;
    this.#onVersion = onVersion;
  }

  /** Everything that comes until the server ends the watch. `resource`: for the text of an error. */
  async take(watch: WatchStream<R>, resource: string): Promise<void> {
    for (;;) {
      const next = await watch.next();
      if (next.done === true) return;
      this.apply(next.value, resource);
    }
  }

  /** What came in one piece. */
  apply(events: readonly WatchEvent<R>[], resource: string): void {
    for (const event of events) {
      this.#apply(event, resource);
      if (event.type === 'BOOKMARK') this.#blindness.caughtUp();
    }
  }

  #apply(event: WatchEvent<R>, resource: string): void {
    this.#tally.events += 1;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#store.upsert(event.record, event.resourceVersion, this.#blindness.observe());
        this.#tally.lastChangeMs = this.#clock.now();
        break;
      case 'DELETED':
        this.#store.remove(event.record, event.resourceVersion, this.#blindness.observe());
        this.#tally.lastChangeMs = this.#clock.now();
        break;
      case 'BOOKMARK':
        this.#store.bookmark(event.resourceVersion);
        break;
      case 'ERROR':
        throw new ApiError(event.status, `watch ${resource}`);
      default:
        event satisfies never;
    }
    this.#onVersion(event.resourceVersion);
  }
}
