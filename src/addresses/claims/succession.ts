// Which of several claims loses a place that can have one holder only: an address of pods, an address of nodes, a port
// of a node that pods listen on.
//
// The API shows an end late: the kubelet frees an address when the sandbox is gone and removes the object seconds
// later; pods of a lost node stay Running in the API for minutes; a finalizer holds a node whose address another
// machine has. So a holder that is on its way out loses the place from the moment at which another one has certainly
// taken it; one that looks alive does not. Decided at the time of the question from what is known by then; no claim is
// changed, except that what a forgotten claim told about those before it is kept with them.

import type { Claim, HolderEntity } from './claim.ts';
import { REPORT_DELAY_MS } from './claim-times.ts';
import type { ClaimRole } from './derived-claim.ts';
import type { KnownNodes } from './known-nodes.ts';

/** Whether the claim has lost its place to another of `rivals` by the moment. */
export function isSuperseded(claim: Claim, rivals: readonly Claim[], atMs: number, nodes: KnownNodes): boolean {
  if (!isExclusive(claim.derivedRole)) return false;
  if (claim.endLatestMs === undefined && !isOnItsWayOut(claim.entity, nodes)) return false;
  if (claim.lostTo !== undefined && deprives(claim.lostTo, claim, atMs, nodes)) return true;
  return rivals.some(
    (other) =>
      isRival(other, claim) &&
      deprives(toSuccession(other, nodes), claim, atMs, nodes) &&
      isCertainlyLater(other, claim),
  );
}

/**
 * Since when the holder may have lost its place without a sign, by our clock; `undefined`: it would have told. Another
 * one that took it, and nothing else, would have been the sign.
 */
export function mayBeLostSinceMs(claim: Claim, nodes: KnownNodes): number | undefined {
  if (!isExclusive(claim.derivedRole)) return undefined;
  const { entity } = claim;
  // A node is lost before its object goes, so its pods may have been gone since they were seen. Pods that ended before
  // that had ended by then; the others say so themselves.
  const isNodeGone = claim.endLatestMs === undefined && entity.kind === 'Pod' && !nodes.exists(entity.nodeName);
  return isNodeGone ? claim.knownFromMs : leavingSinceMs(claim, nodes);
}

/**
 * To be called before a claim is forgotten: what it tells about those that it superseded must outlive it. A pod that
 * stays in the API for hours (deleted, but its node is lost) would otherwise come back once its successor's history is
 * over.
 */
export function rememberSuccession(forgotten: Claim, claims: Iterable<Claim>, nodes: KnownNodes): void {
  if (!isExclusive(forgotten.derivedRole)) return;
  for (const claim of claims) {
    if (!isExclusive(claim.derivedRole) || !isRival(forgotten, claim) || !isCertainlyLater(forgotten, claim)) continue;
    const { fromMs, toMs, mayHaveEndedMs } = toSuccession(forgotten, nodes);
    claim.lostTo = {
      fromMs: Math.min(claim.lostTo?.fromMs ?? fromMs, fromMs),
      toMs: Math.max(claim.lostTo?.toMs ?? 0, toMs ?? 0),
      mayHaveEndedMs: Math.max(claim.lostTo?.mayHaveEndedMs ?? 0, mayHaveEndedMs),
    };
  }
}

/** What matters of a successor: when it held, and from when on it may have lost the place again. */
interface Succession {
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly mayHaveEndedMs: number;
}

/** Roles of which a place has one holder, and the kind of place. */
const EXCLUSIVE: Readonly<Partial<Record<ClaimRole, 'pod' | 'node' | 'port'>>> = {
  POD_IP: 'pod',
  NETWORK_IP: 'pod',
  NODE_ADDRESS: 'node',
  HOST_NETWORK: 'port',
  HOST_PORT: 'port',
};

function isExclusive(role: ClaimRole): boolean {
  return EXCLUSIVE[role] !== undefined;
}

/** Whether not both can have the place. */
function isRival(other: Claim, claim: Claim): boolean {
  if (other.entity.uid === claim.entity.uid || EXCLUSIVE[other.derivedRole] !== EXCLUSIVE[claim.derivedRole])
    return false;
  return portOf(other) === portOf(claim);
}

/** Ports of nodes by number are one place here; those of two nodes, which may share an address, are not. */
function portOf({ place }: Claim): string | undefined {
  return typeof place === 'object' && place.on === 'node-port' ? `${place.nodeName} ${place.protocol}` : undefined;
}

/** What is known by now beside the claim: it is being deleted, has finished, or its node is gone or being deleted. */
function isOnItsWayOut(entity: HolderEntity, nodes: KnownNodes): boolean {
  switch (entity.kind) {
    case 'Pod': {
      const { nodeName } = entity;
      if (entity.deletionTimeMs !== undefined || entity.terminal) return true;
      return !nodes.exists(nodeName) || nodes.leavingSeenMs(nodeName) !== undefined;
    }
    case 'Node':
      return entity.deletionTimeMs !== undefined;
    case 'Service':
      return false;
  }
}

/** The pod's own deletion, or that of its node, whichever was seen first. */
function leavingSinceMs(claim: Claim, nodes: KnownNodes): number | undefined {
  const { entity, endLatestMs, leavingSeenMs } = claim;
  const nodeLeavingMs =
    entity.kind === 'Pod' && endLatestMs === undefined ? nodes.leavingSeenMs(entity.nodeName) : undefined;
  if (leavingSeenMs === undefined || nodeLeavingMs === undefined) return leavingSeenMs ?? nodeLeavingMs;
  return Math.min(leavingSeenMs, nodeLeavingMs);
}

function toSuccession(claim: Claim, nodes: KnownNodes): Succession {
  const { startLatestMs, endEarliestMs, endLatestMs } = claim;
  const endMs = endEarliestMs ?? Number.POSITIVE_INFINITY;
  return {
    fromMs: startLatestMs,
    toMs: endLatestMs,
    mayHaveEndedMs: Math.min(endMs, leavingSinceMs(claim, nodes) ?? endMs),
  };
}

/**
 * Whether a successor deprives the claim at the moment. When it has gone and the one before it still looked alive, that
 * one holds again: its sandbox may have got the address back, which the API does not show.
 */
function deprives(
  { fromMs, toMs, mayHaveEndedMs }: Succession,
  claim: Claim,
  atMs: number,
  nodes: KnownNodes,
): boolean {
  if (fromMs > atMs) return false;
  if (toMs === undefined || toMs > atMs) return true;
  const sinceMs = leavingSinceMs(claim, nodes) ?? claim.endLatestMs ?? Number.POSITIVE_INFINITY;
  if (sinceMs <= mayHaveEndedMs) return true;
  return claim.endLatestMs === undefined && claim.entity.kind === 'Pod' && !nodes.exists(claim.entity.nodeName);
}

/**
 * The intervals of their starts are apart. Which of them we saw first says nothing within one interval: a kubelet that
 * reports late makes the first one look like the second. Of two that came with one list the order is unknown, whatever
 * their times say: the later of them may be a sandbox that was remade under the old time. A node has its address from
 * its creation on, nearly always: of two, the one that was created later.
 */
function isCertainlyLater(other: Claim, claim: Claim): boolean {
  const earliestMs = other.startEarliestMs - (other.isStartObserved ? REPORT_DELAY_MS : 0);
  if (earliestMs >= claim.tookPlaceByMs && other.startLatestMs > claim.startLatestMs) return true;
  if (other.entity.kind !== 'Node' || claim.entity.kind !== 'Node') return false;
  return (other.entity.creationTimeMs ?? 0) > (claim.entity.creationTimeMs ?? Number.POSITIVE_INFINITY);
}
