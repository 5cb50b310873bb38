// Which objects with claims are on which node: what a change of the node concerns.

import type { PodEntity } from '../../model/entities.ts';

export class PodsOnNodes {
  readonly #uids = new Map<string, Set<string>>();

  add({ nodeName, uid }: PodEntity): void {
    if (nodeName === '') return;
    const uids = this.#uids.get(nodeName);
    if (uids === undefined) this.#uids.set(nodeName, new Set([uid]));
    else uids.add(uid);
  }

  delete({ nodeName, uid }: PodEntity): void {
    const uids = this.#uids.get(nodeName);
    uids?.delete(uid);
    if (uids?.size === 0) this.#uids.delete(nodeName);
  }

  /** Uids of the pods on the node. */
  on(nodeName: string): Iterable<string> {
    return this.#uids.get(nodeName) ?? [];
  }

  /** Uids of all pods. */
  *all(): Generator<string> {
    for (const uids of this.#uids.values()) yield* uids;
  }
}
