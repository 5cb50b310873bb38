// Ended claims wait here for the end of their retention, in the order in which they ended.
//
// Bounded by time, count and bytes; at a bound the oldest go first, and `forgottenUntilMs` says up to which moment the
// past is lost, so that no answer pretends to know what was dropped.

import type { Claim } from './claim.ts';

export interface EndedClaimsOptions {
  readonly retentionMs: number;
  readonly maxClaims: number;
  /** Of the entities that ended claims keep, and the claims themselves. */
  readonly maxBytes: number;
}

/** Heap of a claim with its place in timelines and queues, beside its entity: 631 bytes by test/bench/resolve.bench.ts. */
const CLAIM_BYTES = 640;

export class EndedClaims {
  readonly #options: EndedClaimsOptions;
  readonly #queue: { readonly claim: Claim; readonly endedAtMs: number }[] = [];
  /** Index of the oldest entry; the ones before it are gone and cut off now and then. */
  #head = 0;
  #bytes = 0;
  #forgottenUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: EndedClaimsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#queue.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Claims that ended up to here may be forgotten, other than by age. */
  get forgottenUntilMs(): number {
    return this.#forgottenUntilMs;
  }

  /** Takes a claim that ended; `endedAtMs` is our clock. */
  add(claim: Claim, endedAtMs: number): void {
    this.#queue.push({ claim, endedAtMs });
    this.#bytes += sizeOf(claim);
  }

  /** Takes out what is over the bounds, oldest first. */
  *expire(nowMs: number): Generator<Claim> {
    for (;;) {
      const oldest = this.#queue[this.#head];
      if (oldest === undefined) break;
      const tooOld = oldest.endedAtMs + this.#options.retentionMs < nowMs;
      const tooMany = this.count > this.#options.maxClaims || this.#bytes > this.#options.maxBytes;
      if (!tooOld && !tooMany) break;
      if (!tooOld) this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, oldest.endedAtMs);
      this.#head++;
      this.#bytes -= sizeOf(oldest.claim);
      yield oldest.claim;
    }
    // Cutting off half at a time keeps this O(1) per claim.
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

function sizeOf(claim: Claim): number {
  const { own, joined, values, rest } = claim.entity;
  // Some of it is shared with other entities, which only makes the bound a little tighter.
  return CLAIM_BYTES + own.length + joined.length + values.length + rest.length;
}
