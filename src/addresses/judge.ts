// Who holds an address at a moment, given the claims around it: the precedence rules, and what happens when the API
// shows several holders at once.
//
// A port claim beats a claim on the whole address. A pod's address is exclusive in a cluster, but the API says so late:
// the kubelet frees an address when the sandbox is gone and removes the object seconds later, and pods of a lost node
// stay Running on paper for minutes. So a pod that is on its way out loses the address from the moment at which another
// pod has certainly taken it; one that looks alive does not, and the answer is then AMBIGUOUS. Everything is decided at
// the time of the question from what is known by then; no claim is changed.

import { type Claim, type ClaimRole, coverageAt, distanceTo, newestFirst, REPORT_DELAY_MS } from './claim.ts';
import type { AddressRole, Holder } from './reader.ts';

/** Claims of an earlier tier hide those of later ones. */
const TIERS: readonly (readonly ClaimRole[])[] = [
  ['HOST_PORT', 'HOST_NETWORK', 'NODE_PORT'],
  ['POD_IP'],
  ['CLUSTER_IP'],
  ['LOAD_BALANCER'],
  ['EXTERNAL_IP'],
  ['ENDPOINT'],
  ['NODE_ADDRESS'],
];

/** Intervals up to this width come from the resolution of API times (1 s), wider ones from a watch gap. */
const RESOLUTION_MS = 1_000;

export interface JudgeContext {
  readonly atMs: number;
  /** How far outside a claim a moment may lie before the answer is nobody. */
  readonly slackMs: number;
  /** Whether a node of this name exists now; true for all names where nodes may not be read. */
  readonly nodeExists: (name: string) => boolean;
  /** Whether at some moment of the span nobody was looking, so that a pod may have come and gone unheard of. */
  readonly wasBlind: (sinceMs: number, untilMs: number) => boolean;
}

/** The holders at the moment, best first; several only when nobody can know which. Empty: nobody. */
export function judge(claims: readonly Claim[], context: JudgeContext): Holder[] {
  const [only] = claims;
  if (only === undefined) return [];
  if (claims.length === 1) return judgeAlone(only, context);
  const tiers = TIERS.map((roles) => claims.filter((claim) => roles.includes(claim.role)).sort(newestFirst));
  for (const tier of tiers) {
    const holders = tier.filter(
      (claim) => coverageAt(claim, context.atMs) !== 'none' && !isSuperseded(claim, tier, context),
    );
    if (holders.length > 0) return distinct(holders).map((claim) => toHolder(claim, context));
  }
  // Nobody at the very moment: clocks differ and events take time, so whoever is nearest within the slack will do.
  for (const tier of tiers) {
    const near = tier
      .filter((claim) => distanceTo(claim, context.atMs) <= context.slackMs && !isSuperseded(claim, tier, context))
      .sort((a, b) => distanceTo(a, context.atMs) - distanceTo(b, context.atMs) || newestFirst(a, b));
    const nearest = near[0];
    if (nearest !== undefined) return [toHolder(nearest, context)];
  }
  return [];
}

/**
 * The same for a claim that stands alone, as on most addresses: no tier hides it, and only somebody who was forgotten
 * since can have superseded it.
 * Sorting one claim into tiers costs five times as much.
 */
function judgeAlone(claim: Claim, context: JudgeContext): Holder[] {
  const { atMs, slackMs } = context;
  if (claim.role === 'HOST_ADDRESS' || isLostToForgotten(claim, context)) return [];
  // A claim that covers the moment is at distance 0.
  return distanceTo(claim, atMs) <= slackMs ? [toHolder(claim, context)] : [];
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
  const { atMs } = context;
  const isAtEdge = coverageAt(claim, atMs) !== 'certain';
  // At the edges somebody else may have been there already or still, and nobody may have been looking.
  if (isAtEdge && (isGap(claim, atMs) || context.wasBlind(atMs, atMs))) return true;
  return mayHaveLostUnseen(claim, context);
}

/**
 * A pod that is on its way out may have lost its address at any time, and nothing tells but the pod that takes it. If that
 * one may have come and gone unseen, the paper proves nothing.
 */
function mayHaveLostUnseen(claim: Claim, context: JudgeContext): boolean {
  const { entity, role, leavingSeenMs, knownFromMs } = claim;
  if (role !== 'POD_IP' || entity.kind !== 'Pod') return false;
  // A node is lost before its object goes, so its pods may have been gone since they were seen. Pods that ended before
  // that had ended by then; the others say so themselves.
  const isNodeGone = claim.endLatestMs === undefined && !context.nodeExists(entity.nodeName);
  const sinceMs = isNodeGone ? knownFromMs : leavingSeenMs;
  if (sinceMs === undefined || sinceMs > context.atMs) return false;
  // Whoever took it may have been reported only after the moment, when nobody was looking any more.
  return context.wasBlind(sinceMs, context.atMs + REPORT_DELAY_MS);
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

/** Pod addresses only: another pod has certainly taken the address by then, and this one gives way. */
function isSuperseded(claim: Claim, tier: readonly Claim[], context: JudgeContext): boolean {
  if (claim.role !== 'POD_IP') return false;
  const isLeaving = isOnItsWayOut(claim, context);
  if (!isLeaving && claim.endLatestMs === undefined) return false;
  if (claim.lostTo !== undefined && deprives(claim.lostTo, claim, context)) return true;
  return tier.some(
    (other) =>
      other.entity.uid !== claim.entity.uid &&
      deprives(toSuccession(other), claim, context) &&
      isCertainlyLater(other, claim),
  );
}

/** What matters of a successor: when it held, and from when on it may have lost the place again. */
interface Succession {
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly mayHaveEndedMs: number;
}

function toSuccession({ startLatestMs, endEarliestMs, endLatestMs, leavingSeenMs }: Claim): Succession {
  const endMs = endEarliestMs ?? Number.POSITIVE_INFINITY;
  return {
    fromMs: startLatestMs,
    toMs: endLatestMs,
    mayHaveEndedMs: Math.min(endMs, leavingSeenMs ?? endMs),
  };
}

/**
 * Whether a successor deprives the claim at the moment. When it has gone and the one before it still looked alive, that
 * one holds again: its sandbox may have got the address back, which on paper changes nothing.
 */
function deprives({ fromMs, toMs, mayHaveEndedMs }: Succession, claim: Claim, context: JudgeContext): boolean {
  if (fromMs > context.atMs) return false;
  if (toMs === undefined || toMs > context.atMs) return true;
  const isLeavingSince = claim.leavingSeenMs ?? claim.endLatestMs ?? Number.POSITIVE_INFINITY;
  if (isLeavingSince <= mayHaveEndedMs) return true;
  return claim.endLatestMs === undefined && claim.entity.kind === 'Pod' && !context.nodeExists(claim.entity.nodeName);
}

/**
 * To be called before a claim is forgotten: what it tells about those that it superseded must outlive it. A pod that
 * stays on paper for hours (deleted, but its node is lost) would else come back once its successor's history is over.
 */
export function rememberSuccession(forgotten: Claim, claims: Iterable<Claim>): void {
  if (forgotten.role !== 'POD_IP') return;
  for (const claim of claims) {
    if (claim.role !== 'POD_IP' || claim.entity.uid === forgotten.entity.uid) continue;
    if (!isCertainlyLater(forgotten, claim)) continue;
    const { fromMs, toMs, mayHaveEndedMs } = toSuccession(forgotten);
    claim.lostTo = {
      fromMs: Math.min(claim.lostTo?.fromMs ?? fromMs, fromMs),
      toMs: Math.max(claim.lostTo?.toMs ?? 0, toMs ?? 0),
      mayHaveEndedMs: Math.max(claim.lostTo?.mayHaveEndedMs ?? 0, mayHaveEndedMs),
    };
  }
}

/** As `isSuperseded`, of a claim that has nobody beside it any more. */
function isLostToForgotten(claim: Claim, context: JudgeContext): boolean {
  return claim.lostTo !== undefined && isSuperseded(claim, [], context);
}

/**
 * The intervals of their starts are apart. Which of them we saw first says nothing within one interval: a kubelet that
 * reports late makes the first one look like the second. Of two that came with one list nobody knows the order, whatever
 * their times say: the later of them may be a sandbox that was remade under the old time.
 */
function isCertainlyLater(other: Claim, claim: Claim): boolean {
  const earliestMs = other.startEarliestMs - (other.isStartObserved ? REPORT_DELAY_MS : 0);
  return earliestMs >= claim.tookPlaceByMs && other.startLatestMs > claim.startLatestMs;
}

/** What is known by now of a pod beside its claim: it is being deleted, has finished, or its node is gone. */
function isOnItsWayOut({ entity }: Claim, context: JudgeContext): boolean {
  if (entity.kind !== 'Pod') return false;
  return entity.deletionTimeMs !== undefined || entity.terminal || !context.nodeExists(entity.nodeName);
}

/** An entity can hold a port by several claims (TCP and UDP); it is one holder. */
function distinct(claims: readonly Claim[]): Claim[] {
  const uids = new Set<string>();
  return claims.filter((claim) => !uids.has(claim.entity.uid) && uids.add(claim.entity.uid));
}

function publishedRole(role: ClaimRole): AddressRole {
  if (role === 'HOST_ADDRESS') throw new Error('HOST_ADDRESS leads to ports and never answers by itself');
  return role;
}
