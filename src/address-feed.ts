// Timelines in the change feed: writes what is marked in slices, encodes each timeline once when it was written, and
// puts it into the log, after the objects that it names.
//
// An object that is gone while timelines name it stays in the log as `former` until the last claim of it is forgotten.
// Nothing is written before somebody wants timelines; subscriptions with them wait until all are written for the first
// time.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AddressBook } from './addresses/address-book.ts';
import type { Pacer } from './catalog/pacer.ts';
import type { ChangeFeed } from './feed/change-feed.ts';
import { FACTS_KEY, type Item } from './feed/items.ts';
import type { ChangeBatch } from './model/changes.ts';
import { isNetworkAddress } from './model/pod-networks.ts';
import type { Claim } from './addresses/claim.ts';
import type { Entity } from './model/entities.ts';
import { placeKey, type Timeline, type TimelinePlace } from './timelines/timeline.ts';
import {
  encodeFacts,
  encodeForgotten,
  encodeKnownRange,
  encodeNoTimeline,
  encodeTimeline,
} from './wire/encode-timeline.ts';
import { labelsOf } from './wire/labels.ts';

export interface AddressFeedOptions {
  readonly addresses: AddressBook;
  readonly feed: Pick<ChangeFeed, 'onBatch' | 'putItem' | 'dropItem' | 'item'>;
  readonly pacer: Pick<Pacer, 'begin' | 'pause'>;
  /** Changes as those who make claims of them are to see them. Default: as they are. */
  readonly show?: (batch: ChangeBatch) => ChangeBatch;
}

export class AddressFeed {
  readonly #options: AddressFeedOptions;
  #isOpen = false;
  #isWanted = false;
  #isWhole = false;
  /** Places that a question had written before somebody wanted timelines; by key. */
  readonly #untold = new Map<string, TimelinePlace>();
  #drain: Promise<void> | undefined;

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

  /** Takes a change that the address book does not know yet; the feed gets it on the way. */
  onBatch(batch: ChangeBatch): void {
    const { addresses, feed, show } = this.#options;
    addresses.apply(show === undefined ? batch : show(batch));
    for (const { before, after } of batch.changes) {
      if (before === undefined || before.kind === 'Workload' || before.kind === 'Namespace') continue;
      if (after === undefined) {
        if (addresses.isNamed(before.uid)) feed.putItem(formerItem(before));
      } else if (before.values !== after.values && labelsOf(before.values) !== labelsOf(after.values)) {
        // A filter may let its timelines pass now, or not any more.
        addresses.touch(after.uid);
      }
    }
    feed.onBatch(batch);
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

  /** Somebody subscribes to timelines: from now on they are written. */
  want(): void {
    this.#isWanted = true;
    this.#schedule();
  }

  /** To be called when what is true of all places may have changed: a watch went down or came back, time went by. */
  update(): void {
    if (!this.#isWhole) return;
    const { addresses, feed } = this.#options;
    const { source } = addresses;
    const complete = { ipv4: source.areRangesComplete('ipv4'), ipv6: source.areRangesComplete('ipv6') };
    const change = encodeFacts(source.facts, complete);
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
      feed.dropItem(key);
      return;
    }
    const change = encodeTimeline(place, timeline);
    if (!isForced && feed.item(key)?.change === change) return;
    const claims = new Map<string, Claim>();
    for (const { holders } of timeline.spans) for (const claim of holders) claims.set(claim.uid, claim);
    const item: Item = { key, change, end: () => encodeNoTimeline(place), objects: [...claims.values()] };
    const isOfPodNetwork = place.of === 'address' && isNetworkAddress(place.address);
    feed.putItem(isOfPodNetwork ? { ...item, isOfPodNetwork } : item, isForced);
  }
}

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
