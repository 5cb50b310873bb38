// What one subscription has told so far: objects, timelines, facts. It answers questions as a source of timelines; two
// pictures exist while a new one is built beside the one that answers.
//
// Bounded: what does not fit is left out and counted, and from then on the picture counts as a part of the cluster, so
// that an address of which it has nothing is UNKNOWN and not "held by no object".

import protobuf from 'protobufjs';
import type { IpFamily } from '../model/ip/cidr.ts';
import { parseCidr } from '../model/ip/cidr.ts';
import type { Protocol } from '../model/entities.ts';
import { isNetworkAddress } from '../model/kubernetes/pod-networks.ts';
import { Prefixes } from '../timelines/prefixes.ts';
import type { TimelineSource } from '../timelines/source.ts';
import { TimelineStore } from '../timelines/store.ts';
import type { Timeline, TimelinePlace } from '../timelines/timeline.ts';
import { type EntityBounds, EntityStore } from './entity-store.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd } from './message-fields.ts';
import { PackedTimeline } from './packed-timeline.ts';
import type { SharedValues } from './shared-values.ts';
import { readFacts, type ToldFacts } from './facts-message.ts';
import type { ReplicaHolder } from './holder-message.ts';
import { readTimeline } from './timeline-message.ts';

/** How much a picture may hold. */
export interface PictureBounds extends EntityBounds {
  readonly maxTimelines: number;
  /** Of one place; older ones are left out, and the history of the place is shorter then. */
  readonly maxSpans: number;
}

/** What a frame changed. */
export interface FrameChanges {
  /** Uids of objects. */
  readonly entities: string[];
  readonly places: TimelinePlace[];
  hasFacts: boolean;
}

const CHANGES = fieldNumbers('digger.v1.Changes', ['changes']);
const CHANGE = fieldNumbers('digger.v1.Change', ['upsert', 'removal', 'timeline', 'facts', 'former', 'forgotten']);

/** Before a server has told: nothing can be said of any moment. */
const NO_FACTS: ToldFacts = {
  beganMs: Number.POSITIVE_INFINITY,
  historyMs: 0,
  blind: [],
  blindSinceMs: Number.NEGATIVE_INFINITY,
  unknownUntilMs: Number.POSITIVE_INFINITY,
  incompleteUntilMs: Number.POSITIVE_INFINITY,
  reportDelayMs: 0,
  isPartial: true,
  areRangesComplete: { ipv4: false, ipv6: false },
};

/** Timelines that were asked for lately are kept unpacked: these many, up to twice. */
const HOT_TIMELINES = 4_096;

export class Picture implements TimelineSource<ReplicaHolder> {
  readonly entities: EntityStore;
  readonly #bounds: PictureBounds;
  readonly #shared: SharedValues;
  readonly #isKeepingEntities: boolean;
  /** By address, on secondary networks as `networkAddress` names it. */
  readonly #packed = new Map<string, PackedTimeline>();
  /** Those that do not fit the packed form, and all other places. */
  readonly #others = new TimelineStore<ReplicaHolder>();
  readonly #ranges = new Prefixes();
  readonly #rangeTexts = new Set<string>();
  #hot = new Map<string, Timeline<ReplicaHolder>>();
  #warm = new Map<string, Timeline<ReplicaHolder>>();
  #told: ToldFacts = NO_FACTS;
  #facts: ToldFacts = NO_FACTS;
  #blindSinceMs: number | undefined;
  #leftOutTimelines = 0;
  #cutTimelines = 0;

  constructor(bounds: PictureBounds, shared: SharedValues, isKeepingEntities: boolean) {
    this.#bounds = bounds;
    this.#shared = shared;
    this.#isKeepingEntities = isKeepingEntities;
    this.entities = new EntityStore(bounds);
  }

  /** As the server told them, and as blind as this client is. */
  get facts(): ToldFacts {
    return this.#facts;
  }

  /** The server sees the cluster no more, since then. */
  get serverBlindSinceMs(): number | undefined {
    return this.#told.blindSinceMs;
  }

  /** Whether the server tells what is true of all addresses, without which nothing can be answered. */
  get hasFacts(): boolean {
    return this.#told !== NO_FACTS;
  }

  get timelines(): number {
    return this.#packed.size + this.#others.size;
  }

  /** Timelines that were not kept. */
  get leftOutTimelines(): number {
    return this.#leftOutTimelines;
  }

  /** Timelines of which spans were not kept. */
  get cutTimelines(): number {
    return this.#cutTimelines;
  }

  /** Nothing was heard since then (rule 11); unset: the picture is followed. */
  setBlindSince(ms: number | undefined): void {
    if (ms === this.#blindSinceMs) return;
    this.#blindSinceMs = ms;
    this.#updateFacts();
  }

  /** `digger.v1.Changes`. Throws when it cannot be read. */
  apply(bytes: Uint8Array): FrameChanges {
    const reader = protobuf.Reader.create(bytes);
    const changed: FrameChanges = { entities: [], places: [], hasFacts: false };
    eachField(reader, reader.len, (field) => {
      if (field !== CHANGES.changes) return false;
      this.#applyOne(reader, messageEnd(reader), changed);
      return true;
    });
    return changed;
  }

  ofAddress(address: string): Timeline<ReplicaHolder> | undefined {
    const hot = this.#hot.get(address);
    if (hot !== undefined) return hot;
    const packed = this.#packed.get(address);
    if (packed === undefined) return this.#others.ofAddress(address);
    const timeline = this.#warm.get(address) ?? packed.unpack();
    // Two generations: when the young one is full, it is the old one, and the old one is forgotten.
    if (this.#hot.size >= HOT_TIMELINES) {
      this.#warm = this.#hot;
      this.#hot = new Map();
    }
    this.#hot.set(address, timeline);
    return timeline;
  }

  /** Whether the text is an address, in canonical form, of which there is a timeline. */
  hasAddress(text: string): boolean {
    // Places on secondary networks are no addresses that a question may give.
    return (this.#packed.has(text) || this.#others.ofAddress(text) !== undefined) && !isNetworkAddress(text);
  }

  hasPorts(address: string): boolean {
    return this.#others.hasPorts(address);
  }

  ofPort(address: string, port: number, protocol: Protocol): Timeline<ReplicaHolder> | undefined {
    return this.#others.ofPort(address, port, protocol);
  }

  ofPorts(address: string): Timeline<ReplicaHolder> | undefined {
    return this.#others.ofPorts(address);
  }

  ofNodePort(node: string, address: string, port: number, protocol: Protocol): Timeline<ReplicaHolder> | undefined {
    return this.#others.ofNodePort(node, address, port, protocol);
  }

  ofEveryNodePort(port: number, protocol: Protocol): Timeline<ReplicaHolder> | undefined {
    return this.#others.ofEveryNodePort(port, protocol);
  }

  ofNode(node: string): Timeline<ReplicaHolder> | undefined {
    return this.#others.ofNode(node);
  }

  isInRange(address: string): boolean {
    return this.#ranges.contain(address);
  }

  areRangesComplete(family: IpFamily): boolean {
    return this.#told.areRangesComplete[family];
  }

  #applyOne(reader: FieldReader, end: number, changed: FrameChanges): void {
    eachField(reader, end, (field) => {
      switch (field) {
        case CHANGE.timeline: {
          const place = this.#putTimeline(reader, messageEnd(reader));
          if (place !== undefined) changed.places.push(place);
          return true;
        }
        case CHANGE.facts:
          this.#told = readFacts(reader, messageEnd(reader));
          this.#updateFacts();
          changed.hasFacts = true;
          return true;
        default:
          return this.#isKeepingEntities && this.#applyEntity(field, reader, changed);
      }
    });
  }

  #applyEntity(field: number, reader: FieldReader, changed: FrameChanges): boolean {
    switch (field) {
      case CHANGE.upsert: {
        const uid = this.entities.put(reader, messageEnd(reader), false);
        if (uid !== undefined) changed.entities.push(uid);
        return true;
      }
      case CHANGE.removal:
        changed.entities.push(this.entities.remove(reader, messageEnd(reader)));
        return true;
      case CHANGE.former:
        this.entities.put(reader, messageEnd(reader), true);
        return true;
      case CHANGE.forgotten:
        this.entities.forget(reader, messageEnd(reader));
        return true;
      default:
        return false;
    }
  }

  #putTimeline(reader: FieldReader, end: number): TimelinePlace | undefined {
    const told = readTimeline(reader, end, this.#shared);
    if ('range' in told) {
      this.#putRange(told.range, told.isKnown);
      return undefined;
    }
    const { place, timeline } = told;
    if (timeline !== undefined && this.timelines >= this.#bounds.maxTimelines && !this.#has(place)) {
      this.#leftOutTimelines++;
      this.#updateFacts();
      return undefined;
    }
    const kept = timeline && this.#cut(timeline);
    if (place.of !== 'address') {
      this.#others.set(place, kept);
      return place;
    }
    const { address } = place;
    this.#hot.delete(address);
    this.#warm.delete(address);
    const packed = kept && PackedTimeline.pack(kept);
    if (packed === undefined) this.#packed.delete(address);
    else this.#packed.set(address, packed);
    this.#others.set(place, packed === undefined ? kept : undefined);
    return place;
  }

  #has(place: TimelinePlace): boolean {
    return this.#others.get(place) !== undefined || (place.of === 'address' && this.#packed.has(place.address));
  }

  #cut(timeline: Timeline<ReplicaHolder>): Timeline<ReplicaHolder> {
    const { spans } = timeline;
    if (spans.length <= this.#bounds.maxSpans) return timeline;
    this.#cutTimelines++;
    const kept = spans.slice(-this.#bounds.maxSpans);
    const cutAtMs = Math.max(timeline.cutAtMs, kept[0]?.fromMs ?? Number.POSITIVE_INFINITY);
    return { ...timeline, spans: kept, cutAtMs };
  }

  #putRange(text: string, isKnown: boolean): void {
    if (this.#rangeTexts.has(text) === isKnown) return;
    const range = parseCidr(text);
    if (range === undefined) throw new Error(`not a range of addresses: ${text}`);
    if (isKnown) {
      this.#rangeTexts.add(text);
      this.#ranges.add(range);
    } else {
      this.#rangeTexts.delete(text);
      this.#ranges.delete(range);
    }
  }

  #updateFacts(): void {
    const told = this.#told;
    const blindSinceMs = earlier(told.blindSinceMs, this.#blindSinceMs);
    const isPartial = told.isPartial || this.#leftOutTimelines > 0;
    this.#facts =
      blindSinceMs === told.blindSinceMs && isPartial === told.isPartial ? told : { ...told, blindSinceMs, isPartial };
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
