// What the implementation of a method gets to know about the call that it answers, and nothing of gRPC.

import type { ResolutionContext } from './answers/resolution.ts';

/** One unary call. */
export interface CallContext {
  /** The server's clock, ms since the epoch. */
  nowMs(): number;

  /**
   * Aborts after `timeoutMs`, or as soon as the answer is no longer wanted: the call was cancelled, ran into its
   * deadline, or the server drains. At most one per call.
   */
  waitSignal(timeoutMs: number): AbortSignal;

  /**
   * To be awaited after a wait, before anything is done: many are woken at once. Unset: nothing to await.
   */
  turn(): Promise<void> | undefined;

  /**
   * To be said before expensive work, in looked-up addresses (see `CALL_COSTS`). Throws RESOURCE_EXHAUSTED when the
   * caller has asked for too much lately.
   */
  charge(cost: number): void;

  /** The server stops; what waits now is answered by another replica. */
  readonly draining: boolean;

  /**
   * To be asked after waiting. Throws DRAINING when the server drains (what was waited for may
   * still happen, but another replica has to report it), and CANCELLED when the caller is gone.
   */
  throwIfOver(): void;
}

/** What lookups say about the age of the picture: ms, or `undefined` while every watch is healthy. */
export type Staleness = () => ResolutionContext['stalenessMs'];

/** How a lookup is counted. `INVALID`: failed items of a batch. */
export const LOOKUP_OUTCOMES = [
  'RESOLVED',
  'AMBIGUOUS',
  'HIDDEN',
  'UNASSIGNED',
  'EXTERNAL',
  'UNKNOWN',
  'INVALID',
] as const;

export type LookupOutcome = (typeof LOOKUP_OUTCOMES)[number];

/** How a question about a container is counted. `INVALID`: failed items of a batch. */
export const CONTAINER_OUTCOMES = ['RESOLVED', 'AMBIGUOUS', 'NOT_FOUND', 'INVALID'] as const;

/** Counts an answered question about a container. */
export type CountContainer = (outcome: (typeof CONTAINER_OUTCOMES)[number]) => void;

/** Counts answered lookups, one unless told otherwise. */
export type CountLookup = (outcome: LookupOutcome, count?: number) => void;
