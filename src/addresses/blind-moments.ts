// Moments at which nobody was looking: a watch was down and the gap was closed by a relist, so an object may have come
// and gone unheard of. A question about such a moment must never be answered "nobody".
//
// Bounded by the retention and by a count; at the count the two oldest gaps become one that spans both, which errs on the
// side of not knowing.

const MAX_GAPS = 256;

export class BlindMoments {
  /** By start, not overlapping. */
  readonly #gaps: { sinceMs: number; untilMs: number }[] = [];

  /** Nobody looked from `sinceMs` until `untilMs`. */
  add(sinceMs: number, untilMs: number): void {
    const gap = { sinceMs, untilMs };
    const rest = this.#gaps.filter((other) => {
      if (other.untilMs < gap.sinceMs || other.sinceMs > gap.untilMs) return true;
      gap.sinceMs = Math.min(gap.sinceMs, other.sinceMs);
      gap.untilMs = Math.max(gap.untilMs, other.untilMs);
      return false;
    });
    rest.push(gap);
    rest.sort((a, b) => a.sinceMs - b.sinceMs);
    const [first, second] = rest;
    if (rest.length > MAX_GAPS && first !== undefined && second !== undefined) {
      rest.splice(0, 2, { sinceMs: first.sinceMs, untilMs: second.untilMs });
    }
    this.#gaps.splice(0, this.#gaps.length, ...rest);
  }

  /** Whether the moment lies in a gap. */
  includes(atMs: number): boolean {
    return this.#gaps.some((gap) => gap.sinceMs <= atMs && atMs < gap.untilMs);
  }

  /** Forgets gaps that ended before `beforeMs`. */
  expire(beforeMs: number): void {
    while (this.#gaps[0] !== undefined && this.#gaps[0].untilMs < beforeMs) this.#gaps.shift();
  }
}
