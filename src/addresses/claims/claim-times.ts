// The times of claims: how a claim opens and ends with what was seen and what the API says, whether it was in force at
// a moment, and which of two began later.
//
// What is not known exactly is an interval (see claim.ts), and every rule here keeps to its safe side: an interval only
// gets narrower by a time of the API, a start is never after it was seen, an end never before the start.

import type { Observation } from '../../model/observation.ts';
import { Claim, type HolderEntity, type SharedEntity } from './claim.ts';
import type { DerivedClaim } from './derived-claim.ts';

/** Kubernetes truncates times to the second, so the true moment lies up to this much later than written. */
const API_TIME_RESOLUTION_MS = 1_000;

/** A kubelet reports a change of a pod's status within a second or two, so it was true that much earlier. */
export const REPORT_DELAY_MS = 2_000;

/** Opens a claim. The start is never later than our first sight of it. `isListed`: that came with a list. */
export function openClaim(
  derived: DerivedClaim,
  entity: HolderEntity | SharedEntity,
  seen: Observation,
  isListed: boolean,
): Claim {
  let earliest = seen.sinceMs ?? seen.atMs;
  let latest = seen.atMs;
  const { apiStart } = derived;
  if (apiStart !== undefined) {
    if (apiStart.meaning === 'at') {
      earliest = Math.min(apiStart.ms, seen.atMs);
      latest = Math.min(apiStart.ms + API_TIME_RESOLUTION_MS - 1, seen.atMs);
    } else {
      // Before the gap it was not held, or we would have been told by then.
      const toldMs = seen.sinceMs === undefined ? apiStart.ms : seen.sinceMs - REPORT_DELAY_MS;
      earliest = Math.min(Math.max(apiStart.ms, toldMs), seen.atMs);
    }
  }
  return new Claim(derived, entity, { earliestMs: earliest, latestMs: latest }, seen, isListed);
}

/**
 * Ends a claim. `apiEndMs` is the API's own time of the end, where it has one; it narrows what we saw. An end is never
 * before the start.
 */
export function endClaim(claim: Claim, seen: Observation, apiEndMs: number | undefined): void {
  let earliest = seen.sinceMs ?? seen.atMs;
  let latest = seen.atMs;
  if (apiEndMs !== undefined) {
    earliest = Math.min(apiEndMs, seen.atMs);
    latest = Math.min(apiEndMs + API_TIME_RESOLUTION_MS - 1, seen.atMs);
  }
  claim.endEarliestMs = Math.max(earliest, claim.startEarliestMs);
  claim.endLatestMs = Math.max(latest, claim.startLatestMs);
}

/** Whether the claim can have been in force at a moment. */
export type Coverage = 'certain' | 'possible' | 'none';

export function coverageAt(claim: Claim, atMs: number): Coverage {
  if (atMs < claim.startEarliestMs) return 'none';
  if (claim.endLatestMs !== undefined && atMs >= claim.endLatestMs) return 'none';
  if (atMs < claim.startLatestMs) return 'possible';
  if (claim.endEarliestMs !== undefined && atMs >= claim.endEarliestMs) return 'possible';
  return 'certain';
}

/**
 * How far the moment lies outside the claim, in ms; 0 when the claim covers it. Measured from the moments between which
 * the claim is certain: an interval that already reaches that far back needs no slack on top.
 */
export function distanceTo(claim: Claim, atMs: number): number {
  if (atMs < claim.startEarliestMs) return claim.startLatestMs - atMs;
  if (claim.endEarliestMs !== undefined && claim.endLatestMs !== undefined && atMs >= claim.endLatestMs) {
    return atMs - claim.endEarliestMs + 1;
  }
  return 0;
}

/**
 * Orders claims by start, later ones first: by the latest moment at which they can have started, then by our own first
 * sight, then by the creation of the object, then by uid. The latest moment, because a start that is only bounded from
 * below (`after`) says nothing about who came first; uids last, because they are random and only make the order total.
 */
export function newestFirst(a: Claim, b: Claim): number {
  if (a.startLatestMs !== b.startLatestMs) return b.startLatestMs - a.startLatestMs;
  if (a.firstSeenMs !== b.firstSeenMs) return b.firstSeenMs - a.firstSeenMs;
  const created = (b.entity.creationTimeMs ?? 0) - (a.entity.creationTimeMs ?? 0);
  if (created !== 0) return created;
  return a.entity.uid < b.entity.uid ? 1 : a.entity.uid > b.entity.uid ? -1 : 0;
}
