// The catalog: the joined state of the cluster. Reflectors write records into its stores, readers take entities out,
// listeners are told every change.
//
// Until `open` records are only collected, because a join before the owners and slices are there would be done again;
// `open` joins everything once, in slices, and tells listeners. From then on each write is one synchronous step: state,
// then one batch with one change per entity that really differs, numbered densely from 1; what one write changes beyond
// a few hundred entities follows in slices (see `publisher.ts`). Entities are a pure function of the records; only the
// names of retained owners are not. A listener that throws is a bug and is not caught.

import type { Registry } from '@prometheus-io/client';
import { groupOf } from '../model/kubernetes/api-version.ts';
import type {
  Entity,
  NamespaceEntity,
  NodeEntity,
  ObjectReference,
  PodEntity,
  ServiceEntity,
  WorkloadEntity,
} from '../model/entities.ts';
import type { Observation } from '../model/observation.ts';
import type { FormerOwner, KubernetesRecord, ObjectIdentity, OwnerRecord } from '../model/kubernetes/records.ts';
import { DEFAULT_VALUE_POLICY, type ValuePolicy } from '../wire/value-policy.ts';
import type { IsWatchedKind } from './owners/custom-owners.ts';
import type { Fingerprinted } from './records/fingerprint.ts';
import { Join } from './joining/join.ts';
import { type CatalogMetrics, createCatalogMetrics } from './metrics.ts';
import type { NamespaceState } from './entities/namespace-state.ts';
import type { NodeState } from './entities/node-state.ts';
import type { OwnerState } from './entities/owner-state.ts';
import { createPacer, type Pacer } from './pacer.ts';
import type { PodState } from './entities/pod-state.ts';
import { MAX_AT_ONCE, Publisher } from './publisher.ts';
import type { CatalogReader, ChangeListener } from './reader.ts';
import {
  RecordTable,
  type Shelf,
  type Shelved,
  type TableOwner,
  type TableReplacement,
} from './records/record-table.ts';
import { WorkloadEntities } from './owners/workload-entities.ts';

export interface CatalogOptions {
  readonly registry: Registry;
  /** Which labels and annotations are published. */
  readonly valuePolicy?: ValuePolicy;
  /** Owners of pods of any other kind are published by their reference alone. Unset: every kind is watched. */
  readonly isWatchedKind?: IsWatchedKind;
  /** How long owners that are gone stay known to pods that are seen after them, ms. Default: as long as pods refer to them. */
  readonly ownerRetentionMs?: number;
  /** Cuts relists and `open` into slices. Default: one of its own. */
  readonly pacer?: Pacer;
  /** Entities and addresses that one write tells at once; the rest follows in later turns. Others are for tests. */
  readonly sliceSize?: number;
}

/** What a reflector writes to; has the shape of its store. */
export interface CatalogStore<R extends KubernetesRecord> {
  beginReplace(): TableReplacement<R>;
  upsert(record: R, resourceVersion: string, seen: Observation): void;
  remove(record: R, resourceVersion: string, seen: Observation): void;
  bookmark(resourceVersion: string): void;
}

/** Ranges of services are joined into nothing and go past the catalog. */
export type RecordType = Exclude<KubernetesRecord['type'], 'ServiceCidr'>;
export type RecordOf<T extends RecordType> = Extract<KubernetesRecord, { readonly type: T }>;

/** About 25 MB with what is above them; a Job every 12 ms for ten minutes. */
const MAX_FORMER_OWNERS = 50_000;

/** What lookups by name need of a table. */
interface Table<S> {
  get(namespace: string, name: string): S | undefined;
}

export class Catalog implements CatalogReader {
  readonly #join: Join;
  readonly #publisher: Publisher;
  readonly #workloads: WorkloadEntities;
  readonly #pacer: Pacer;
  readonly #metrics: CatalogMetrics;
  readonly #podTables: Table<PodState>[] = [];
  readonly #nodeTables: Table<NodeState>[] = [];
  readonly #namespaceTables: Table<NamespaceState>[] = [];
  readonly #ownerTables: Table<OwnerState>[] = [];
  readonly #tables: { readonly resource: string; readonly size: number; readonly isFilling: boolean }[] = [];
  readonly #tableOwner: TableOwner = {
    isCollecting: () => this.#publisher.isCollecting,
    publish: (position, seen, unfinished) => {
      this.#join.shelves.graph.tick(seen.atMs);
      this.#publisher.publish(position, seen, unfinished);
    },
    advance: (position) => this.#publisher.advance(position),
    unchanged: (resource) => this.#metrics.unchanged(resource),
    isBehind: () => this.#publisher.isBehind,
  };

  constructor(options: CatalogOptions) {
    this.#pacer = options.pacer ?? createPacer();
    const sliceSize = options.sliceSize ?? MAX_AT_ONCE;
    this.#join = new Join({
      policy: options.valuePolicy ?? DEFAULT_VALUE_POLICY,
      isWatchedKind: options.isWatchedKind ?? (() => true),
      former: { retentionMs: options.ownerRetentionMs ?? 0, maxOwners: MAX_FORMER_OWNERS },
      podNamed: (namespace, name) => first(this.#podTables, namespace, name),
      ownersNamed: (namespace, name) => named(this.#ownerTables, namespace, name),
      // Before the picture is there no caller waits for anything.
      sliceSize: () => (this.#publisher.isOpen ? sliceSize : Number.POSITIVE_INFINITY),
    });
    this.#workloads = new WorkloadEntities(this.#join.shelves.graph);
    this.#metrics = createCatalogMetrics(options.registry, {
      objects: () => this.#objects(),
      entities: () => this.#publisher.counts.published,
      hiddenEntities: () => this.#publisher.counts.hidden,
      networkProblems: () => this.#join.shelves.networkProblems,
      retainedOwners: () => this.#join.shelves.graph.retainedCount,
      cutEntities: () => this.#join.cutEntities,
    });
    this.#publisher = new Publisher({
      join: this.#join,
      pacer: this.#pacer,
      changed: (kind) => this.#metrics.changed(kind),
      sliceSize,
    });
  }

  /** The store for one kind of owners, e.g. `deployments.apps`. */
  owners(resource: string): CatalogStore<OwnerRecord> {
    return this.store('Owner', resource);
  }

  /**
   * The store for one source of records. `resource` names it in positions and metrics (`pods`, `deployments.apps`); a
   * resource that is watched namespace by namespace has one store, with a name of its own, for each.
   */
  store<T extends RecordType>(type: T, resource: string): CatalogStore<RecordOf<T>>;
  store(type: RecordType, resource: string): unknown {
    const { shelves } = this.#join;
    switch (type) {
      case 'Pod': {
        const table = this.#table(resource, shelves.pods(resource), true);
        this.#podTables.push(table);
        return table;
      }
      case 'Service':
        return this.#table(resource, shelves.services(resource), true);
      case 'EndpointSlice':
        return this.#table(resource, shelves.slices(), false);
      case 'Node': {
        const table = this.#table(resource, shelves.nodes(resource), false);
        this.#nodeTables.push(table);
        return table;
      }
      case 'Namespace': {
        const table = this.#table(resource, shelves.namespaces(resource), false);
        this.#namespaceTables.push(table);
        return table;
      }
      case 'Owner': {
        const table = this.#table(resource, shelves.owners(resource), false);
        this.#ownerTables.push(table);
        return table;
      }
    }
  }

  /** Adds a listener; the function that this returns takes it away again. */
  onBatch(listener: ChangeListener): () => void {
    return this.#publisher.listen(listener);
  }

  /**
   * Joins what was collected. To be called once, when every required resource has its first list and every optional
   * one has it or cannot have it. Resolves when entities, positions and listeners are up to date.
   */
  async open(): Promise<void> {
    if (!this.#publisher.isCollecting) throw new Error('the catalog is open already');
    const filling = this.#tables.find(({ isFilling }) => isFilling);
    if (filling !== undefined)
      throw new Error(`the catalog opens in the middle of the first list of ${filling.resource}`);
    await this.#publisher.open();
  }

  /** Resolves when listeners have been told everything that was written: a write of thousands is told in slices. */
  settled(): Promise<void> {
    return this.#publisher.settled();
  }

  /** Owners that are gone and known all the same, for a replica that begins. */
  formerOwners(nowMs: number): Iterable<FormerOwner> {
    return this.#join.shelves.graph.formers(nowMs);
  }

  /** Owners that were gone before the first lists, as another replica knows them. The catalog has to be open. */
  inheritOwners(formers: readonly FormerOwner[], nowMs: number): number {
    if (!this.#publisher.isOpen) throw new Error('the catalog is not open yet');
    const taken = this.#join.shelves.graph.inherit(formers, nowMs);
    if (taken > 0) this.#publisher.publishAgain({ atMs: nowMs });
    return taken;
  }

  /** Number of objects known of one resource. */
  objects(resource: string): number {
    return this.#objects().get(resource) ?? 0;
  }

  /** Steps that writes have cost so far, by what was done: what tests of complexity count. */
  get steps(): Readonly<Record<'joins' | 'links' | 'memberships' | 'copies', number>> {
    const { joins, shelves } = this.#join;
    const { visits: memberships, copies } = shelves.membership;
    return { joins, links: shelves.graph.visits, memberships, copies };
  }

  get sequence(): number {
    return this.#publisher.sequence;
  }

  pod(namespace: string, name: string): PodEntity | undefined {
    return first(this.#podTables, namespace, name)?.published;
  }

  podWithUid(uid: string): PodEntity | undefined {
    return this.#join.picture.pods.get(uid)?.published;
  }

  service(namespace: string, name: string): ServiceEntity | undefined {
    return this.#join.picture.serviceNamed(namespace, name)?.published;
  }

  node(name: string): NodeEntity | undefined {
    return first(this.#nodeTables, '', name)?.published;
  }

  namespace(name: string): NamespaceEntity | undefined {
    return first(this.#namespaceTables, '', name)?.published;
  }

  workload(apiGroup: string, kind: string, namespace: string, name: string, uid = ''): WorkloadEntity | undefined {
    if (apiGroup === '' && kind === 'Pod') {
      const pod = this.pod(namespace, name);
      return pod?.workload.uid === pod?.uid && pod !== undefined ? this.#workloads.ofPod(pod) : undefined;
    }
    if (!this.#publisher.isOpen) return undefined;
    for (const owner of named(this.#ownerTables, namespace, name)) {
      const { row } = owner;
      if (row.workloadKind !== kind || groupOf(row.apiVersion) !== apiGroup) continue;
      if (uid === '' || uid === row.uid) return owner.entity();
    }
    const told = this.#join.customOwners.named(apiGroup, kind, namespace, name);
    return told.find((each) => uid === '' || uid === each.uid);
  }

  resolveWorkload(reference: ObjectReference): WorkloadEntity {
    const { owners, pods } = this.#join.picture;
    const owner = this.#publisher.isOpen ? owners.get(reference.uid) : undefined;
    if (owner !== undefined) return owner.entity();
    const pod = pods.get(reference.uid)?.published;
    return pod !== undefined ? this.#workloads.ofPod(pod) : this.#workloads.ofReference(reference);
  }

  *pods(): Iterable<PodEntity> {
    for (const { published } of this.#join.picture.pods.values()) if (published !== undefined) yield published;
  }

  *entities(): Iterable<Entity> {
    const { pods, services, nodes, namespaces, owners } = this.#join.picture;
    for (const states of [nodes, namespaces, owners, pods]) {
      for (const { published } of states.values()) if (published !== undefined) yield published;
    }
    // One state stands for a service and for its successor under the name.
    for (const [uid, { published }] of services) if (published?.uid === uid) yield published;
    yield* this.#join.customOwners.published();
  }

  /** Whether one of `entities()` has this uid, once all that was written is told. */
  hasEntity(uid: string): boolean {
    const { pods, services, nodes, namespaces, owners } = this.#join.picture;
    for (const states of [pods, owners, nodes, namespaces]) {
      if (states.get(uid)?.published !== undefined) return true;
    }
    return services.get(uid)?.published?.uid === uid || this.#join.customOwners.publishedAs(uid) !== undefined;
  }

  /** `isAwaited`: without pods and services there is no picture, so `open` is not called before their first lists. */
  #table<R extends KubernetesRecord, D extends ObjectIdentity & Fingerprinted, S extends Shelved>(
    resource: string,
    shelf: Shelf<R, D, S>,
    isAwaited: boolean,
  ): RecordTable<R, D, S> {
    const table = new RecordTable(resource, shelf, this.#tableOwner, this.#pacer, isAwaited);
    this.#tables.push(table);
    return table;
  }

  #objects(): ReadonlyMap<string, number> {
    const objects = new Map<string, number>();
    for (const { resource, size } of this.#tables) objects.set(resource, (objects.get(resource) ?? 0) + size);
    return objects;
  }
}

function first<S>(tables: readonly Table<S>[], namespace: string, name: string): S | undefined {
  for (const state of named(tables, namespace, name)) return state;
  return undefined;
}

function* named<S>(tables: readonly Table<S>[], namespace: string, name: string): Generator<S> {
  for (const table of tables) {
    const state = table.get(namespace, name);
    if (state !== undefined) yield state;
  }
}
