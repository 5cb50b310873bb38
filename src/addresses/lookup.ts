// Finds who held an address at a moment: gathers the claims that may have, tier by tier in the order of precedence, and
// lets the first tier decide in which one holds.
//
// With a port first those that hold exactly it: pods and node ports of a node, then services that share the address.
// Then the whole address: a pod's, a service's own, a node's, those of services that share it, an endpoint's. On an
// address of a node services hold their ports and nothing else. Nothing here says why there is no holder: see
// `address-book.ts`.

import type { ClaimPlaces } from './claim-places.ts';
import { type Claim, type ClaimRole, coverageAt, distanceTo, newestFirst } from './claim.ts';
import { holding, type JudgeContext, nearest, toHolder } from './judge.ts';
import type { AddressQuestion, Holder } from './reader.ts';
import { isSuperseded } from './succession.ts';
import type { AskedPort } from './timeline.ts';

export interface Found {
  /** Best first; several when it cannot be known which. */
  readonly holders: readonly Holder[];
  /** A node has the address, but it is not known which: Node objects may not be read. */
  readonly isOfUnknownNode: boolean;
}

/** Host-network pods that a node's answer lists at most; a node runs 110 pods by default, few of them there. */
const MAX_ALTERNATIVES = 100;

export function findHolders(places: ClaimPlaces, question: AddressQuestion, context: JudgeContext): Found {
  const { address, port, protocol } = question;
  const { atMs } = context;
  const onAddress = places.onAddress(address, atMs);
  const asked: AskedPort | undefined =
    port === undefined ? undefined : protocol === undefined ? { port } : { port, protocol };
  const ofNodes = having(onAddress, 'NODE_ADDRESS');
  const tiers: (readonly Claim[])[] = [];
  if (asked !== undefined) {
    const names = nodesBehind(onAddress, ofNodes, context);
    if (names.size > 0) tiers.push(places.onNodePort(names, address, asked, atMs));
    tiers.push(places.ofServicesWithPort(address, asked, atMs));
  }
  tiers.push(having(onAddress, 'POD_IP'), having(onAddress, 'CLUSTER_IP'), ofNodes);
  const found = firstHolding(tiers, context);
  if (found.length > 0) return { holders: toHolders(found, context), isOfUnknownNode: false };

  const isOfUnknownNode =
    ofNodes.length === 0 && having(onAddress, 'HOST_ADDRESS').some((claim) => coverageAt(claim, atMs) !== 'none');
  const isOfNode = isOfUnknownNode || nearest(ofNodes, context) !== undefined;
  if (!isOfNode) {
    // No port tells which service is meant, so all that share the address may be. The pod that an endpoint names says
    // more than the services that list it.
    tiers.push(places.ofServices(address, atMs), having(onAddress, 'ENDPOINT'), places.ofEndpoints(address, atMs));
  }
  const shared = isOfNode ? [] : firstHolding(tiers, context);
  if (shared.length > 0) return { holders: toHolders(shared, context), isOfUnknownNode };
  // None at the very moment: clocks differ and events take time, so the nearest within the slack will do.
  for (const tier of tiers) {
    const near = nearest(tier, context);
    if (near !== undefined) return { holders: [toHolder(near, context)], isOfUnknownNode };
  }
  return { holders: toHolders(holding(having(onAddress, 'POD_RANGE'), context), context), isOfUnknownNode };
}

/** Pods in the node's network that could be meant by its address, newest first. */
export function podsInNetworkOf(places: ClaimPlaces, nodeName: string, context: JudgeContext): Holder[] {
  return places
    .inNetworkOf(nodeName, context.atMs)
    .filter((claim) => coverageAt(claim, context.atMs) !== 'none')
    .sort(newestFirst)
    .slice(0, MAX_ALTERNATIVES)
    .map((claim) => toHolder(claim, context));
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
  if (only === undefined || (claims.length === 1 && only.role === role)) return claims;
  return claims.length === 1 ? [] : claims.filter((claim) => claim.role === role);
}

/**
 * Names of the nodes that have the address at the moment: by their own word, or where Node objects may not be read by
 * that of the pods on them.
 */
function nodesBehind(onAddress: readonly Claim[], ofNodes: readonly Claim[], context: JudgeContext): Set<string> {
  const { atMs, slackMs, nodes } = context;
  const names = new Set<string>();
  for (const claim of ofNodes) {
    if (distanceTo(claim, atMs) <= slackMs && !isSuperseded(claim, ofNodes, atMs, nodes)) names.add(claim.entity.name);
  }
  if (names.size > 0) return names;
  for (const claim of onAddress) {
    if (claim.role !== 'HOST_ADDRESS' || claim.entity.kind !== 'Pod') continue;
    if (distanceTo(claim, atMs) <= slackMs) names.add(claim.entity.nodeName);
  }
  return names;
}

function toHolders(claims: readonly Claim[], context: JudgeContext): Holder[] {
  return claims.map((claim) => toHolder(claim, context));
}
