// Where a reader of the log stands, and what it gets next. The positions and what they mean are explained in
// `projection.ts`.

import type { Frame } from '../../wire/frame.ts';

/** Where a reader stands in the log; see `projection.ts`. */
export interface ReadingPosition {
  readonly cursor: number;
  readonly floor: number;
  /** At least `cursor`; beyond it: comes from another process and has not passed this yet. */
  readonly held: number;
  /**
   * It had everything at `floor`, which only a reader that has caught up before is known to have: one whose token says
   * the same may have been cut off there in a snapshot.
   */
  readonly whole?: true;
  /**
   * It has begun to read the objects of a namespace whose labels changed, and stands before the namespace: at this
   * sequence, with its objects read up to `upTo`. Not in tokens: who continues from one reads them again.
   */
  readonly within?: { readonly namespaceAt: number; readonly upTo: number };
}

/** What a reader gets next. */
export interface ReadingStep {
  readonly position: ReadingPosition;
  /** Unset when nothing on the way concerned this projection. */
  readonly frame: Frame | undefined;
  readonly changes: number;
}

/** Of a reader that has everything. */
export function caughtUp(head: number): ReadingPosition {
  return { cursor: head, floor: head, held: head, whole: true };
}
