// The past of an address book, for a replica that begins and has none: given away on one side, taken over on the other.
//
// Afterwards the taker knows what it would know if it had never been away: which claim loses a place is judged from all
// claims, its own and those that it took, also when something about an earlier moment is learned later. Done once,
// after the first picture is complete and before anything is answered.

import type { AddressFacts } from '../../timelines/facts.ts';
import type { BlindMoments } from '../judging/blind-moments.ts';
import { NO_BYTES } from '../../model/byte-string.ts';
import type { Claim, HolderEntity } from '../claims/claim.ts';
import type { ClaimPlaces } from '../claims/claim-places.ts';
import type { EndedClaims } from '../claims/ended-claims.ts';
import {
  type HandedClaim,
  type HandedFacts,
  type HandedHistory,
  type Inheritance,
  toHandedClaim,
} from './handed-history.ts';
import { joinClaims, leavingOf, startOf, startSince } from './inheritance.ts';
import type { KnownNodes } from '../claims/known-nodes.ts';
import type { OpenClaims } from '../claims/open-claims.ts';
import type { ClusterRanges } from '../ranges/ranges.ts';
import type { WrittenTimelines } from '../judging/written-timelines.ts';

/** The parts of an address book that remember. */
export interface HeritageParts {
  readonly now: () => number;
  readonly claims: ClaimPlaces;
  readonly nodes: KnownNodes;
  readonly timelines: WrittenTimelines;
  readonly open: OpenClaims;
  readonly ended: EndedClaims;
  readonly blind: BlindMoments;
  readonly ranges: ClusterRanges;
  readonly facts: () => AddressFacts;
  readonly forget: (claim: Claim) => void;
  readonly isNamed: (uid: string) => boolean;
  /** What is known of the pods of the node changed. */
  readonly nodeIsLeaving: (name: string) => void;
  /** The history reaches back to this moment. */
  readonly beganEarlier: (ms: number) => void;
}

export class Heritage {
  readonly #parts: HeritageParts;

  constructor(parts: HeritageParts) {
    this.#parts = parts;
  }

  /** What can be told to a replica that begins, but for its claims. */
  facts(): HandedFacts {
    const { now, ended, nodes, ranges } = this.#parts;
    const { beganMs, historyMs, blind, blindSinceMs, unknownUntilMs } = this.#parts.facts();
    return {
      beganMs: Math.max(beganMs, now() - historyMs),
      blind,
      blindSinceMs,
      unknownUntilMs,
      incompleteUntilMs: ended.incompleteUntilMs,
      leavingNodes: [...nodes.leaving()],
      formerRanges: [...ranges.former()],
    };
  }

  /**
   * Every claim. May be read in pieces while the cluster changes: a claim that ends meanwhile is told as it is found,
   * open or ended or both ways, and the taker has seen its end itself.
   */
  *claims(): Generator<HandedClaim> {
    const { open, ended } = this.#parts;
    for (const claim of open.all()) yield toHandedClaim(claim, undefined);
    for (const { claim, endedAtMs } of ended.entries()) yield toHandedClaim(claim, endedAtMs);
  }

  /** Whether it has claims of the object: then it is worth knowing how they began. */
  knows(uid: string): boolean {
    return this.#parts.isNamed(uid);
  }

  /**
   * A sibling tells what it knows of the time before the first picture of this process. The picture has to be open, and
   * the sibling to have seen what was in it. `isLive`: whether the object is there now.
   */
  inherit({ facts, claims }: HandedHistory, isLive: (uid: string) => boolean): Inheritance {
    const { now, open, ended, forget } = this.#parts;
    const nowMs = now();
    const { beganMs: startedMs } = this.#parts.facts();
    const own = [...open.all(), ...ended.entries().map(({ claim }) => claim)];
    const joined = joinClaims(own, claims, nowMs);
    for (const { claim, handed } of joined.adopt) this.#adopt(claim, handed);
    for (const claim of joined.unknown) {
      this.#change(claim, () => claim.adoptStart(startSince(claim, facts.beganMs)));
    }
    for (const { claim } of joined.ended) this.#take(claim, isLive);
    for (const dropped of ended.inherit(joined.ended, facts)) forget(dropped);
    this.#takeFacts(facts, startedMs);
    for (const claim of ended.expire(nowMs)) forget(claim);
    return {
      ended: joined.ended.length,
      matched: joined.adopt.length,
      unknown: joined.unknown.length,
      formerEntities: this.#formers(joined.ended, isLive),
    };
  }

  /** Of each object that is gone its last state, as far as one is known: of ended endpoints only the name of the service is. */
  #formers(ended: readonly { readonly claim: Claim }[], isLive: (uid: string) => boolean): readonly HolderEntity[] {
    const formers = new Map<string, { readonly entity: HolderEntity; readonly endMs: number }>();
    for (const { claim } of ended) {
      const { uid, entity, endLatestMs: endMs = 0 } = claim;
      if (entity.own === NO_BYTES || isLive(uid) || !this.#parts.isNamed(uid)) continue;
      if ((formers.get(uid)?.endMs ?? 0) <= endMs) formers.set(uid, { entity, endMs });
    }
    return [...formers.values()].map(({ entity }) => entity);
  }

  #adopt(claim: Claim, handed: HandedClaim): void {
    const { knownFromMs } = claim;
    this.#change(claim, () => {
      // It was seen here by then, whatever the sibling's clock says.
      claim.adoptStart(startOf(handed, claim.firstSeenMs));
      claim.leavingSeenMs = leavingOf(claim, knownFromMs, handed);
      claim.lostTo ??= handed.lostTo;
      if (claim.endEarliestMs === undefined || claim.endLatestMs === undefined || handed.end === undefined) return;
      // An end is never before the start as far as it is known, which was later here.
      claim.endEarliestMs = Math.min(claim.endEarliestMs, handed.end.earliestMs);
      claim.endLatestMs = Math.min(claim.endLatestMs, handed.end.latestMs);
    });
  }

  #change(claim: Claim, change: () => void): void {
    const { claims, timelines } = this.#parts;
    // What was written from the old start is written anew as well.
    timelines.markClaim(claim);
    claims.change(claim, change);
    timelines.markClaim(claim);
  }

  /** A claim that was over before this process began. */
  #take(claim: Claim, isLive: (uid: string) => boolean): void {
    const { claims, open, ranges, timelines } = this.#parts;
    claims.open(claim);
    claims.end(claim);
    timelines.markClaim(claim);
    if (claim.derivedRole === 'POD_IP' && typeof claim.place === 'string') ranges.podsOutside.add(claim.place);
    if (isLive(claim.uid)) open.remember(claim.uid);
  }

  #takeFacts(facts: HandedFacts, startedMs: number): void {
    const { blind, nodes, ranges, beganEarlier, nodeIsLeaving } = this.#parts;
    for (const { name, uid, leavingSeenMs } of facts.leavingNodes) {
      if (nodes.adoptLeaving(name, uid, leavingSeenMs)) nodeIsLeaving(name);
    }
    for (const range of facts.formerRanges) ranges.inherit(range);
    const { blindSinceMs } = facts;
    // The first lists of this process closed the gap.
    const gap = blindSinceMs === undefined ? [] : [{ sinceMs: Math.min(blindSinceMs, startedMs), untilMs: startedMs }];
    blind.inherit([...facts.blind, ...gap], facts.unknownUntilMs);
    beganEarlier(facts.beganMs);
  }
}
