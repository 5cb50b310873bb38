// What the rows of all types of records share: a row is an entity, and most of what tells two states of it apart is
// encoded.

import type { EncodedEntity, ObjectReference } from '../../model/entities.ts';

export const NO_REFERENCES: readonly ObjectReference[] = Object.freeze([]);

/** Two records say the same, whatever the join added to their rows: the times are the facts that are not encoded. */
export function isSameButJoined(a: Row, b: Row): boolean {
  return (
    a.sandboxReadyTimeMs === b.sandboxReadyTimeMs &&
    a.finishedTimeMs === b.finishedTimeMs &&
    a.creationTimeMs === b.creationTimeMs &&
    a.own === b.own &&
    a.values === b.values &&
    a.rest === b.rest
  );
}

interface Row extends EncodedEntity {
  readonly creationTimeMs: number | undefined;
  readonly sandboxReadyTimeMs?: number | undefined;
  readonly finishedTimeMs?: number | undefined;
}

/** By kind, namespace, name and uid, in UTF-16 code units: an order that does not depend on a locale. */
export function compareReferences(a: ObjectReference, b: ObjectReference): number {
  return (
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    compareText(a.uid, b.uid) ||
    compareText(a.apiVersion, b.apiVersion) ||
    Number(a.incomplete) - Number(b.incomplete)
  );
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
