// Who holds a place at a moment: gathers the claims that may, tier by tier in the order of precedence, and lets the
// first tier decide in which one holds.
//
// Of an address as a whole: a pod's, a service's own, a node's, those of services that share it, an endpoint's; and
// none of the last two on an address of a node, where services hold their ports and nothing else. Of a port there is
// one tier. Called when timelines are written, never at a question; how ports and addresses go together, and why there
// is no holder, is said by the rules of reading (src/timelines/).

import { isNetworkAddress } from '../../model/kubernetes/pod-networks.ts';
import { MAX_CANDIDATES, type Span, type TimelinePlace } from '../../timelines/timeline.ts';
import type { ClaimPlaces } from '../claims/claim-places.ts';
import type { Claim } from '../claims/claim.ts';
import { coverageAt, distanceTo, newestFirst } from '../claims/claim-times.ts';
import type { ClaimRole } from '../claims/derived-claim.ts';
import { best, holding, type JudgeContext, nearest } from './judge.ts';
import { isSuperseded } from '../claims/succession.ts';

/** What a span says, for one moment. */
export interface Judgement extends Pick<Span<Claim>, 'is' | 'nearMs' | 'hasMore'> {
  readonly holders: readonly Claim[];
}

/** Services with many ports that a span lists: they are told apart only by the reader. */
const MAX_WITH_MANY_PORTS = 1_000;

/** `undefined`: no object holds it. */
export function judge(places: ClaimPlaces, place: TimelinePlace, context: JudgeContext): Judgement | undefined {
  const { atMs } = context;
  switch (place.of) {
    case 'address':
      return judgeAddress(places, place.address, context);
    case 'port of an address':
      return judgeTier(places.ofServicesWithPort(place.address, place, atMs), context);
    case 'ports of an address': {
      const all = best(
        places.ofServicesWithManyPorts(place.address, atMs).filter((claim) => coverageAt(claim, atMs) !== 'none'),
        MAX_WITH_MANY_PORTS + 1,
      );
      const hasMore = all.length > MAX_WITH_MANY_PORTS;
      return all.length === 0 ? undefined : { ...held(all.slice(0, MAX_WITH_MANY_PORTS)), hasMore };
    }
    case 'port of a node':
      return judgeTier(places.onNodePort(place, atMs), context);
    case 'port of every node':
      return judgeTier(places.onEveryNodePort(place, atMs), context);
    case 'node': {
      const inNetwork = places
        .inNetworkOf(place.node, atMs)
        .filter((claim) => coverageAt(claim, atMs) !== 'none')
        .sort(newestFirst)
        .slice(0, MAX_CANDIDATES);
      return inNetwork.length === 0 ? undefined : held(inNetwork);
    }
  }
}

/**
 * Names of the nodes that have the address at the moment: by their own word, or where Node objects may not be read by
 * that of the pods on them.
 */
export function nodesBehind(places: ClaimPlaces, address: string, context: JudgeContext): readonly string[] {
  const { atMs, slackMs, nodes } = context;
  const onAddress = places.onAddress(address, atMs);
  const ofNodes = having(onAddress, 'NODE_ADDRESS');
  const names = new Set<string>();
  for (const claim of ofNodes) {
    if (distanceTo(claim, atMs) <= slackMs && !isSuperseded(claim, ofNodes, atMs, nodes)) names.add(claim.entity.name);
  }
  if (names.size > 0) return [...names];
  for (const claim of onAddress) {
    if (claim.derivedRole !== 'HOST_ADDRESS' || claim.entity.kind !== 'Pod') continue;
    if (distanceTo(claim, atMs) <= slackMs) names.add(claim.entity.nodeName);
  }
  return [...names];
}

function judgeTier(tier: readonly Claim[], context: JudgeContext): Judgement | undefined {
  const holders = holding(tier, context);
  if (holders.length > 0) return held(holders);
  const near = nearest(tier, context);
  return near && nearBy(near, context);
}

function judgeAddress(places: ClaimPlaces, address: string, context: JudgeContext): Judgement | undefined {
  const { atMs } = context;
  const onAddress = places.onAddress(address, atMs);
  // Of a secondary network nothing is known but what pods have there.
  if (isNetworkAddress(address)) return judgeTier(onAddress, context);
  const ofNodes = having(onAddress, 'NODE_ADDRESS');
  const tiers = [having(onAddress, 'POD_IP'), having(onAddress, 'CLUSTER_IP'), ofNodes];
  const found = firstHolding(tiers, context);
  if (found.length > 0) return held(found);
  const isNearNode = nearest(ofNodes, context) !== undefined;
  const isOfUnknownNode =
    !isNearNode && having(onAddress, 'HOST_ADDRESS').some((claim) => coverageAt(claim, atMs) !== 'none');
  if (!isNearNode && !isOfUnknownNode) {
    // No port tells which service is meant, so all that share the address may be. The pod that an endpoint names says
    // more than the services that list it.
    tiers.push(places.ofServices(address, atMs), having(onAddress, 'ENDPOINT'), places.ofEndpoints(address, atMs));
    const shared = firstHolding(tiers.slice(3), context);
    if (shared.length > 0) return held(shared);
  }
  // None at the very moment: clocks differ and events take time, so the nearest within the slack will do.
  for (const tier of tiers) {
    const near = nearest(tier, context);
    if (near !== undefined) return nearBy(near, context);
  }
  const presumed = holding(having(onAddress, 'POD_RANGE'), context);
  if (presumed.length > 0) return { ...held(presumed), is: 'presumed' };
  return isOfUnknownNode ? { ...held([]), is: 'unknown-node' } : undefined;
}

function held(holders: readonly Claim[]): Judgement {
  return { is: 'holds', holders, nearMs: 0, hasMore: false };
}

function nearBy(claim: Claim, { atMs }: JudgeContext): Judgement {
  const nearMs = atMs < claim.startEarliestMs ? claim.startLatestMs : (claim.endEarliestMs ?? atMs) - 1;
  return { is: 'near', holders: [claim], nearMs, hasMore: false };
}

function firstHolding(tiers: readonly (readonly Claim[])[], context: JudgeContext): readonly Claim[] {
  for (const tier of tiers) {
    const holders = holding(tier, context);
    if (holders.length > 0) return holders;
  }
  return [];
}

function having(claims: readonly Claim[], role: ClaimRole): readonly Claim[] {
  // On most addresses there is one claim, of one role.
  const [only] = claims;
  if (only === undefined || (claims.length === 1 && only.derivedRole === role)) return claims;
  return claims.length === 1 ? [] : claims.filter((claim) => claim.derivedRole === role);
}
