// What one replica tells another of its past: the claims that it knows, as far as the judge needs them, and what is
// true of all places. The form in which an address book gives its history away and takes that of a sibling.
//
// Claims and not spans, because a span can only be copied: what is learned after the take-over about a moment before it
// (a pod that ended on a node that reports late, the start of a pod that is seen late) has to be judged together with
// what was there. docs/decisions/history-is-handed-over-as-claims.md.

import type { BlindMoment } from '../../timelines/facts.ts';
import type { Claim, HolderEntity } from '../claims/claim.ts';
import type { ClaimPlace, ClaimRole } from '../claims/derived-claim.ts';
import type { FormerRange } from '../ranges/ranges.ts';

/** A claim as another replica knows it. Moments are ms since the epoch, by that replica's clock. */
export interface HandedClaim {
  readonly uid: string;
  readonly role: ClaimRole;
  readonly place: ClaimPlace;
  readonly startEarliestMs: number;
  readonly startLatestMs: number;
  /** See `Claim.isStartObserved`, and so on. */
  readonly isStartObserved: boolean;
  readonly firstSeenMs: number;
  readonly isSeenAfterGap: boolean;
  readonly isListed: boolean;
  readonly leavingSeenMs: number | undefined;
  readonly lostTo: Claim['lostTo'];
  /** `undefined` while it is open; then the object is there, and is known by itself. */
  readonly end: HandedEnd | undefined;
}

export interface HandedEnd {
  readonly earliestMs: number;
  readonly latestMs: number;
  /** When it was known. */
  readonly knownAtMs: number;
  /** The last state. One object for all claims that ended with it. */
  readonly entity: HolderEntity;
}

/** What is true of the whole history. */
export interface HandedFacts {
  /** Nothing can be told about moments before this one. */
  readonly beganMs: number;
  readonly blind: readonly BlindMoment[];
  /** The sibling does not follow the cluster since then; `undefined`: it does. */
  readonly blindSinceMs: number | undefined;
  /** As in `AddressFacts`. */
  readonly unknownUntilMs: number;
  /** Claims of objects that had too many of them may be missing up to here; -Infinity: none is. */
  readonly incompleteUntilMs: number;
  /** Nodes that are being deleted. */
  readonly leavingNodes: readonly { readonly name: string; readonly uid: string; readonly leavingSeenMs: number }[];
  readonly formerRanges: readonly FormerRange[];
}

export interface HandedHistory {
  readonly facts: HandedFacts;
  /** In any order. */
  readonly claims: readonly HandedClaim[];
}

/** What became of a history that was taken over. */
export interface Inheritance {
  /** Claims that ended before this process knew of them. */
  readonly ended: number;
  /** Claims of objects that are there, or were until a moment ago, whose beginning the sibling knew. */
  readonly matched: number;
  /** Claims from the first lists that the sibling did not know. */
  readonly unknown: number;
  /** Objects that are gone and are named by the history. */
  readonly formerEntities: readonly HolderEntity[];
}

/** As it is told to another replica. `knownAtMs`: of an ended one. */
export function toHandedClaim(claim: Claim, knownAtMs: number | undefined): HandedClaim {
  const { endEarliestMs, endLatestMs, entity } = claim;
  return {
    uid: claim.uid,
    role: claim.derivedRole,
    place: claim.place,
    startEarliestMs: claim.startEarliestMs,
    startLatestMs: claim.startLatestMs,
    isStartObserved: claim.isStartObserved,
    firstSeenMs: claim.firstSeenMs,
    isSeenAfterGap: claim.isSeenAfterGap,
    isListed: claim.isListed,
    leavingSeenMs: claim.leavingSeenMs,
    lostTo: claim.lostTo,
    end:
      knownAtMs === undefined || endEarliestMs === undefined || endLatestMs === undefined
        ? undefined
        : { earliestMs: endEarliestMs, latestMs: endLatestMs, knownAtMs, entity },
  };
}
