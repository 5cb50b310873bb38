// All objects of one resource, and the last events that led to them: what an API server calls its watch cache.
//
// Promises: objects are listed in the order of their keys, as etcd does; a past list can be rebuilt for as long as the
// history reaches back; the history has a bound and forgets its oldest half-full block first, which is what makes a
// watch from an old resourceVersion answer 410. Refuses to invent a past that it no longer has.

import type { StoredObject } from './stored-objects.ts';
import type { Resource } from './served-resources.ts';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  /** For DELETED: the last state under the resourceVersion of the deletion. */
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
  readonly resourceVersion: bigint;
}

export type StoreListener = (event: StoreEvent) => void;

export class ResourceStore {
  readonly resource: Resource;
  readonly #maxHistoryEvents: number;
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<StoreListener>();
  #history: StoreEvent[] = [];
  /** The state right after this version is the oldest that can still be rebuilt. */
  #historyBegin: bigint;
  /** Sorted view of `#objects`; undefined after a write. */
  #sorted: readonly (readonly [string, StoredObject])[] | undefined;

  constructor(resource: Resource, maxHistoryEvents: number, historyBegin: bigint) {
    this.resource = resource;
    this.#maxHistoryEvents = maxHistoryEvents;
    this.#historyBegin = historyBegin;
  }

  get size(): number {
    return this.#objects.size;
  }

  get historyEvents(): number {
    return this.#history.length;
  }

  get historyBegin(): bigint {
    return this.#historyBegin;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  apply(event: StoreEvent): void {
    if (event.type === 'DELETED') {
      this.#objects.delete(event.key);
    } else {
      this.#objects.set(event.key, event.object);
    }
    this.#sorted = undefined;
    this.#history.push(event);
    // Dropping blocks instead of single events keeps a write at amortised constant cost.
    if (this.#history.length >= 2 * this.#maxHistoryEvents) {
      this.#forget(this.#history.length - this.#maxHistoryEvents);
    }
    for (const listener of [...this.#listeners]) {
      listener(event);
    }
  }

  /** Everything now, in the order of the keys. */
  list(): readonly (readonly [string, StoredObject])[] {
    this.#sorted ??= [...this.#objects].sort(byKey);
    return this.#sorted;
  }

  /** Everything as it was right after `resourceVersion`, or undefined when the history no longer reaches back. */
  listAt(resourceVersion: bigint): readonly (readonly [string, StoredObject])[] | undefined {
    if (resourceVersion < this.#historyBegin) {
      return undefined;
    }
    const newer = this.#history.length - this.#indexAfter(resourceVersion);
    if (newer === 0) {
      return this.list();
    }
    const past = new Map(this.#objects);
    for (let index = this.#history.length - 1; index >= this.#history.length - newer; index--) {
      const event = this.#history[index] as StoreEvent;
      if (event.previous === undefined) {
        past.delete(event.key);
      } else {
        past.set(event.key, event.previous);
      }
    }
    return [...past].sort(byKey);
  }

  /** Events after `resourceVersion`, or undefined when some of them are forgotten. */
  eventsSince(resourceVersion: bigint): readonly StoreEvent[] | undefined {
    return resourceVersion < this.#historyBegin ? undefined : this.#history.slice(this.#indexAfter(resourceVersion));
  }

  /** Forgets the events up to `resourceVersion`; the present state stays. */
  compact(resourceVersion: bigint): void {
    this.#history = this.#history.slice(this.#indexAfter(resourceVersion));
    if (resourceVersion > this.#historyBegin) {
      this.#historyBegin = resourceVersion;
    }
  }

  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #forget(count: number): void {
    const last = this.#history[count - 1];
    if (last !== undefined) {
      this.#historyBegin = last.resourceVersion;
      this.#history = this.#history.slice(count);
    }
  }

  /** Index of the first event that is newer than `resourceVersion`: a binary search, the history is sorted. */
  #indexAfter(resourceVersion: bigint): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle] as StoreEvent).resourceVersion <= resourceVersion) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** `/namespace/name` or `/name`: the key under the resource's prefix, as a continue token carries it. */
export function storeKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? `/${name}` : `/${namespace}/${name}`;
}

/** Byte order, which for the ASCII of names is the order of code units. */
function byKey(left: readonly [string, StoredObject], right: readonly [string, StoredObject]): number {
  return left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0;
}
