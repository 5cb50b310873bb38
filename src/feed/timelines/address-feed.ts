// Timelines in the change feed: writes what is marked in slices, encodes each timeline once when it was written, and
// puts it into the log, after the objects that it names.
//
// An object that is gone while timelines name it stays in the log as `former` until the last claim of it is forgotten.
// A timeline is sent whole whenever it changes, so one that is long and changes all the time would cost the square of
// its changes. Beyond a size its newest part is sent, which says that what was before is cut, and the whole of it now
// and then, and when it has come to rest.
//
// Nothing is written before somebody wants timelines; subscriptions with them wait until all are written for the first
// time.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AddressBook } from '../../addresses/address-book.ts';
import type { Pacer } from '../../catalog/pacer.ts';
import type { ChangeFeed } from '../change-feed.ts';
import { FACTS_KEY, type Item, type TimelinesInLog } from '../log/items.ts';
import type { ChangeBatch } from '../../model/changes.ts';
import { isNetworkAddress } from '../../model/kubernetes/pod-networks.ts';
import { isHidden } from '../../model/namespaces/published-namespaces.ts';
import type { Claim, HolderEntity } from '../../addresses/claims/claim.ts';
import type { Entity } from '../../model/entities.ts';
import { type AddressFacts, atLeastAsDoubtful, followedSinceMs } from '../../timelines/facts.ts';
import { placeKey, type Timeline, type TimelinePlace } from '../../timelines/timeline.ts';
import {
  encodeFacts,
  encodeForgotten,
  encodeKnownRange,
  encodeNoTimeline,
  encodeTimeline,
} from '../../wire/encode-timeline.ts';
import { labelsOf } from '../../wire/labels.ts';

export interface AddressFeedOptions {
  readonly addresses: AddressBook;
  readonly feed: Pick<ChangeFeed, 'onBatch' | 'putItem' | 'dropItem' | 'item'>;
  readonly pacer: Pick<Pacer, 'begin' | 'pause'>;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Changes as those who make claims of them are to see them. Default: as they are. */
  readonly show?: (batch: ChangeBatch) => ChangeBatch;
  /** What the feed is told of a change. Default: all of it. */
  readonly tell?: (batch: ChangeBatch) => void;
}

export class AddressFeed {
  readonly #options: AddressFeedOptions;
  #isOpen = false;
  #isWanted = false;
  #isWhole = false;
  /** Places that a question had written before somebody wanted timelines; by key. */
  readonly #untold = new Map<string, TimelinePlace>();
  #drain: Promise<void> | undefined;
  /** Large timelines whose whole was told lately; `isOwed`: of which only a part was told since. By key of the feed. */
  readonly #large = new Map<string, { readonly place: TimelinePlace; readonly againMs: number; isOwed: boolean }>();
  /** The facts as they were told last. */
  #told:
    | { readonly facts: AddressFacts; readonly ranges: { readonly ipv4: boolean; readonly ipv6: boolean } }
    | undefined;

  constructor(options: AddressFeedOptions) {
    this.#options = options;
    const { addresses, feed } = options;
    addresses.timelines.onWritten((place, timeline, isForced) => this.#put(place, timeline, isForced));
    addresses.onUnnamed((uid) => feed.dropItem(formerKey(uid)));
    addresses.onRange((range, isKnown) => {
      if (isKnown) feed.putItem(rangeItem(range));
      else feed.dropItem(rangeKey(range));
    });
  }

  /** Every timeline was written once: a snapshot has all of them. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Nothing is left to be written. */
  get isSettled(): boolean {
    return this.#isWhole && this.#options.addresses.timelines.marked === 0 && this.#untold.size === 0;
  }

  /** Nothing is told of moments before this one, ms since the epoch. */
  get historySinceMs(): number {
    return this.#options.addresses.historySinceMs;
  }

  /** Everything is told since this moment; Infinity: the cluster is not followed now. */
  get followedSinceMs(): number {
    return followedSinceMs(this.#options.addresses.source.facts);
  }

  /** Takes a change that the address book does not know yet; the feed gets it on the way. */
  onBatch(batch: ChangeBatch): void {
    const { addresses, feed, show, tell } = this.#options;
    addresses.apply(show === undefined ? batch : show(batch));
    for (const { before, after } of batch.changes) {
      if (before === undefined || before.kind === 'Workload' || before.kind === 'Namespace') continue;
      // Timelines tell of it, and no more than they do is told.
      if (isHidden(before.namespace)) continue;
      if (after === undefined) {
        if (addresses.isNamed(before.uid)) feed.putItem(formerItem(before));
      } else if (before.values !== after.values && labelsOf(before.values) !== labelsOf(after.values)) {
        // A filter may let its timelines pass now, or not any more.
        addresses.touch(after.uid);
      }
    }
    if (tell === undefined) feed.onBatch(batch);
    else tell(batch);
    this.#schedule();
  }

  /** Takes a change of claims alone: the entities are as they were. */
  onClaims(batch: ChangeBatch): void {
    this.#options.addresses.apply(batch);
    this.#schedule();
  }

  /** The picture is complete, and so is what timelines are written from. */
  open(): void {
    this.#isOpen = true;
    this.#schedule();
  }

  /** These are gone, and the history that was taken over names them. */
  inherit(entities: Iterable<HolderEntity>): void {
    for (const entity of entities) if (!isHidden(entity.namespace)) this.#options.feed.putItem(formerItem(entity));
    this.#schedule();
  }

  /** Somebody subscribes to timelines: from now on they are written. */
  want(): void {
    this.#isWanted = true;
    this.#schedule();
  }

  /** To be called when what is true of all places may have changed: a watch went down or came back, time went by. */
  update(): void {
    if (!this.#isWhole) return;
    this.#tellOwed();
    const { addresses, feed } = this.#options;
    const { source } = addresses;
    let { facts } = source;
    let ranges = { ipv4: source.areRangesComplete('ipv4'), ipv6: source.areRangesComplete('ipv6') };
    // What makes answers more doubtful is told at once, what makes them less so when the timelines that it is true of
    // are told too: a list that closes a gap comes in one turn, and is written in many.
    if (this.#told !== undefined && !this.isSettled) {
      const { facts: before, ranges: known } = this.#told;
      facts = atLeastAsDoubtful(facts, before);
      ranges = { ipv4: ranges.ipv4 && known.ipv4, ipv6: ranges.ipv6 && known.ipv6 };
    }
    this.#told = { facts, ranges };
    const change = encodeFacts(facts, ranges);
    if (feed.item(FACTS_KEY)?.change === change) return;
    feed.putItem({ key: FACTS_KEY, change, end: () => change, objects: undefined });
  }

  /** Resolves when all that is marked is written. */
  async settled(): Promise<void> {
    while (this.#drain !== undefined) await this.#drain;
  }

  #schedule(): void {
    if (!this.#isOpen || !this.#isWanted || this.#drain !== undefined) return;
    this.#drain = this.#write().finally(() => {
      this.#drain = undefined;
    });
  }

  async #write(): Promise<void> {
    const { addresses, pacer } = this.#options;
    // What else changes in this turn is written with it.
    await nextTurn();
    this.update();
    const slice = pacer.begin();
    for (const [key, place] of this.#untold) {
      this.#untold.delete(key);
      this.#put(place, addresses.timelines.of(place), false);
      if (slice.due()) await pacer.pause();
    }
    while (!addresses.timelines.settle(() => slice.due())) await pacer.pause();
    this.#isWhole = true;
    this.update();
  }

  #put(place: TimelinePlace, timeline: Timeline<Claim> | undefined, isForced: boolean): void {
    if (!this.#isWanted) {
      if (timeline === undefined) this.#untold.delete(placeKey(place));
      else this.#untold.set(placeKey(place), place);
      return;
    }
    const { feed } = this.#options;
    const key = timelineKey(place);
    if (timeline === undefined) {
      this.#large.delete(key);
      feed.dropItem(key);
      return;
    }
    const told = this.#partOf(place, timeline);
    const change = encodeTimeline(place, told);
    if (told === timeline && change.length > LARGE_BYTES) this.#haveToldWhole(key, place, change.length);
    if (!isForced && feed.item(key)?.change === change) return;
    const claims = new Map<string, Claim>();
    for (const { holders } of told.spans) for (const claim of holders) claims.set(claim.uid, claim);
    const item: Item = { key, change, end: () => encodeNoTimeline(place), objects: [...claims.values()] };
    const isOfPodNetwork = place.of === 'address' && isNetworkAddress(place.address);
    feed.putItem(isOfPodNetwork ? { ...item, isOfPodNetwork } : item, isForced);
  }

  /** What is told of a timeline that changed: all of it, unless it is large and was told lately. */
  #partOf(place: TimelinePlace, timeline: Timeline<Claim>): Timeline<Claim> {
    const key = timelineKey(place);
    const large = this.#large.get(key);
    if (large === undefined) return timeline;
    if (timeline.spans.length <= NEWEST_SPANS || large.againMs <= this.#options.now()) {
      this.#large.delete(key);
      return timeline;
    }
    large.isOwed = true;
    const spans = timeline.spans.slice(-NEWEST_SPANS);
    const cutAtMs = spans[0]?.fromMs ?? Number.NEGATIVE_INFINITY;
    return { ...timeline, spans, nodes: timeline.nodes.filter(({ toMs }) => toMs > cutAtMs), cutAtMs };
  }

  #haveToldWhole(key: string, place: TimelinePlace, bytes: number): void {
    const againMs = this.#options.now() + bytes / LARGE_BYTES_PER_MS;
    this.#large.set(key, { place, againMs, isOwed: false });
  }

  /** Tells the whole of large timelines, when their time has come. */
  #tellOwed(): void {
    const { addresses, now } = this.#options;
    for (const [key, { place, againMs, isOwed }] of this.#large) {
      if (againMs > now()) continue;
      this.#large.delete(key);
      const timeline = isOwed ? addresses.timelines.of(place) : undefined;
      // Where it had to be written first, it was told with that.
      if (timeline !== undefined && !this.#large.has(key)) this.#put(place, timeline, false);
    }
  }
}

/** What a feed has to know of it, which is made after the feed. */
export function timelinesOf(made: () => AddressFeed): TimelinesInLog {
  return {
    get isWhole() {
      return made().isWhole;
    },
    get isSettled() {
      return made().isSettled;
    },
    get historySinceMs() {
      return made().historySinceMs;
    },
    get followedSinceMs() {
      return made().followedSinceMs;
    },
  };
}

/** Of a timeline in its encoded form: an address that changes hands every five seconds has a smaller one. */
const LARGE_BYTES = 24 * 1024;
/** What a large one may cost: its whole is told again after as many ms as this number of bytes goes into it. */
const LARGE_BYTES_PER_MS = 16;
/** About twenty changes of hands. */
const NEWEST_SPANS = 64;

function timelineKey(place: TimelinePlace): string {
  return `timeline ${placeKey(place)}`;
}

function rangeKey(range: string): string {
  return `range ${range}`;
}

function formerKey(uid: string): string {
  return `former ${uid}`;
}

function rangeItem(range: string): Item {
  return {
    key: rangeKey(range),
    change: encodeKnownRange(range),
    end: () => encodeNoTimeline({ of: 'range', range }),
    objects: undefined,
  };
}

function formerItem(entity: Exclude<Entity, { kind: 'Workload' | 'Namespace' }>): Item {
  const { kind, uid } = entity;
  return { key: formerKey(uid), change: entity, end: () => encodeForgotten(kind, uid), objects: [{ uid, entity }] };
}
