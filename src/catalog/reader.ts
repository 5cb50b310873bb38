// The read side of the catalog: what lookups, addresses and the feed may ask of it.

import type { ChangeBatch } from '../model/changes.ts';
import type {
  Entity,
  NamespaceEntity,
  NodeEntity,
  ObjectReference,
  PodEntity,
  ServiceEntity,
  WorkloadEntity,
} from '../model/entities.ts';

export interface CatalogReader {
  /** Last sequence that was given out; 0 before the first change. */
  readonly sequence: number;

  pod(namespace: string, name: string): PodEntity | undefined;
  /** By uid. */
  podWithUid(uid: string): PodEntity | undefined;
  service(namespace: string, name: string): ServiceEntity | undefined;
  node(name: string): NodeEntity | undefined;
  namespace(name: string): NamespaceEntity | undefined;

  /**
   * Owners of every watched kind, top-level or not; of other kinds those that a pod's chain ends at, by their reference
   * alone; for kind Pod of the core group, a pod that is its own workload. Several may have one name (a stale reference
   * beside a record, say): with `uid` that one, otherwise an object that is there before one that is only referred to.
   */
  workload(apiGroup: string, kind: string, namespace: string, name: string, uid?: string): WorkloadEntity | undefined;

  /**
   * The workload entity behind a reference: the watched owner, a retained one, the pod itself as its own workload, or
   * else what the reference alone tells, marked incomplete.
   */
  resolveWorkload(reference: ObjectReference): WorkloadEntity;

  /** Those of `entities` that are pods. */
  pods(): Iterable<PodEntity>;

  /** Every published entity once, in no particular order. Must not be held across turns of the event loop. */
  entities(): Iterable<Entity>;
}

/** Called synchronously after each source change, in the order of the sequence; must not throw. */
export type ChangeListener = (batch: ChangeBatch) => void;
