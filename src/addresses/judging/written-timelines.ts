// The timelines of all places, written anew when something changes: reading finds what is true at once, and those who
// pass timelines on are told of each that changed.
//
// A change marks the places that it touches. They are written in slices when there is time (`settle`), and one that a
// question needs before its turn is written then: so a change that touches thousands of places (a node with its pods is
// lost, a service with its endpoints changes) stops neither the loop nor a question, and no question is answered from a
// timeline that is out of date. Many changes of one place before its turn are one writing.

import { wideMap } from '../../collections/wide-map.ts';
import type { Protocol } from '../../model/entities.ts';
import { TimelineStore } from '../../timelines/store.ts';
import { placeKey, type Timeline, type TimelinePlace } from '../../timelines/timeline.ts';
import type { Claim } from '../claims/claim.ts';
import { firstMomentOf, type TimelineWriterOptions, writeTimeline } from './timeline-writer.ts';

export interface WrittenTimelinesOptions extends TimelineWriterOptions {
  /** Where the history begins, ms since the epoch. */
  readonly sinceMs: () => number;
}

/**
 * Told of a place whose timeline says something else than before; `undefined`: it has no timeline any more.
 * `isTouched`: it may say the same, but what is known of its holders changed otherwise.
 */
export type TimelineListener = (
  place: TimelinePlace,
  timeline: Timeline<Claim> | undefined,
  isTouched: boolean,
) => void;

interface Mark {
  readonly place: TimelinePlace;
  /** What is older did not change. */
  readonly fromMs: number;
  readonly isTouched: boolean;
}

export class WrittenTimelines {
  readonly #options: WrittenTimelinesOptions;
  readonly #store = new TimelineStore<Claim>();
  /** By `placeKey`. */
  readonly #marks = wideMap<Mark>();
  /** How far `settle` came: it goes round, so that what is marked again and again does not come before the rest. */
  #round: Iterator<[string, Mark]> = this.#marks[Symbol.iterator]();
  /** How many there are of each kind: a question names its places only where one of them may be marked. */
  readonly #markedOf: Record<TimelinePlace['of'], number> = {
    address: 0,
    'port of an address': 0,
    'ports of an address': 0,
    'port of a node': 0,
    'port of every node': 0,
    node: 0,
  };
  #listener: TimelineListener | undefined;
  #markListener: ((address: string) => void) | undefined;

  constructor(options: WrittenTimelinesOptions) {
    this.#options = options;
  }

  /** Timelines that are written. */
  get size(): number {
    return this.#store.size;
  }

  /** Places that have to be written. */
  get marked(): number {
    return this.#marks.size;
  }

  /** Called with every timeline that is written from now on. */
  onWritten(listener: TimelineListener): void {
    this.#listener = listener;
  }

  /** Called with the address of a place as soon as something about it changes, before it is written. */
  onMarked(listener: (address: string) => void): void {
    this.#markListener = listener;
  }

  /** Something about the claim changed: it came, it ended, or what is known of its holder did. */
  markClaim(claim: Claim): void {
    const { places, slackMs } = this.#options;
    const fromMs = firstMomentOf(claim, slackMs);
    for (const place of places.timelinesOf(claim)) this.#mark(place, fromMs);
  }

  /** What timelines do not tell of the claim's holder changed. */
  touchClaim(claim: Claim): void {
    for (const place of this.#options.places.timelinesOf(claim)) this.#mark(place, Number.POSITIVE_INFINITY, true);
  }

  /**
   * The claim is to be forgotten: that changes nothing about the history that is left, but there may be none left.
   * Returns what to call when it is forgotten.
   */
  markForgotten(claim: Claim): () => void {
    const { places } = this.#options;
    const told = places.timelinesOf(claim);
    return () => {
      for (const place of told) {
        // Nothing was written, and nothing has to be: such marks would stay where no one asks for the place.
        if (!places.any(place) && this.#store.get(place) === undefined) this.#unmark(placeKey(place), place);
        else this.#mark(place, Number.POSITIVE_INFINITY);
      }
    };
  }

  /** Writes what is marked until `isDue`; returns whether all is written. */
  settle(isDue: () => boolean = () => false): boolean {
    while (this.#marks.size > 0) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#marks[Symbol.iterator]();
        continue;
      }
      this.#write(...next.value);
      if (isDue()) break;
    }
    return this.#marks.size === 0;
  }

  ofAddress(address: string): Timeline<Claim> | undefined {
    if (this.#markedOf.address > 0) this.#writeNow(address);
    return this.#store.ofAddress(address);
  }

  /** Whether services hold ports of the address, as far as was ever written or is marked. */
  hasPorts(address: string): boolean {
    return this.#options.places.hasServices(address) || this.#store.hasPorts(address);
  }

  ofPort(address: string, port: number, protocol: Protocol): Timeline<Claim> | undefined {
    if (this.#markedOf['port of an address'] > 0)
      this.#writePlace({ of: 'port of an address', address, port, protocol });
    return this.#store.ofPort(address, port, protocol);
  }

  ofPorts(address: string): Timeline<Claim> | undefined {
    if (this.#markedOf['ports of an address'] > 0) this.#writePlace({ of: 'ports of an address', address });
    return this.#store.ofPorts(address);
  }

  ofNodePort(node: string, address: string, port: number, protocol: Protocol): Timeline<Claim> | undefined {
    if (this.#markedOf['port of a node'] > 0) {
      this.#writePlace({ of: 'port of a node', node, port, protocol, address });
      this.#writePlace({ of: 'port of a node', node, port, protocol, address: undefined });
    }
    return this.#store.ofNodePort(node, address, port, protocol);
  }

  ofEveryNodePort(port: number, protocol: Protocol): Timeline<Claim> | undefined {
    if (this.#markedOf['port of every node'] > 0) this.#writePlace({ of: 'port of every node', port, protocol });
    return this.#store.ofEveryNodePort(port, protocol);
  }

  ofNode(node: string): Timeline<Claim> | undefined {
    if (this.#markedOf.node > 0) this.#writePlace({ of: 'node', node });
    return this.#store.ofNode(node);
  }

  /** As it is now. */
  of(place: TimelinePlace): Timeline<Claim> | undefined {
    if (this.#marks.size > 0) this.#writePlace(place);
    return this.#store.get(place);
  }

  #mark(place: TimelinePlace, fromMs: number, isTouched = false): void {
    if ('address' in place && place.address !== undefined) this.#markListener?.(place.address);
    const key = placeKey(place);
    const marked = this.#marks.get(key);
    if (marked === undefined) {
      this.#marks.set(key, { place, fromMs, isTouched });
      this.#markedOf[place.of]++;
    } else if (fromMs < marked.fromMs || (isTouched && !marked.isTouched)) {
      const isEither = isTouched || marked.isTouched;
      this.#marks.set(key, { place, fromMs: Math.min(fromMs, marked.fromMs), isTouched: isEither });
    }
  }

  #unmark(key: string, { of }: TimelinePlace): void {
    if (this.#marks.delete(key)) this.#markedOf[of]--;
  }

  #writePlace(place: TimelinePlace): void {
    this.#writeNow(placeKey(place));
  }

  #writeNow(key: string): void {
    const mark = this.#marks.get(key);
    if (mark !== undefined) this.#write(key, mark);
  }

  #write(key: string, { place, fromMs, isTouched }: Mark): void {
    this.#unmark(key, place);
    const before = this.#store.get(place);
    const timeline = writeTimeline(place, before, fromMs, this.#options.sinceMs(), this.#options);
    if (timeline === undefined && before === undefined) return;
    this.#store.set(place, timeline);
    // Where only what is older than the history was left out, others may leave it out themselves.
    const isKnown = before !== undefined && fromMs === Number.POSITIVE_INFINITY;
    if (isKnown && timeline?.isInCluster === before.isInCluster && !isTouched) return;
    this.#listener?.(place, timeline, isTouched);
  }
}
