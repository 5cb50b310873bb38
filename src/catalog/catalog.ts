// The catalog: the joined state of the cluster. Reflectors write records into its stores, readers take entities out,
// listeners are told every change.
//
// Until `open` records are only collected, because a join before the owners and slices are there would be done again;
// `open` joins everything once, in slices, and tells listeners. From then on each write is one synchronous step: state, then one
// batch with one change per entity that really differs, numbered densely from 1. Entities are a pure function of the
// records; only the names of retained owners are not. A listener that throws is a bug and is not caught.

import type { Registry } from '@prometheus-io/client';
import { groupOf } from '../model/api-version.ts';
import type { EntityChange } from '../model/changes.ts';
import type {
  EncodedEntity,
  Entity,
  NodeEntity,
  ObjectReference,
  PodEntity,
  ServiceEntity,
  WorkloadEntity,
} from '../model/entities.ts';
import type { Observation, SourcePosition } from '../model/observation.ts';
import type {
  EndpointSliceRecord,
  KubernetesRecord,
  NodeRecord,
  ObjectIdentity,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../model/records.ts';
import { encodePodAsWorkload, encodeReferredWorkload } from '../wire/encode-workload.ts';
import { DEFAULT_VALUE_POLICY, type ValuePolicy } from '../wire/value-policy.ts';
import type { IsWatchedKind } from './custom-owners.ts';
import type { Fingerprinted } from './fingerprint.ts';
import { Join } from './join.ts';
import type { JoinedChange, JoinedTouch } from './joined.ts';
import { type CatalogMetrics, createCatalogMetrics } from './metrics.ts';
import type { NodeState } from './node-state.ts';
import type { OwnerState } from './owner-state.ts';
import { createPacer, type Pacer } from './pacer.ts';
import type { PodState } from './pod-state.ts';
import type { CatalogReader, ChangeListener } from './reader.ts';
import { RecordTable, type Shelf, type Shelved, type TableOwner, type TableReplacement } from './record-table.ts';
import { NO_REFERENCES } from './rows.ts';

export interface CatalogOptions {
  readonly registry: Registry;
  /** Which labels and annotations are published. */
  readonly valuePolicy?: ValuePolicy;
  /** Owners of pods of any other kind are published by their reference alone. Unset: none is. */
  readonly isWatchedKind?: IsWatchedKind;
  /** Cuts relists and `open` into slices. Default: one of its own. */
  readonly pacer?: Pacer;
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

export class Catalog implements CatalogReader {
  /** Stores for a cluster that is watched as a whole; see `store` for other cuts. */
  readonly pods: CatalogStore<PodRecord>;
  readonly services: CatalogStore<ServiceRecord>;
  readonly endpointSlices: CatalogStore<EndpointSliceRecord>;
  readonly nodes: CatalogStore<NodeRecord>;
  readonly #join: Join;
  readonly #pacer: Pacer;
  readonly #metrics: CatalogMetrics;
  readonly #listeners = new Set<ChangeListener>();
  readonly #podTables: { get(namespace: string, name: string): PodState | undefined }[] = [];
  readonly #nodeTables: { get(namespace: string, name: string): NodeState | undefined }[] = [];
  readonly #ownerTables: { get(namespace: string, name: string): OwnerState | undefined }[] = [];
  /** Where each resource stands, and when that was seen. */
  readonly #positions = new Map<string, { position: SourcePosition; seen: Observation; unfinished: boolean }>();
  /** Workload entities that are made on demand, for as long as what they are made of lives. */
  readonly #made = new WeakMap<object, WorkloadEntity>();
  readonly #tables: { readonly resource: string; readonly size: number; readonly isFilling: boolean }[] = [];
  readonly #tableOwner: TableOwner = {
    isCollecting: () => this.#phase === 'collecting',
    publish: (position, seen, unfinished) => this.#publish(position, seen, unfinished),
    advance: (position) => {
      const known = this.#positions.get(position.resource);
      // A bookmark says nothing about objects; the moment of the last write stands.
      this.#publish(position, known?.seen ?? NEVER, false);
    },
    unchanged: (resource) => this.#metrics.unchanged(resource),
  };
  #phase: 'collecting' | 'opening' | 'open' = 'collecting';
  #sequence = 0;

  constructor(options: CatalogOptions) {
    this.#join = new Join(
      options.valuePolicy ?? DEFAULT_VALUE_POLICY,
      options.isWatchedKind ?? (() => true),
      (namespace, name) => first(this.#podTables, namespace, name),
    );
    this.#pacer = options.pacer ?? createPacer();
    this.#metrics = createCatalogMetrics(options.registry, {
      objects: () => this.#objects(),
      entities: () => this.#entityCounts(),
      retainedOwners: () => this.#join.graph.retainedCount,
    });
    this.pods = this.store('Pod', 'pods');
    this.services = this.store('Service', 'services');
    this.endpointSlices = this.store('EndpointSlice', 'endpointslices.discovery.k8s.io');
    this.nodes = this.store('Node', 'nodes');
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
    switch (type) {
      case 'Pod': {
        const table = this.#table(resource, this.#join.podShelf(resource), true);
        this.#podTables.push(table);
        return table;
      }
      case 'Service':
        return this.#table(resource, this.#join.serviceShelf(resource), true);
      case 'EndpointSlice':
        return this.#table(resource, this.#join.sliceShelf(), false);
      case 'Node': {
        const table = this.#table(resource, this.#join.nodeShelf(resource), false);
        this.#nodeTables.push(table);
        return table;
      }
      case 'Owner': {
        const table = this.#table(resource, this.#join.ownerShelf(resource), false);
        this.#ownerTables.push(table);
        return table;
      }
    }
  }

  /** Adds a listener; the function that this returns takes it away again. */
  onBatch(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Joins what was collected. To be called once, when every required resource has its first list and every optional
   * one has it or cannot have it. Resolves when entities, positions and listeners are up to date.
   */
  async open(): Promise<void> {
    if (this.#phase !== 'collecting') throw new Error('the catalog is open already');
    const filling = this.#tables.find(({ isFilling }) => isFilling);
    if (filling !== undefined)
      throw new Error(`the catalog opens in the middle of the first list of ${filling.resource}`);
    this.#phase = 'opening';
    const slice = this.#pacer.begin();
    // Writes that arrive between slices mark more work; the drain goes on until there is none.
    for (const change of this.#join.drain()) {
      if (!('touched' in change)) {
        // An entity that no source has a record of (an owner that only pods name) goes under any that will be finished.
        const at = this.#positions.get(change.resource) ?? this.#positions.values().next().value;
        const position = at?.position ?? { resource: change.resource, resourceVersion: '' };
        this.#emit([change], position, at?.seen ?? NEVER, true);
      }
      if (slice.due()) await slice.pause();
    }
    this.#phase = 'open';
    for (const { position, seen, unfinished } of this.#positions.values()) this.#emit([], position, seen, unfinished);
  }

  /** Number of objects known of one resource. */
  objects(resource: string): number {
    return this.#objects().get(resource) ?? 0;
  }

  get sequence(): number {
    return this.#sequence;
  }

  pod(namespace: string, name: string): PodEntity | undefined {
    return first(this.#podTables, namespace, name)?.published;
  }

  service(namespace: string, name: string): ServiceEntity | undefined {
    return this.#join.serviceNamed(namespace, name)?.published;
  }

  node(name: string): NodeEntity | undefined {
    return first(this.#nodeTables, '', name)?.published;
  }

  workload(apiGroup: string, kind: string, namespace: string, name: string): WorkloadEntity | undefined {
    if (apiGroup === '' && kind === 'Pod') {
      const pod = this.pod(namespace, name);
      return pod?.workload.uid === pod?.uid && pod !== undefined ? this.#podAsWorkload(pod) : undefined;
    }
    if (this.#phase !== 'open') return undefined;
    for (const table of this.#ownerTables) {
      const owner = table.get(namespace, name);
      if (owner?.row.workloadKind === kind && groupOf(owner.row.apiVersion) === apiGroup) return owner.entity();
    }
    return undefined;
  }

  byUid(uid: string): Entity | undefined {
    const { pods, services, nodes, owners } = this.#join;
    const published = (pods.get(uid) ?? services.get(uid) ?? nodes.get(uid))?.published;
    if (published !== undefined || this.#phase !== 'open') return published;
    return owners.get(uid)?.entity();
  }

  resolveWorkload(reference: ObjectReference): WorkloadEntity {
    const owner = this.#phase === 'open' ? this.#join.owners.get(reference.uid) : undefined;
    if (owner !== undefined) return owner.entity();
    const pod = this.#join.pods.get(reference.uid)?.published;
    if (pod !== undefined) return this.#podAsWorkload(pod);
    return this.#referred(reference);
  }

  *entities(): Iterable<Entity> {
    const { pods, services, nodes, owners } = this.#join;
    for (const states of [nodes, owners, pods, services]) {
      for (const { published } of states.values()) if (published !== undefined) yield published;
    }
    yield* this.#join.customOwners.published();
  }

  /** A pod as a workload, even where an owner stands above it: an answer may still refer to it as it was. */
  #podAsWorkload(pod: PodEntity): WorkloadEntity {
    return this.#once(pod, pod.ownerChain, () => {
      const { namespace, name, uid, creationTimeMs, ownerChain } = pod;
      const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, incomplete: false };
      return toWorkload(reference, creationTimeMs, ownerChain, encodePodAsWorkload(pod, reference));
    });
  }

  /** A retained owner, or one of which nothing but the reference is known. */
  #referred(reference: ObjectReference): WorkloadEntity {
    const link = this.#join.graph.get(reference.uid);
    const retained = link?.retained === true ? link : undefined;
    const known = retained?.reference ?? reference;
    const ownerChain = retained?.edge?.lineageFor(reference.uid).chain ?? NO_REFERENCES;
    return this.#once(known, ownerChain, () =>
      toWorkload(known, undefined, ownerChain, encodeReferredWorkload(known, ownerChain)),
    );
  }

  /** Makes a workload once for as long as `key` lives and the chain above it is the same. */
  #once(key: object, ownerChain: readonly ObjectReference[], make: () => WorkloadEntity): WorkloadEntity {
    let made = this.#made.get(key);
    if (made === undefined || made.ownerChain !== ownerChain) {
      made = make();
      this.#made.set(key, made);
    }
    return made;
  }

  #publish(position: SourcePosition, seen: Observation, unfinished: boolean): void {
    this.#positions.set(position.resource, { position, seen, unfinished });
    if (this.#phase !== 'open') return;
    const changes = [...this.#join.drain()];
    // A record that touched no entity: the end of its relist will tell the position.
    if (changes.length === 0 && unfinished) return;
    this.#emit(changes, position, seen, unfinished);
  }

  #emit(
    joined: readonly (JoinedChange | JoinedTouch)[],
    position: SourcePosition,
    seen: Observation,
    unfinished: boolean,
  ): void {
    const changes: EntityChange[] = [];
    const touched: (Entity | ObjectReference)[] = [];
    for (const each of joined) {
      if ('touched' in each) {
        touched.push(each.touched);
        continue;
      }
      const { before, after } = each;
      this.#sequence += 1;
      changes.push({ sequence: this.#sequence, before, after });
      const kind = after?.kind ?? before?.kind;
      if (kind !== undefined) this.#metrics.changed(kind);
    }
    const batch = {
      changes,
      seen,
      position,
      ...(touched.length > 0 ? { touched } : undefined),
      ...(unfinished ? { unfinished } : undefined),
    };
    for (const listener of this.#listeners) listener(batch);
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

  #entityCounts(): { Pod: number; Service: number; Node: number; Workload: number } {
    const counts = { Pod: 0, Service: 0, Node: 0, Workload: 0 };
    for (const { kind } of this.entities()) counts[kind] += 1;
    return counts;
  }
}

function toWorkload(
  { apiVersion, kind, namespace, name, uid }: ObjectReference,
  creationTimeMs: number | undefined,
  ownerChain: readonly ObjectReference[],
  encoded: EncodedEntity,
): WorkloadEntity {
  const topLevel = ownerChain.length === 0;
  const facts = { uid, namespace, name, apiVersion, workloadKind: kind, creationTimeMs, ownerChain, topLevel };
  return { kind: 'Workload', ...facts, ...encoded };
}

/** No write was seen yet. */
const NEVER: Observation = { atMs: 0 };

function first<S>(
  tables: readonly { get(namespace: string, name: string): S | undefined }[],
  namespace: string,
  name: string,
): S | undefined {
  for (const table of tables) {
    const state = table.get(namespace, name);
    if (state !== undefined) return state;
  }
  return undefined;
}
