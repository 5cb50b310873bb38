// How many entities listeners were told of, by kind, counted as they are told: there may be a hundred thousand, and a
// scrape that walked them would hold up every lookup meanwhile.

import type { Entity, EntityKind } from '../model/entities.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';

export class ToldCounts {
  readonly #published: Record<EntityKind, number> = { Pod: 0, Service: 0, Node: 0, Workload: 0, Namespace: 0 };
  #hidden = 0;

  /** Published entities by kind. */
  get published(): Readonly<Record<EntityKind, number>> {
    return this.#published;
  }

  /** Those in namespaces that are not published, of all kinds. */
  get hidden(): number {
    return this.#hidden;
  }

  /** An entity came (`before` unset), changed, or went (`after` unset). */
  tell(before: Entity | undefined, after: Entity | undefined): void {
    const entity = after ?? before;
    const by = Number(after !== undefined) - Number(before !== undefined);
    if (entity === undefined || by === 0) return;
    if (isHidden(entity.namespace)) this.#hidden += by;
    else this.#published[entity.kind] += by;
  }
}
