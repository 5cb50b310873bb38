// What the catalog tells its listeners: changes of published entities, that is pods, services, nodes and top-level
// workloads. Links of an owner chain (ReplicaSets, Jobs under an owner) answer lookups only and never stand in a batch.

import type { Entity, ObjectReference } from './entities.ts';
import type { Observation, SourcePosition } from './observation.ts';

/**
 * One entity came (`before` unset), changed, or went (`after` unset). Both are set only for the same uid under the same
 * key, see `entity-key.ts`; another key is a removal and a creation.
 */
export interface EntityChange {
  /** Dense: the next number after the change before it, from 1. */
  readonly sequence: number;
  readonly before: Entity | undefined;
  readonly after: Entity | undefined;
}

/** Everything that one source change caused. Applied as a whole: no reader looks between its changes. */
export interface ChangeBatch {
  /** May be empty: the source moved on without touching an entity. */
  readonly changes: readonly EntityChange[];
  /**
   * Entities that were looked at again because something that they are made of changed, and came out the same. Those
   * who follow this process need not know; a consumer from another one may hold them as they never were here.
   * A reference (it has no encoded parts) is a workload that was looked for in the same way, and is not there.
   */
  readonly touched?: readonly (Entity | ObjectReference)[];
  readonly seen: Observation;
  readonly position: SourcePosition;
  /**
   * More batches up to the same position follow (a relist is applied piece by piece): a reader that stands after this
   * batch has not seen everything up to `position` yet, and must not claim so in a resume token.
   */
  readonly unfinished?: boolean;
}
