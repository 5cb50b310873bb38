// What may have changed since it was last joined. Marking is idempotent and costs the same however much is marked.

import type { Entity } from '../model/entities.ts';
import type { NodeState } from './node-state.ts';
import type { OwnerState } from './owner-state.ts';
import type { PodState } from './pod-state.ts';
import type { ServiceState } from './service-state.ts';

export class Marks {
  readonly removed = new Set<{ readonly resource: string; readonly before: Entity }>();
  readonly nodes = new Set<NodeState>();
  readonly owners = new Set<OwnerState>();
  readonly pods = new Set<PodState>();
  readonly services = new Set<ServiceState>();
  /** Services whose endpoints or backends were looked at again without a difference. */
  readonly lookedAt = new Set<ServiceState>();

  /** Entities that are due. */
  get size(): number {
    return this.removed.size + this.nodes.size + this.owners.size + this.pods.size + this.services.size;
  }

  /** Everything that is marked there is marked here instead. */
  takeFrom(other: Marks): void {
    move(other.removed, this.removed);
    move(other.nodes, this.nodes);
    move(other.owners, this.owners);
    move(other.pods, this.pods);
    move(other.services, this.services);
    move(other.lookedAt, this.lookedAt);
  }
}

function move<T>(from: Set<T>, to: Set<T>): void {
  for (const element of from) to.add(element);
  from.clear();
}

/** Empties the set while it is walked; what is added meanwhile is walked too. */
export function* taken<T>(set: Set<T>): Generator<T> {
  for (const element of set) {
    set.delete(element);
    yield element;
  }
}
