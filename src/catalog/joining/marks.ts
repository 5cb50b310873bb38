// What may have changed since it was last joined. Marking is idempotent and costs the same however much is marked.

import type { Entity } from '../../model/entities.ts';
import type { NamespaceState } from '../entities/namespace-state.ts';
import type { NodePlace } from '../entities/node-places.ts';
import type { NodeState } from '../entities/node-state.ts';
import type { OwnerLink, PodDependant } from '../owners/owner-links.ts';
import type { OwnerState } from '../entities/owner-state.ts';
import type { PodState } from '../entities/pod-state.ts';
import type { ServiceState } from '../entities/service-state.ts';

export class Marks {
  readonly removed = new Set<{ readonly resource: string; readonly before: Entity }>();
  /**
   * Owners and services all of whose pods are due, with those that are left. They are not marked one by one: that alone
   * takes long.
   */
  readonly crowds = new Map<OwnerLink | ServiceState, Iterator<PodDependant>>();
  /** Nodes that are elsewhere now, with those of their pods that are left. */
  readonly places = new Map<NodePlace, Iterator<PodState>>();
  nodes = new Set<NodeState>();
  namespaces = new Set<NamespaceState>();
  owners = new Set<OwnerState>();
  pods = new Set<PodState>();
  services = new Set<ServiceState>();
  /** Services whose endpoints or backends were looked at again without a difference. */
  lookedAt = new Set<ServiceState>();

  /** Entities that are due. */
  get size(): number {
    return (
      this.crowds.size +
      this.places.size +
      this.removed.size +
      this.nodes.size +
      this.namespaces.size +
      this.owners.size +
      this.pods.size +
      this.services.size
    );
  }

  /** Everything that is marked there is marked here instead. Sets change hands where they can: they may be large. */
  takeFrom(other: Marks): void {
    for (const each of other.removed) this.removed.add(each);
    other.removed.clear();
    // What the newer has left, or has passed, is at least what the older has left.
    for (const [of, left] of other.crowds) this.crowds.set(of, left);
    other.crowds.clear();
    for (const [place, left] of other.places) this.places.set(place, left);
    other.places.clear();
    [this.nodes, other.nodes] = merged(this.nodes, other.nodes);
    [this.namespaces, other.namespaces] = merged(this.namespaces, other.namespaces);
    [this.owners, other.owners] = merged(this.owners, other.owners);
    [this.pods, other.pods] = merged(this.pods, other.pods);
    [this.services, other.services] = merged(this.services, other.services);
    [this.lookedAt, other.lookedAt] = merged(this.lookedAt, other.lookedAt);
  }
}

/** Both in one, and an empty one. */
function merged<T>(to: Set<T>, from: Set<T>): [Set<T>, Set<T>] {
  const [large, small] = to.size < from.size ? [from, to] : [to, from];
  for (const element of small) large.add(element);
  small.clear();
  return [large, small];
}

/** Empties the set while it is walked; what is added meanwhile is walked too. */
export function* taken<T>(set: Set<T>): Generator<T> {
  for (const element of set) {
    set.delete(element);
    yield element;
  }
}
