// Moments at which nobody was looking: a watch was down and the gap was closed by a relist, so an object may have come
// and gone unheard of. A question about such a moment must never be answered "nobody".
//
// Bounded by the retention and by a count; at the count the two oldest gaps become one that spans both, which errs on the
// side of not knowing.

const MAX_GAPS = 256;

export class BlindMoments {
  /** By start, not overlapping. */
  readonly #gaps: { sinceMs: number; untilMs: number }[] = [];
  /** Nobody is known to have looked before: the start, or the end of the last gap that was forgotten. */
  #unknownUntilMs = Number.NEGATIVE_INFINITY;

  /** The first picture is complete; before that nobody was looking. */
  begin(atMs: number): void {
    this.#unknownUntilMs = Math.max(this.#unknownUntilMs, atMs);
  }

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

  /** Whether a moment from `sinceMs` up to `untilMs` lies in a gap; about moments of the history. */
  overlap(sinceMs: number, untilMs: number): boolean {
    return this.#gaps.some((gap) => gap.sinceMs <= untilMs && gap.untilMs > sinceMs);
  }

  /**
   * Whether something that was first seen at `sinceMs` may by `untilMs` have changed in a gap, the one before its first
   * sight included. Gaps that were forgotten and the time before the first picture count too.
   */
  mayHaveHidden(sinceMs: number, untilMs: number): boolean {
    if (this.#unknownUntilMs >= sinceMs) return true;
    return this.#gaps.some((gap) => gap.sinceMs <= untilMs && gap.untilMs >= sinceMs);
  }

  /** Forgets gaps that ended before `beforeMs`. */
  expire(beforeMs: number): void {
    for (let first = this.#gaps[0]; first !== undefined && first.untilMs < beforeMs; first = this.#gaps[0]) {
      this.begin(first.untilMs);
      this.#gaps.shift();
    }
  }
}
