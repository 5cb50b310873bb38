// How long a request has to wait so that its source does not ask more often than it may: the generic cell rate
// algorithm, one number per source. Nothing is refused; a source that asks too often is answered later, up to a longest
// wait that those who share its address can bear. From there on the bound on connections limits the rate.
//
// Bound: sources that are remembered. Beyond it the one that asked longest ago is forgotten, and starts over.

export interface SourceRatesOptions {
  readonly perSecond: number;
  /** Requests that may come at once after a pause. */
  readonly burst: number;
  readonly maxDelayMs: number;
  readonly maxSources: number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

export class SourceRates {
  readonly #options: SourceRatesOptions;
  /** Source → when everything that it asked for is paid; who asked last comes last. */
  readonly #paidAtMs = new Map<string, number>();

  constructor(options: SourceRatesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#paidAtMs.size;
  }

  /** Takes one request, and says how long its answer has to wait, in ms. */
  take(source: string): number {
    const { perSecond, burst, maxDelayMs, maxSources, nowMs } = this.#options;
    const costMs = 1_000 / perSecond;
    const now = nowMs();
    const freeMs = burst * costMs;
    const askedMs = Math.max(this.#paidAtMs.get(source) ?? now, now) + costMs;
    const paidAtMs = Math.min(askedMs, now + freeMs + maxDelayMs);
    this.#paidAtMs.delete(source);
    if (this.#paidAtMs.size >= maxSources) {
      const [oldest] = this.#paidAtMs.keys();
      if (oldest !== undefined) this.#paidAtMs.delete(oldest);
    }
    this.#paidAtMs.set(source, paidAtMs);
    return Math.max(0, paidAtMs - now - freeMs);
  }
}
