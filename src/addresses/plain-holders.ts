// Who holds an address alone, for certain and until further notice: nearly every pod and cluster IP. What is told of
// such a holder is the same for nearly every question, so that those who answer may keep it ready.
//
// Promises: from `sinceMs` on, and for the moments that `PlainMoment` allows, a question about the address with any
// port has this one holder and no doubt, until the address is told to listeners. They are told before anything can be
// asked of what changed; of an address that they did not keep they hear as well.

import { isNetworkAddress } from '../model/kubernetes/pod-networks.ts';
import { historySinceMs } from '../timelines/facts.ts';
import type { TimelineSource } from '../timelines/source.ts';
import { isSpecialAddress } from '../timelines/special-addresses.ts';
import { CERTAIN } from '../timelines/timeline.ts';
import type { Claim } from './claims/claim.ts';
import type { PlainHolder, PlainMoment, PlainReader } from './reader.ts';

export class PlainHolders implements PlainReader {
  readonly #source: TimelineSource<Claim>;
  readonly #now: () => number;
  #listener: ((address: string) => void) | undefined;

  /** `now`: our clock, ms since the epoch. */
  constructor(source: TimelineSource<Claim>, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  of(address: string): PlainHolder | undefined {
    const source = this.#source;
    const timeline = source.ofAddress(address);
    const span = timeline?.spans[timeline.spans.length - 1];
    const [claim] = span?.holders ?? [];
    if (timeline === undefined || span === undefined || claim === undefined) return undefined;
    if (span.is !== 'holds' || span.toMs !== Number.POSITIVE_INFINITY || span.holders.length > 1) return undefined;
    if (span.doubts[0] !== CERTAIN || claim.doubtedFromMs !== undefined || claim.validToMs !== undefined) {
      return undefined;
    }
    // A port may mean another holder; a node may have other pods behind it; an endpoint is told otherwise.
    if (timeline.nodes.length > 0 || source.hasPorts(address)) return undefined;
    if (claim.kind === 'Node' || claim.role === 'ENDPOINT' || isSpecialAddress(address)) return undefined;
    // An answer about one of those names its network.
    if (isNetworkAddress(address)) return undefined;
    return {
      role: claim.role,
      entity: claim.entity,
      fromMs: claim.validFromMs,
      sinceMs: span.fromMs,
      cutAtMs: timeline.cutAtMs,
    };
  }

  moment(): PlainMoment {
    const { facts } = this.#source;
    const nowMs = this.#now();
    return {
      nowMs,
      historySinceMs: historySinceMs(facts, Math.floor(nowMs)),
      afterMs: facts.incompleteUntilMs,
      beforeMs: facts.blindSinceMs ?? Number.POSITIVE_INFINITY,
    };
  }

  onChange(listener: (address: string) => void): void {
    if (this.#listener !== undefined)
      throw new Error('bug: a second listener, of which only one would be told of changes');
    this.#listener = listener;
  }

  /** Something that decides about the address changed, or its holder did. */
  addressChanged(address: string): void {
    this.#listener?.(address);
  }

  /** What is known of the claim's holder changed. */
  holderChanged({ place }: Claim): void {
    // Of those that have no address as a whole there are no plain holders.
    if (typeof place === 'string') this.#listener?.(place);
  }
}
