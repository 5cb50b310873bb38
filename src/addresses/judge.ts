// Who holds an address at a moment, given the claims around it, sorted by precedence: the first tier in which one
// holds it decides. And how certain a holder is.
//
// There are several holders only when it cannot be known which; see succession.ts for those that give way.

import type { BlindMoments } from './blind-moments.ts';
import { type Claim, type ClaimRole, coverageAt, distanceTo, newestFirst, REPORT_DELAY_MS } from './claim.ts';
import type { KnownNodes } from './known-nodes.ts';
import { type AddressRole, type Holder, MAX_CANDIDATES } from './reader.ts';
import { isSuperseded, mayBeLostSinceMs } from './succession.ts';

/** Intervals up to this width come from the resolution of API times (1 s), wider ones from a watch gap. */
const RESOLUTION_MS = 1_000;

export interface JudgeContext {
  readonly atMs: number;
  /** How far outside a claim a moment may lie before it does not count. */
  readonly slackMs: number;
  readonly nodes: KnownNodes;
  readonly blind: BlindMoments;
}

/** The claims of a tier that hold at the moment, best first; several only when it cannot be known which. */
export function holding(tier: readonly Claim[], context: JudgeContext): readonly Claim[] {
  if (tier.length === 0) return tier;
  const { atMs, nodes } = context;
  const holders = tier.filter((claim) => coverageAt(claim, atMs) !== 'none' && !isSuperseded(claim, tier, atMs, nodes));
  return holders.length < 2 ? holders : best(holders);
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

/** A claim as a holder at a moment. */
export function toHolder(claim: Claim, context: JudgeContext): Holder {
  // The end of a claim is published as the latest moment at which it can have been in force.
  return {
    role: publishedRole(claim.role),
    entity: claim.entity,
    fromMs: claim.startEarliestMs,
    toMs: claim.endLatestMs,
    uncertain: isUncertain(claim, context),
  };
}

function isUncertain(claim: Claim, context: JudgeContext): boolean {
  const { atMs, blind } = context;
  // Plugins give those addresses to the node often, not always.
  if (claim.role === 'POD_RANGE') return true;
  // What is open on paper may have ended in a gap that is open too.
  if (claim.endLatestMs === undefined && blind.isOpenAt(atMs)) return true;
  const isAtEdge = coverageAt(claim, atMs) !== 'certain';
  // At the edges another one may have been there already or still, and the watch may have been down.
  if (isAtEdge && (isGap(claim, atMs) || blind.mayHaveHidden(atMs, atMs))) return true;
  // A holder that is on its way out may have lost the place at any time, and nothing tells but the one that takes it.
  // If that one may have come and gone unseen, or is reported only when the watch is down, the paper proves nothing.
  const lostMs = mayBeLostSinceMs(claim, context.nodes);
  return lostMs !== undefined && lostMs <= atMs && blind.mayHaveHidden(lostMs, atMs + REPORT_DELAY_MS);
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

/** Newest first, each entity once, one more than an answer lists at most. */
function best(holders: readonly Claim[]): readonly Claim[] {
  const found: Claim[] = [];
  const uids = new Map<string, Claim>();
  for (const claim of [...holders].sort(newestFirst)) {
    const other = uids.get(claim.entity.uid);
    if (other === undefined) {
      uids.set(claim.entity.uid, claim);
      found.push(claim);
    } else if (other.role === 'EXTERNAL_IP' && claim.role === 'LOAD_BALANCER') {
      found[found.indexOf(other)] = claim;
      uids.set(claim.entity.uid, claim);
    }
  }
  return found.slice(0, MAX_CANDIDATES + 1);
}

function publishedRole(role: ClaimRole): AddressRole {
  if (role === 'HOST_ADDRESS') throw new Error('HOST_ADDRESS leads to ports and never answers by itself');
  return role === 'POD_RANGE' ? 'NODE_ADDRESS' : role;
}
