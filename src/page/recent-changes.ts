// The last hundred changes of entities, for people to look at: what came, changed or went, and when it was noticed.

import type { ChangeBatch } from '../model/changes.ts';

export interface RecentChange {
  readonly sequence: number;
  readonly what: 'added' | 'changed' | 'removed';
  /** `Pod`; of a workload its own kind, `Deployment`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** ms since the epoch. */
  readonly atMs: number;
}

export const MAX_RECENT_CHANGES = 100;

export class RecentChanges {
  /** As a ring; the oldest is at `#next` once it is full. */
  readonly #changes: RecentChange[] = [];
  #next = 0;

  /** A listener of the catalog. Costs a hundred changes at most, whatever the size of the batch. */
  readonly onBatch = ({ changes, seen }: ChangeBatch): void => {
    for (const { sequence, before, after } of changes.slice(-MAX_RECENT_CHANGES)) {
      const entity = after ?? before;
      if (entity === undefined) continue;
      const what = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
      const kind = entity.kind === 'Workload' ? entity.workloadKind : entity.kind;
      const { namespace, name } = entity;
      this.#changes[this.#next] = { sequence, what, kind, namespace, name, atMs: seen.atMs };
      this.#next = (this.#next + 1) % MAX_RECENT_CHANGES;
    }
  };

  /** Newest first. */
  list(): readonly RecentChange[] {
    return [...this.#changes.slice(this.#next), ...this.#changes.slice(0, this.#next)].toReversed();
  }
}
