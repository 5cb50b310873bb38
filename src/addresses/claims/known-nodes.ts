// Which nodes there are by name, as far as their pods are concerned: those of a node that is gone, or being deleted,
// are on their way out with it.
//
// Where nodes may not be read none is ever seen; then every name counts as a node that is there.

import type { NodeEntity } from '../../model/entities.ts';
import type { Observation } from '../../model/observation.ts';

interface KnownNode {
  readonly uid: string;
  /** When its deletion was first seen, by our clock; `undefined`: it stays. */
  readonly leavingSeenMs: number | undefined;
}

export class KnownNodes {
  readonly #byName = new Map<string, KnownNode>();
  #sawAny = false;

  /** Nodes may be read, and one was. */
  get isFollowed(): boolean {
    return this.#sawAny;
  }

  /** A node came, changed (both set) or went. */
  update(before: NodeEntity | undefined, after: NodeEntity | undefined, seen: Observation): void {
    this.#sawAny = true;
    if (after !== undefined) {
      const known = this.#byName.get(after.name);
      const leavingSince = known?.uid === after.uid ? known.leavingSeenMs : undefined;
      const leavingSeenMs = after.deletionTimeMs === undefined ? undefined : (leavingSince ?? seen.atMs);
      this.#byName.set(after.name, { uid: after.uid, leavingSeenMs });
    } else if (before !== undefined && this.#byName.get(before.name)?.uid === before.uid) {
      this.#byName.delete(before.name);
    }
  }

  /** Those that are being deleted, by name. */
  *leaving(): Generator<{ readonly name: string; readonly uid: string; readonly leavingSeenMs: number }> {
    for (const [name, { uid, leavingSeenMs }] of this.#byName) {
      if (leavingSeenMs !== undefined) yield { name, uid, leavingSeenMs };
    }
  }

  /** Another replica saw the deletion of this node earlier. Returns whether that is news. */
  adoptLeaving(name: string, uid: string, leavingSeenMs: number): boolean {
    const known = this.#byName.get(name);
    if (known?.uid !== uid || known.leavingSeenMs === undefined || known.leavingSeenMs <= leavingSeenMs) return false;
    this.#byName.set(name, { uid, leavingSeenMs });
    return true;
  }

  /** Whether a node of this name exists now. */
  exists(name: string): boolean {
    return !this.#sawAny || this.#byName.has(name);
  }

  /** Since when the node of this name is being deleted; `undefined`: it is not, or it does not exist. */
  leavingSeenMs(name: string): number | undefined {
    return this.#byName.get(name)?.leavingSeenMs;
  }
}
