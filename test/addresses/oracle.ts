// The model that answers from timelines are held against: judges a question when it is asked, from the claims around
// the moment, with ports, slack, blind moments and ranges in one place. Slow and simple; it keeps nothing between
// questions.
//
// It shares with the service what a claim is and which one loses a place (src/addresses/claims/succession.ts), which
// the adversary's truth judges; it shares neither timelines nor the rules of reading them.

import type { AddressBook, AddressBookOptions } from '../../src/addresses/address-book.ts';
import type { ClaimPlaces } from '../../src/addresses/claims/claim-places.ts';
import type { Claim } from '../../src/addresses/claims/claim.ts';
import { coverageAt, distanceTo, newestFirst, REPORT_DELAY_MS } from '../../src/addresses/claims/claim-times.ts';
import type { ClaimRole } from '../../src/addresses/claims/derived-claim.ts';
import { holding, type JudgeContext, nearest } from '../../src/addresses/judging/judge.ts';
import type { AddressAnswer, AddressQuestion, Holder } from '../../src/addresses/reader.ts';
import { isSuperseded, mayBeLostSinceMs } from '../../src/addresses/claims/succession.ts';
import { familyOf } from '../../src/model/ip/cidr.ts';
import type { Protocol } from '../../src/model/entities.ts';
import type { AddressFacts } from '../../src/timelines/facts.ts';
import { isSpecialAddress } from '../../src/timelines/special-addresses.ts';

const RESOLUTION_MS = 1_000;
const CROWDED: ReadonlySet<string> = new Set(['LOAD_BALANCER', 'EXTERNAL_IP', 'ENDPOINT', 'NODE_PORT']);

export function ask(
  book: AddressBook,
  { slackMs }: Pick<AddressBookOptions, 'slackMs'>,
  question: AddressQuestion,
  nowMs: number,
): AddressAnswer {
  const { facts } = book.source;
  const { address, port } = question;
  const atMs = Math.floor(Math.min(question.atMs ?? nowMs, nowMs));
  const { historySinceMs } = book;
  if ((atMs < historySinceMs && question.atMs !== undefined) || isSpecialAddress(address)) {
    return { outcome: 'UNKNOWN', historySinceMs };
  }
  const context = { atMs, slackMs, nodes: book.nodes };
  const { claims, isOfUnknownNode } = findClaims(book.claims, question, context);
  if (claims.length === 0) {
    return { outcome: isOfUnknownNode ? 'UNKNOWN' : withoutHolder(book, address, atMs), historySinceMs };
  }
  const isIncomplete = atMs <= facts.incompleteUntilMs;
  const holders = claims.map((claim): Holder => {
    const holder = toHolder(claim, context, facts);
    const isMissing = isIncomplete && (port !== undefined || CROWDED.has(holder.role));
    return { ...holder, uncertain: holder.uncertain || isMissing };
  });
  const [holder] = holders;
  if (holder === undefined || holders.length > 1) return { outcome: 'AMBIGUOUS', candidates: holders, historySinceMs };
  if (holder.entity.kind !== 'Node') return { outcome: 'RESOLVED', holder, alternatives: [], historySinceMs };
  const isBlind = facts.isPartial || overlap(facts, atMs, atMs + REPORT_DELAY_MS);
  const alternatives = book.claims
    .inNetworkOf(holder.entity.name, atMs)
    .filter((claim) => coverageAt(claim, atMs) !== 'none')
    .sort(newestFirst)
    .slice(0, 100)
    .map((claim) => toHolder(claim, context, facts));
  const uncertain = holder.uncertain || (port !== undefined && isBlind);
  return { outcome: 'RESOLVED', holder: { ...holder, uncertain }, alternatives, historySinceMs };
}

function withoutHolder(
  { source, claims }: AddressBook,
  address: string,
  atMs: number,
): AddressAnswer['outcome'] & 'UNKNOWN' {
  const { facts } = source;
  const isUnsure = facts.isPartial || atMs <= facts.incompleteUntilMs || overlap(facts, atMs, atMs + REPORT_DELAY_MS);
  const outcome = isUnsure
    ? 'UNKNOWN'
    : claims.wasInCluster(address) || source.isInRange(address)
      ? 'UNASSIGNED'
      : source.areRangesComplete(familyOf(address))
        ? 'EXTERNAL'
        : 'UNKNOWN';
  return outcome as 'UNKNOWN';
}

function findClaims(
  places: ClaimPlaces,
  { address, port, protocol }: AddressQuestion,
  context: JudgeContext,
): { readonly claims: readonly Claim[]; readonly isOfUnknownNode: boolean } {
  const { atMs } = context;
  const onAddress = places.onAddress(address, atMs);
  const ofNodes = having(onAddress, 'NODE_ADDRESS');
  const tiers: (readonly Claim[])[] = [];
  /** Found only where they hold: no port of these is told apart within the slack. */
  const many: Claim[] = [];
  if (port !== undefined) {
    const protocols: readonly Protocol[] = protocol === undefined ? ['TCP', 'UDP', 'SCTP'] : [protocol];
    const names = nodesBehind(onAddress, ofNodes, context);
    const ofPorts: Claim[] = [];
    for (const each of protocols) {
      for (const node of names)
        ofPorts.push(...places.onNodePort({ of: 'port of a node', node, port, protocol: each, address }, atMs));
      if (names.size > 0) ofPorts.push(...places.onEveryNodePort({ port, protocol: each }, atMs));
    }
    tiers.push(ofPorts);
    const ofServices = new Set(
      protocols.flatMap((each) => places.ofServicesWithPort(address, { port, protocol: each }, atMs)),
    );
    many.push(
      ...places
        .ofServicesWithManyPorts(address, atMs)
        .filter(({ place }) => typeof place === 'object' && place.on === 'services' && place.ports?.has(port, protocol))
        .filter((claim) => coverageAt(claim, atMs) !== 'none'),
    );
    tiers.push([...ofServices]);
  }
  tiers.push(having(onAddress, 'POD_IP'), having(onAddress, 'CLUSTER_IP'), ofNodes);
  const found = firstHolding(
    tiers.map((tier, index) => (port !== undefined && index === 1 ? [...tier, ...many] : tier)),
    context,
  );
  if (found.length > 0) return { claims: found, isOfUnknownNode: false };
  const isNearNode = nearest(ofNodes, context) !== undefined;
  const isOfUnknownNode =
    !isNearNode && having(onAddress, 'HOST_ADDRESS').some((claim) => coverageAt(claim, atMs) !== 'none');
  if (!isNearNode && !isOfUnknownNode) {
    const shared = [places.ofServices(address, atMs), having(onAddress, 'ENDPOINT'), places.ofEndpoints(address, atMs)];
    tiers.push(...shared);
    const holders = firstHolding(shared, context);
    if (holders.length > 0) return { claims: holders, isOfUnknownNode };
  }
  for (const tier of tiers) {
    const near = nearest(tier, context);
    if (near !== undefined) return { claims: [near], isOfUnknownNode };
  }
  return { claims: holding(having(onAddress, 'POD_RANGE'), context), isOfUnknownNode };
}

function nodesBehind(onAddress: readonly Claim[], ofNodes: readonly Claim[], context: JudgeContext): Set<string> {
  const { atMs, slackMs, nodes } = context;
  const names = new Set<string>();
  for (const claim of ofNodes) {
    if (distanceTo(claim, atMs) <= slackMs && !isSuperseded(claim, ofNodes, atMs, nodes)) names.add(claim.entity.name);
  }
  if (names.size > 0) return names;
  for (const claim of onAddress) {
    if (claim.derivedRole !== 'HOST_ADDRESS' || claim.entity.kind !== 'Pod') continue;
    if (distanceTo(claim, atMs) <= slackMs) names.add(claim.entity.nodeName);
  }
  return names;
}

function firstHolding(tiers: readonly (readonly Claim[])[], context: JudgeContext): readonly Claim[] {
  for (const tier of tiers) {
    const holders = holding(tier, context);
    if (holders.length > 0) return holders;
  }
  return [];
}

function having(claims: readonly Claim[], role: ClaimRole): readonly Claim[] {
  return claims.filter(({ derivedRole }) => derivedRole === role);
}

function toHolder(claim: Claim, context: JudgeContext, facts: AddressFacts): Holder {
  return {
    role: claim.role,
    entity: claim.entity,
    fromMs: claim.startEarliestMs,
    toMs: claim.endLatestMs,
    uncertain: isUncertain(claim, context, facts),
  };
}

function isUncertain(claim: Claim, { atMs, nodes }: JudgeContext, facts: AddressFacts): boolean {
  if (claim.derivedRole === 'POD_RANGE') return true;
  const isBlindNow = facts.blindSinceMs !== undefined && atMs >= facts.blindSinceMs;
  if (claim.endLatestMs === undefined && isBlindNow) return true;
  const isAtEdge = coverageAt(claim, atMs) !== 'certain';
  if (isAtEdge && (isGap(claim, atMs) || mayHaveHidden(facts, atMs, atMs))) return true;
  const lostMs = mayBeLostSinceMs(claim, nodes);
  return lostMs !== undefined && lostMs <= atMs && mayHaveHidden(facts, lostMs, atMs + REPORT_DELAY_MS);
}

function isGap({ startEarliestMs, startLatestMs, endEarliestMs, endLatestMs }: Claim, atMs: number): boolean {
  if (atMs < startLatestMs && startLatestMs - startEarliestMs >= RESOLUTION_MS) return true;
  return (
    endEarliestMs !== undefined &&
    endLatestMs !== undefined &&
    atMs >= endEarliestMs &&
    endLatestMs - endEarliestMs >= RESOLUTION_MS
  );
}

function gapsOf({ blind, blindSinceMs }: AddressFacts): { sinceMs: number; untilMs: number }[] {
  return [
    ...blind,
    ...(blindSinceMs === undefined ? [] : [{ sinceMs: blindSinceMs, untilMs: Number.POSITIVE_INFINITY }]),
  ];
}

function overlap(facts: AddressFacts, sinceMs: number, untilMs: number): boolean {
  return gapsOf(facts).some((gap) => gap.sinceMs <= untilMs && gap.untilMs > sinceMs);
}

function mayHaveHidden(facts: AddressFacts, sinceMs: number, untilMs: number): boolean {
  if (facts.unknownUntilMs >= sinceMs) return true;
  return gapsOf(facts).some((gap) => gap.sinceMs <= untilMs && gap.untilMs >= sinceMs);
}
