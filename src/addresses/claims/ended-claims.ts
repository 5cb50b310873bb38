// Ended claims wait here for the end of their retention, in the order in which they ended.
//
// Bounded by time, count and bytes; at a bound the oldest go first, and `forgottenUntilMs` says up to which moment the
// past is lost, so that no answer pretends to know what was dropped. No object may fill more than a share: one that
// does loses its own oldest claims first, and `incompleteUntilMs` says up to which moment one may be missing.

import { hashOfText, WideMap, wideMap } from '../../collections/wide-map.ts';
import type { Claim, HolderEntity } from './claim.ts';

export interface EndedClaimsOptions {
  readonly retentionMs: number;
  readonly maxClaims: number;
  /** Of the entities that ended claims keep, and the claims themselves. */
  readonly maxBytes: number;
}

/** Heap of a claim with its place in timelines and queues, beside its entity; by test/bench/resolve.bench.ts. */
const CLAIM_BYTES = 760;

/** What one object may have of the count and of the bytes: a sixteenth. */
const SHARES = 16;

interface Entry {
  readonly claim: Claim;
  readonly endedAtMs: number;
  /** The next one of the same object. */
  next: Entry | undefined;
  isForgotten: boolean;
}

/** The ended claims of one object, oldest first. */
interface Share {
  first: Entry;
  last: Entry;
  count: number;
  bytes: number;
}

export class EndedClaims {
  readonly #options: EndedClaimsOptions;
  #queue: Entry[] = [];
  /** Index of the oldest entry; the ones before it are gone and cut off now and then. */
  #head = 0;
  #count = 0;
  #bytes = 0;
  readonly #shares = wideMap<Share>();
  /** Entities that ended claims keep, with the number of claims that do. */
  readonly #kept = new WideMap<HolderEntity, number>(({ uid }) => hashOfText(uid));
  #forgottenUntilMs = Number.NEGATIVE_INFINITY;
  #incompleteUntilMs = Number.NEGATIVE_INFINITY;
  #shareDrops = 0;

  constructor(options: EndedClaimsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Claims that ended up to here may be forgotten, other than by age. */
  get forgottenUntilMs(): number {
    return this.#forgottenUntilMs;
  }

  /** Claims that ended up to here may be forgotten for the objects that had too many of them. */
  get incompleteUntilMs(): number {
    return this.#incompleteUntilMs;
  }

  /** How many were forgotten because their object had more than its share. */
  get shareDrops(): number {
    return this.#shareDrops;
  }

  has(uid: string): boolean {
    return this.#shares.has(uid);
  }

  /** Every entity that ended claims keep, some of them in several states. */
  entities(): Iterable<HolderEntity> {
    return this.#kept.keys();
  }

  /** The ended claims of an object, oldest first. */
  *of(uid: string): Generator<Claim> {
    for (let entry = this.#shares.get(uid)?.first; entry !== undefined; entry = entry.next) yield entry.claim;
  }

  /** Takes a claim that ended; `endedAtMs` is our clock. Returns what has to be forgotten for its object's share. */
  add(claim: Claim, endedAtMs: number): readonly Claim[] {
    const entry: Entry = { claim, endedAtMs, next: undefined, isForgotten: false };
    this.#queue.push(entry);
    this.#count += 1;
    const bytes = CLAIM_BYTES + this.#keep(claim.entity);
    this.#bytes += bytes;
    const { uid } = claim.entity;
    const share = this.#shares.get(uid);
    if (share === undefined) {
      this.#shares.set(uid, { first: entry, last: entry, count: 1, bytes });
      return NONE;
    }
    share.last.next = entry;
    share.last = entry;
    share.count += 1;
    share.bytes += bytes;
    const dropped: Claim[] = [];
    while (this.#isTooLarge(share)) {
      this.#incompleteUntilMs = Math.max(this.#incompleteUntilMs, share.first.endedAtMs);
      this.#shareDrops += 1;
      dropped.push(this.#take(share.first));
    }
    // What a share drops stands in the middle of the queue. Cutting it out when it is half keeps this O(1) per claim.
    if (this.#queue.length > 1_024 + 2 * this.#count) {
      this.#queue = this.#queue.slice(this.#head).filter(({ isForgotten }) => !isForgotten);
      this.#head = 0;
    }
    return dropped;
  }

  /** There are more than the bounds allow. */
  get isOverBounds(): boolean {
    return this.#count > this.#options.maxClaims || this.#bytes > this.#options.maxBytes;
  }

  /** All of them with the moment at which each was known to have ended, oldest first. */
  entries(): readonly { readonly claim: Claim; readonly endedAtMs: number }[] {
    return this.#queue.slice(this.#head).filter(({ isForgotten }) => !isForgotten);
  }

  /**
   * Takes claims that another replica knows of, among those that are here, in the order of their ends. Returns what has
   * to be forgotten for the share of an object; what is over other bounds goes with the next `expire`.
   */
  inherit(
    claims: readonly { readonly claim: Claim; readonly endedAtMs: number }[],
    { incompleteUntilMs }: { readonly incompleteUntilMs: number },
  ): readonly Claim[] {
    const all = [...this.entries(), ...claims].sort((a, b) => a.endedAtMs - b.endedAtMs);
    this.#queue = [];
    this.#head = 0;
    this.#count = 0;
    this.#bytes = 0;
    this.#shares.clear();
    this.#kept.clear();
    this.#incompleteUntilMs = Math.max(this.#incompleteUntilMs, incompleteUntilMs);
    return all.flatMap(({ claim, endedAtMs }) => this.add(claim, endedAtMs));
  }

  /** Takes out what is over the bounds, oldest first. To be left at any time. */
  *expire(nowMs: number): Generator<Claim> {
    try {
      for (;;) {
        const oldest = this.#queue[this.#head];
        if (oldest === undefined) return;
        const tooOld = oldest.endedAtMs + this.#options.retentionMs < nowMs;
        if (!oldest.isForgotten) {
          if (!tooOld && !this.isOverBounds) return;
          if (!tooOld) this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, oldest.endedAtMs);
          yield this.#take(oldest);
        }
        this.#head++;
      }
    } finally {
      // Cutting off half at a time keeps this O(1) per claim.
      if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
        this.#queue.splice(0, this.#head);
        this.#head = 0;
      }
    }
  }

  /** The last one stays, however large it is: the bound on all claims is there for that. */
  #isTooLarge({ count, bytes }: Share): boolean {
    const { maxClaims, maxBytes } = this.#options;
    return count > 1 && (count > maxClaims / SHARES || bytes > maxBytes / SHARES);
  }

  /** Takes out the oldest entry of its object: entries are added and go in the order in which they ended. */
  #take(entry: Entry): Claim {
    const { claim } = entry;
    entry.isForgotten = true;
    const bytes = CLAIM_BYTES + this.#release(claim.entity);
    this.#count -= 1;
    this.#bytes -= bytes;
    const share = this.#shares.get(claim.entity.uid);
    if (share !== undefined && entry.next !== undefined) {
      share.first = entry.next;
      share.count -= 1;
      share.bytes -= bytes;
    } else this.#shares.delete(claim.entity.uid);
    return claim;
  }

  /** Bytes that the entity adds: those of a second claim of the same state are there already. */
  #keep(entity: HolderEntity): number {
    const count = this.#kept.get(entity) ?? 0;
    this.#kept.set(entity, count + 1);
    return count === 0 ? sizeOf(entity) : 0;
  }

  #release(entity: HolderEntity): number {
    const count = (this.#kept.get(entity) ?? 0) - 1;
    if (count > 0) this.#kept.set(entity, count);
    else this.#kept.delete(entity);
    return count > 0 ? 0 : sizeOf(entity);
  }
}

function sizeOf({ own, joined, values, rest }: HolderEntity): number {
  // Some of it is shared with other entities, which only makes the bound a little tighter.
  return own.length + joined.length + values.length + rest.length;
}

const NONE: readonly Claim[] = Object.freeze([]);
