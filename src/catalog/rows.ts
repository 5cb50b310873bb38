// What all rows share: a row is an entity with its bytes cut into what its record says, what the join added, and detail.

import type { EncodedEntity, ObjectReference } from '../model/entities.ts';
import { sealBytes } from '../wire/encode-entity.ts';

export interface Row extends EncodedEntity {
  /** Where the part that the record says ends in `bytes`. */
  readonly ownLength: number;
}

export const NO_REFERENCES: readonly ObjectReference[] = Object.freeze([]);
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The row with bytes that may be kept: a draft's bytes may lie in a pool slab, fit to be compared and joined only. */
export function sealed<R extends Row>(row: R): R {
  return row.bytes.buffer.byteLength === row.bytes.length ? row : { ...row, bytes: sealBytes(row.bytes) };
}

export function ownPart(row: Row): Uint8Array {
  return row.bytes.subarray(0, row.ownLength);
}

export function detailPart(row: Row): Uint8Array {
  return row.bytes.subarray(row.basicLength);
}

/** The records behind two rows encode to the same bytes, whatever the join added to either. */
export function sameParts(a: Row, b: Row): boolean {
  return (
    a.ownLength === b.ownLength &&
    a.bytes.length - a.basicLength === b.bytes.length - b.basicLength &&
    sameBytes(ownPart(a), ownPart(b)) &&
    sameBytes(detailPart(a), detailPart(b))
  );
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
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
