// `digger.v1.HandedFacts`, written and read.

import type { HandedFacts } from '../addresses/heritage/handed-history.ts';
import type { HandedFacts__Output } from '../wire/generated/digger/v1/HandedFacts.ts';
import { type Fields, moment } from './claim-message.ts';

/** Who tells. */
export interface Teller {
  readonly epoch: Uint8Array;
  readonly clusterUid: string;
  /** ms since the epoch, by its clock. */
  readonly serverTimeMs: number;
}

/** More than a cluster has; each is looked at. */
const MAX_LISTED = 10_000;

export function factsFields(facts: HandedFacts, { epoch, clusterUid, serverTimeMs }: Teller): Fields {
  const { blindSinceMs, unknownUntilMs, incompleteUntilMs } = facts;
  return {
    epoch,
    clusterUid,
    serverTimeMs,
    beganMs: Math.ceil(facts.beganMs),
    blind: facts.blind,
    ...(blindSinceMs === undefined ? {} : { blindSinceMs: Math.floor(blindSinceMs) }),
    ...(Number.isFinite(unknownUntilMs) ? { unknownUntilMs } : {}),
    ...(Number.isFinite(incompleteUntilMs) ? { incompleteUntilMs } : {}),
    leavingNodes: facts.leavingNodes,
    formerRanges: facts.formerRanges.map(({ purpose, range, lastHeldMs }) => ({
      ofServices: purpose === 'services',
      range,
      lastHeldMs,
    })),
  };
}

/** Throws when it cannot be read. */
export function readHandedFacts(message: HandedFacts__Output): {
  readonly facts: HandedFacts;
  readonly teller: Teller;
} {
  const { blind, leavingNodes, formerRanges, blindSinceMs, unknownUntilMs, incompleteUntilMs } = message;
  for (const { length } of [blind, leavingNodes, formerRanges]) {
    if (length > MAX_LISTED) throw new Error(`facts with a list of ${length}, more than ${MAX_LISTED}`);
  }
  const facts: HandedFacts = {
    beganMs: moment(message.beganMs),
    blind: blind.map(({ sinceMs, untilMs }) => {
      if (sinceMs > untilMs) throw new Error('a gap that ends before it begins');
      return { sinceMs: moment(sinceMs), untilMs: moment(untilMs) };
    }),
    blindSinceMs: blindSinceMs === undefined ? undefined : moment(blindSinceMs),
    unknownUntilMs: unknownUntilMs === undefined ? Number.NEGATIVE_INFINITY : moment(unknownUntilMs),
    incompleteUntilMs: incompleteUntilMs === undefined ? Number.NEGATIVE_INFINITY : moment(incompleteUntilMs),
    leavingNodes: leavingNodes.map(({ name, uid, leavingSeenMs }) => ({
      name,
      uid,
      leavingSeenMs: moment(leavingSeenMs),
    })),
    formerRanges: formerRanges.map(({ ofServices, range, lastHeldMs }) => ({
      purpose: ofServices ? 'services' : 'pods',
      range,
      lastHeldMs: moment(lastHeldMs),
    })),
  };
  const teller = {
    epoch: message.epoch,
    clusterUid: message.clusterUid,
    serverTimeMs: moment(message.serverTimeMs),
  };
  return { facts, teller };
}
