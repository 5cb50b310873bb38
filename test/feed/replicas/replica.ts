// One process: a catalog and a feed that read a history, each resource at its own pace, by events, bookmarks and lists.

import { Registry } from '@prometheus-io/client';
import { Catalog, type CatalogStore } from '../../../src/catalog/catalog.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import { ChangeFeed } from '../../../src/feed/change-feed.ts';
import type { FeedLimits } from '../../../src/feed/feed-options.ts';
import type { Entity } from '../../../src/model/entities.ts';
import type { KubernetesRecord } from '../../../src/model/kubernetes/records.ts';
import type { Random } from '../../random.ts';
import type { ManualScheduler } from '../manual-scheduler.ts';
import { type ReplicaHistory, type Resource, RESOURCES } from './replica-history.ts';

const SEEN = { atMs: 1 };

interface Place {
  /** Events that were applied. */
  events: number;
  /** Version that was seen, by event, bookmark or list. */
  version: number;
}

export class Replica {
  readonly feed: ChangeFeed;
  /** Whatever the test counts time in. */
  readonly startedIn: number;
  readonly #catalog: Catalog;
  readonly #history: ReplicaHistory;
  readonly #random: Random;
  readonly #stores: Readonly<Record<Resource, CatalogStore<KubernetesRecord>>>;
  readonly #places: Readonly<Record<Resource, Place>>;

  constructor(
    history: ReplicaHistory,
    random: Random,
    scheduler: ManualScheduler,
    epoch: number,
    limits: Partial<FeedLimits>,
    startedIn = 0,
  ) {
    this.startedIn = startedIn;
    const registry = new Registry();
    this.#history = history;
    this.#random = random;
    // The clock stands still, so that nothing is cut into slices and every call is done when it returns.
    this.#catalog = new Catalog({
      registry,
      pacer: new Pacer({ nowMs: () => 0, turn: () => Promise.reject(new Error('there is time')), budgetMs: 1 }),
      // Installations come as records all the same, as every custom kind does that discovery found.
      isWatchedKind: (_, kind) => kind !== 'Rollout' && kind !== 'Installation',
    });
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32BE(epoch);
    this.feed = new ChangeFeed({ epoch: bytes, configuration: '', freshness: () => [], registry, scheduler, limits });
    this.#catalog.onBatch(this.feed.onBatch);
    this.#stores = {
      pods: this.#catalog.store('Pod', 'pods'),
      services: this.#catalog.store('Service', 'services'),
      'endpointslices.discovery.k8s.io': this.#catalog.store('EndpointSlice', 'endpointslices.discovery.k8s.io'),
      nodes: this.#catalog.store('Node', 'nodes'),
      namespaces: this.#catalog.store('Namespace', 'namespaces'),
      'replicasets.apps': this.#catalog.owners('replicasets.apps'),
      'deployments.apps': this.#catalog.owners('deployments.apps'),
      'installations.operator.tigera.io': this.#catalog.owners('installations.operator.tigera.io'),
    } as unknown as Readonly<Record<Resource, CatalogStore<KubernetesRecord>>>;
    this.#places = Object.fromEntries(RESOURCES.map((each) => [each, { events: 0, version: 0 }])) as Readonly<
      Record<Resource, Place>
    >;
    this.#list('pods', history.version);
    for (const resource of RESOURCES) {
      if (resource !== 'pods') this.#list(resource, Math.max(1, history.version - random.between(0, 10)));
    }
    void this.#catalog.open();
  }

  /** What it serves now. */
  entities(): Iterable<Entity> {
    return this.#catalog.entities();
  }

  /** One of the resources moves on, in whatever way. */
  step(): void {
    const random = this.#random;
    const resource = random.pick(RESOURCES);
    const way = random.next();
    const place = this.#places[resource];
    if (way < 0.9) this.#apply(resource);
    else if (way < 0.98) this.#bookmark(resource);
    else this.#list(resource, random.between(place.version, this.#history.version));
  }

  /** Applies everything that happened, in some order of resources. */
  catchUp(): void {
    while (RESOURCES.some((resource) => this.#next(resource) !== undefined)) this.#apply(this.#random.pick(RESOURCES));
  }

  /**
   * The server's storage was restored as it was at this version; every resource is listed again. The history goes on.
   */
  rewind(version: number): void {
    for (const resource of RESOURCES) {
      const place = this.#places[resource];
      const objects = this.#history.events[resource].filter((event) => event.version <= version).length;
      const replacement = this.#stores[resource].beginReplace();
      for (const record of this.#history.at(resource, objects)) replacement.add(record);
      void replacement.commit(String(version), SEEN);
      place.version = version;
    }
  }

  #next(resource: Resource) {
    return this.#history.events[resource][this.#places[resource].events];
  }

  #apply(resource: Resource): void {
    const event = this.#next(resource);
    if (event === undefined) return;
    this.#seePods(event.needsPods);
    const place = this.#places[resource];
    place.events += 1;
    place.version = event.version;
    const store = this.#stores[resource];
    if (event.removed) store.remove(event.record, String(event.version), SEEN);
    else store.upsert(event.record, String(event.version), SEEN);
  }

  #bookmark(resource: Resource): void {
    const place = this.#places[resource];
    // Up to the next event, which has not been seen.
    const latest = (this.#next(resource)?.version ?? this.#history.version + 1) - 1;
    place.version = this.#random.between(place.version, Math.max(place.version, latest));
    if (place.version > 0) this.#stores[resource].bookmark(String(place.version));
  }

  #list(resource: Resource, version: number): void {
    const place = this.#places[resource];
    const events = this.#history.events[resource];
    while ((events[place.events]?.version ?? Number.POSITIVE_INFINITY) <= version) {
      this.#seePods(events[place.events]?.needsPods ?? 0);
      place.events += 1;
    }
    place.version = version;
    const replacement = this.#stores[resource].beginReplace();
    for (const record of this.#history.at(resource, place.events)) replacement.add(record);
    void replacement.commit(String(version), SEEN);
  }

  #seePods(count: number): void {
    while (this.#places.pods.events < count) this.#apply('pods');
  }
}
