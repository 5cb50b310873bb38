// Who holds a place at a moment, given a tier of the claims around it: claims of equal rank, of which several hold only
// when it cannot be known which. And how certain it is, as far as the claims tell.
//
// See succession.ts for those that lose their place, and place-judge.ts for the tiers. What is not known because the
// watches were down is not decided here but when timelines are read.

import { AT_EDGE, CERTAIN, type Doubt, MAX_CANDIDATES, UNCERTAIN } from '../../timelines/timeline.ts';
import type { Claim } from '../claims/claim.ts';
import { coverageAt, distanceTo, newestFirst } from '../claims/claim-times.ts';
import type { KnownNodes } from '../claims/known-nodes.ts';
import { isSuperseded } from '../claims/succession.ts';

/** Intervals up to this width come from the resolution of API times (1 s), wider ones from a watch gap. */
const RESOLUTION_MS = 1_000;

export interface JudgeContext {
  readonly atMs: number;
  /** How far outside a claim a moment may lie before it does not count. */
  readonly slackMs: number;
  readonly nodes: KnownNodes;
}

/** The claims of a tier that hold at the moment, best first; several only when it cannot be known which. */
export function holding(tier: readonly Claim[], context: JudgeContext): readonly Claim[] {
  if (tier.length === 0) return tier;
  const { atMs, nodes } = context;
  const holders = tier.filter((claim) => coverageAt(claim, atMs) !== 'none' && !isSuperseded(claim, tier, atMs, nodes));
  return holders.length < 2 ? holders : best(holders, MAX_CANDIDATES + 1);
}

/** The claim of a tier that is nearest to the moment, within the slack: clocks differ and events take time. */
export function nearest(tier: readonly Claim[], context: JudgeContext): Claim | undefined {
  let found: Claim | undefined;
  let foundMs = context.slackMs;
  for (const claim of tier) {
    const distanceMs = distanceTo(claim, context.atMs);
    if (distanceMs > foundMs || isSuperseded(claim, tier, context.atMs, context.nodes)) continue;
    if (found !== undefined && distanceMs === foundMs && newestFirst(found, claim) <= 0) continue;
    found = claim;
    foundMs = distanceMs;
  }
  return found;
}

/** How certain it is that the claim holds its place at the moment. */
export function doubtAt(claim: Claim, atMs: number): Doubt {
  // Plugins give those addresses to the node often, not always.
  if (claim.derivedRole === 'POD_RANGE') return UNCERTAIN;
  if (coverageAt(claim, atMs) === 'certain') return CERTAIN;
  // Another one may have been there already or still: not known when the interval comes from a gap, else only when the
  // watch was down at the moment.
  return isGap(claim, atMs) ? UNCERTAIN : AT_EDGE;
}

/** Newest first, each entity once, at most `limit`. */
export function best(holders: readonly Claim[], limit: number): readonly Claim[] {
  const byUid = new Map<string, Claim>();
  for (const claim of holders) {
    const kept = byUid.get(claim.entity.uid);
    if (kept === undefined || goesBefore(claim, kept)) byUid.set(claim.entity.uid, claim);
  }
  return [...byUid.values()].sort(newestFirst).slice(0, limit);
}

/** Of two claims of one entity: a load balancer says more than an external address. */
function goesBefore(claim: Claim, other: Claim): boolean {
  const isExternal = claim.derivedRole === 'EXTERNAL_IP';
  if (isExternal !== (other.derivedRole === 'EXTERNAL_IP')) return !isExternal;
  return newestFirst(claim, other) < 0;
}

function isGap(claim: Claim, atMs: number): boolean {
  if (atMs < claim.startLatestMs && claim.startLatestMs - claim.startEarliestMs >= RESOLUTION_MS) return true;
  const { endEarliestMs, endLatestMs } = claim;
  return (
    endEarliestMs !== undefined &&
    endLatestMs !== undefined &&
    atMs >= endEarliestMs &&
    endLatestMs - endEarliestMs >= RESOLUTION_MS
  );
}
