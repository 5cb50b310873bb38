// How much expensive work each caller may ask for in a second: a bucket for each, which fills at a steady rate and
// holds a few seconds of it.
//
// Costs are counted in looked-up addresses, which is what work here is measured in. What is cheap (one lookup, an
// answer from the status service) costs nothing and is never refused: a pipeline's normal load is not what this is
// about. Bounded: beyond `maxCallers` the one that was longest silent is forgotten, most likely with a full bucket,
// which is what it would get when it comes back. More callers than that at once are a matter for authentication.

export interface CallerRateOptions {
  /** What flows into each bucket; above 0. */
  readonly perSecond: number;
  readonly maxCallers: number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** What calls cost, in looked-up addresses; a batch costs one for each of its queries. */
export const CALL_COSTS = {
  /** A lookup that has to wait: a timer, a waiter, and work for each change that might be it. */
  wait: 10,
  /** A subscription begins with a snapshot or a catch-up: the work of a largest batch and more. */
  subscription: 1_000,
} as const;

/** Whether the caller may, or how long it has to wait until it may. */
export type RateVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly left: number; readonly retryAfterMs: number };

/** Seconds of its rate that a caller may save up: a fleet behind one address that comes back after a restart. */
export const BURST_SECONDS = 5;

export class CallerRates {
  readonly perSecond: number;
  readonly #capacity: number;
  readonly #maxCallers: number;
  readonly #nowMs: () => number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, maxCallers, nowMs }: CallerRateOptions) {
    this.perSecond = perSecond;
    this.#capacity = perSecond * BURST_SECONDS;
    this.#maxCallers = maxCallers;
    this.#nowMs = nowMs;
  }

  /** Callers that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `cost` from the caller's bucket, or nothing when there is not so much in it. */
  take(caller: string, cost: number): RateVerdict {
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(caller);
    const left = bucket === undefined ? this.#capacity : this.#levelOf(bucket, nowMs);
    // Used last now, also when it gets nothing: who asks too much is not forgotten for it.
    if (bucket !== undefined) this.#buckets.delete(caller);
    else if (this.#buckets.size >= this.#maxCallers) this.#forgetOldest();
    // What a bucket can never hold is let through when it is full: the bound is on the rate, not on one call.
    const allowed = left >= Math.min(cost, this.#capacity);
    this.#buckets.set(caller, { level: allowed ? left - cost : left, atMs: nowMs });
    if (allowed) return { allowed };
    const missing = Math.min(cost, this.#capacity) - left;
    return { allowed, left: Math.max(0, Math.floor(left)), retryAfterMs: Math.ceil((missing / this.perSecond) * 1000) };
  }

  #levelOf({ level, atMs }: Bucket, nowMs: number): number {
    return Math.min(this.#capacity, level + ((nowMs - atMs) / 1000) * this.perSecond);
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

interface Bucket {
  /** Below 0 after a call that cost more than the bucket holds. */
  readonly level: number;
  readonly atMs: number;
}
