// The workloads behind one service: how many of its pods each of them has, and the first of them in order.
//
// Workloads are distinct by uid. Pods may refer differently to one of them for the moment of a change: the first in
// order stands.

import { hashOfText, wideMap } from '../../collections/wide-map.ts';
import type { ObjectReference } from '../../model/entities.ts';
import { CountedSet } from '../../collections/counted-set.ts';
import { compareReferences, NO_REFERENCES } from '../records/rows.ts';

export class Backends {
  readonly #references = new CountedSet<ObjectReference>(compareReferences, ({ uid }) => hashOfText(uid));
  /** References by uid; more than one only while pods disagree. */
  readonly #uids = wideMap<number>();

  /** Different workloads. */
  get size(): number {
    return this.#uids.size;
  }

  /** One pod of this workload more or less; `true` when the workloads are others than before. */
  count(workload: ObjectReference, by: 1 | -1): boolean {
    if (!this.#references.count(workload, by)) return false;
    const references = (this.#uids.get(workload.uid) ?? 0) + by;
    if (references === 0) this.#uids.delete(workload.uid);
    else this.#uids.set(workload.uid, references);
    return true;
  }

  /** The first `limit` workloads, in the order of `compareReferences`. */
  first(limit: number): readonly ObjectReference[] {
    if (this.#uids.size === 0) return NO_REFERENCES;
    const doubles = this.#references.size - this.#uids.size;
    const sorted = this.#references.first(limit + doubles);
    if (doubles === 0) return sorted;
    const uids = new Set<string>();
    return sorted.filter(({ uid }) => !uids.has(uid) && uids.add(uid)).slice(0, limit);
  }
}
