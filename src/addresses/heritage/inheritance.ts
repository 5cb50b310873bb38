// Joins the claims that a sibling knew with those that this process knows: which of the two are the same claim, what
// the sibling knows better, and which claims only the sibling can know, because they were over before this process
// began.
//
// This process has listed, so it knows every claim that is open, and of those that were open in its lists nothing but
// that they were: the sibling knows how they began. What began or ended since then both have seen, and this process's
// own word counts. What was listed here and is unknown to the sibling may have been held all the time.

import type { Observation } from '../../model/observation.ts';
import { Claim, type KnownStart } from '../claims/claim.ts';
import { claimKey, type ClaimPlace, type ClaimRole } from '../claims/derived-claim.ts';
import type { HandedClaim } from './handed-history.ts';

/** What has to be done with the claims of this process. */
export interface Joined {
  /** Own claims, and how they began. */
  readonly adopt: readonly { readonly claim: Claim; readonly handed: HandedClaim }[];
  /** Claims that are not known here. */
  readonly ended: readonly { readonly claim: Claim; readonly endedAtMs: number }[];
  /** Own claims from the first lists that the sibling did not know. */
  readonly unknown: readonly Claim[];
}

/** `own`: every claim of this process, open and ended. `nowMs`: no claim ended later than that. */
export function joinClaims(own: Iterable<Claim>, handed: readonly HandedClaim[], nowMs: number): Joined {
  const ownByKey = new Map<string, Claim[]>();
  const listed = new Set<Claim>();
  for (const claim of own) {
    addTo(ownByKey, keyOf(claim.uid, claim.derivedRole, claim.place), claim);
    if (claim.isListed && !claim.isSeenAfterGap) listed.add(claim);
  }
  const adopt: { claim: Claim; handed: HandedClaim }[] = [];
  const ended: { claim: Claim; endedAtMs: number }[] = [];
  // The newest first: of a pod that had the address twice the second time is the one that is listed here.
  for (const each of handed.toSorted((a, b) => b.firstSeenMs - a.firstSeenMs)) {
    const known = ownByKey.get(keyOf(each.uid, each.role, each.place));
    const same = known?.findIndex((claim) => isSame(claim, each)) ?? -1;
    const [claim] = same >= 0 ? (known?.splice(same, 1) ?? []) : [];
    if (claim === undefined) {
      const made = each.end === undefined ? undefined : makeEnded(each, each.end, nowMs);
      if (made !== undefined) ended.push(made);
    } else if (listed.delete(claim)) adopt.push({ claim, handed: each });
  }
  return { adopt, ended, unknown: [...listed] };
}

/** The start as the sibling knew it, by a clock that may be ahead: it began by `byMs`. */
export function startOf(handed: HandedClaim, byMs: number): KnownStart {
  const { isStartObserved, isListed } = handed;
  const startEarliestMs = Math.min(handed.startEarliestMs, byMs);
  return {
    earliestMs: startEarliestMs,
    latestMs: Math.min(handed.startLatestMs, byMs),
    isObserved: isStartObserved,
    seen: seenOf({ ...handed, startEarliestMs, firstSeenMs: Math.min(handed.firstSeenMs, byMs) }),
    isListed,
  };
}

/** Of a claim that was listed here: it may have begun at any time since the history begins, if only a list tells. */
export function startSince(claim: Claim, beganMs: number): KnownStart {
  const { startEarliestMs, startLatestMs, isStartObserved, isListed, firstSeenMs } = claim;
  return {
    earliestMs: isStartObserved ? Math.min(beganMs, startEarliestMs) : startEarliestMs,
    latestMs: startLatestMs,
    isObserved: isStartObserved,
    seen: { atMs: firstSeenMs, sinceMs: Math.min(beganMs, firstSeenMs) },
    isListed,
  };
}

/** Since when it was on its way out. */
export function leavingOf(claim: Claim, wasKnownFromMs: number, handed: HandedClaim): number | undefined {
  const { leavingSeenMs } = claim;
  if (handed.end !== undefined || leavingSeenMs === undefined) return handed.leavingSeenMs ?? leavingSeenMs;
  if (handed.leavingSeenMs !== undefined) return Math.min(leavingSeenMs, handed.leavingSeenMs);
  // It ended after its node was gone: on its way out for as long as it is known, which is longer now.
  return claim.endLatestMs !== undefined && leavingSeenMs === wasKnownFromMs ? claim.knownFromMs : leavingSeenMs;
}

/** A claim of an object does not end and begin again within so short a time, and clocks of replicas differ by less. */
const SAME_MS = 2_000;

/** Whether the two are one claim; they have one key. */
function isSame(claim: Claim, { end, firstSeenMs, startLatestMs }: HandedClaim): boolean {
  if (claim.isListed) return end === undefined || end.knownAtMs > claim.firstSeenMs - SAME_MS;
  // It ended before it was first seen here.
  if (end !== undefined && end.latestMs <= claim.startEarliestMs) return false;
  if (Math.abs(firstSeenMs - claim.firstSeenMs) <= SAME_MS) return true;
  // This process saw it come, so it cannot have been there much earlier.
  return end === undefined && startLatestMs >= claim.startEarliestMs - SAME_MS;
}

/** What begins and ends in time that is still to come here, by a clock that is ahead, was just now. */
function makeEnded(
  handed: HandedClaim,
  { earliestMs, latestMs, knownAtMs, entity }: NonNullable<HandedClaim['end']>,
  nowMs: number,
): { claim: Claim; endedAtMs: number } {
  const { role, place, isListed, leavingSeenMs, lostTo } = handed;
  const start = startOf(handed, nowMs);
  const claim = new Claim({ role, place, apiStart: undefined }, entity, start, start.seen, isListed);
  claim.adoptStart(start);
  claim.endEarliestMs = Math.min(earliestMs, nowMs);
  claim.endLatestMs = Math.min(latestMs, nowMs);
  claim.leavingSeenMs = leavingSeenMs;
  claim.lostTo = lostTo;
  return { claim, endedAtMs: Math.min(knownAtMs, nowMs) };
}

/** Of when the gap began that it was seen after, nothing is asked any more. */
function seenOf({ firstSeenMs, isSeenAfterGap, startEarliestMs }: HandedClaim): Observation {
  return isSeenAfterGap
    ? { atMs: firstSeenMs, sinceMs: Math.min(startEarliestMs, firstSeenMs) }
    : { atMs: firstSeenMs };
}

/** Other ports of a service are another claim. */
function keyOf(uid: string, role: ClaimRole, place: ClaimPlace): string {
  const key = `${uid} ${claimKey(role, place)}`;
  if (typeof place === 'string' || place.on !== 'services' || place.ports === undefined) return key;
  return `${key} ${place.ports.list.map(({ port, protocol }) => `${port}/${protocol}`).join()}`;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
