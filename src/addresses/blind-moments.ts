// Moments at which the cluster was not followed: before the first picture was complete, in a gap of a watch that a list
// closed, and in the gap that is open now. An object may have come and gone unheard of then, so no answer about such a
// moment may say that no object held an address, or that one certainly did that was not seen before and after.
//
// Bounded by the retention and by a count; at the count the two oldest gaps become one that spans both, which errs on
// the side of not knowing.

const MAX_GAPS = 256;

interface Gap {
  readonly sinceMs: number;
  /** Infinity: it is open. */
  readonly untilMs: number;
}

export class BlindMoments {
  /** Closed ones, by start, not overlapping. */
  #gaps: readonly Gap[] = [];
  /** Before this nothing is known: the start, or the end of the last gap that was forgotten. */
  #unknownUntilMs = Number.NEGATIVE_INFINITY;
  readonly #openSinceMs: () => number | undefined;

  /** `openSinceMs`: when the gap began that is open now; `undefined` while everything is followed. */
  constructor(openSinceMs: () => number | undefined) {
    this.#openSinceMs = openSinceMs;
  }

  /** The first picture is complete. */
  begin(atMs: number): void {
    this.#unknownUntilMs = Math.max(this.#unknownUntilMs, atMs);
  }

  /** A gap was closed. */
  add(sinceMs: number, untilMs: number): void {
    let gap: Gap = { sinceMs, untilMs };
    const rest = this.#gaps.filter((other) => {
      if (other.untilMs < gap.sinceMs || other.sinceMs > gap.untilMs) return true;
      gap = { sinceMs: Math.min(gap.sinceMs, other.sinceMs), untilMs: Math.max(gap.untilMs, other.untilMs) };
      return false;
    });
    const gaps = [...rest, gap].sort((a, b) => a.sinceMs - b.sinceMs);
    const [first, second] = gaps;
    if (gaps.length > MAX_GAPS && first !== undefined && second !== undefined) {
      gaps.splice(0, 2, { sinceMs: first.sinceMs, untilMs: second.untilMs });
    }
    this.#gaps = gaps;
  }

  /** Whether the moment lies in the gap that is open: what holds on paper may have ended by then. */
  isOpenAt(atMs: number): boolean {
    const sinceMs = this.#openSinceMs();
    return sinceMs !== undefined && atMs >= sinceMs;
  }

  /** Whether a moment from `sinceMs` up to `untilMs` lies in a gap; about moments of the history. */
  overlap(sinceMs: number, untilMs: number): boolean {
    return this.#some((gap) => gap.sinceMs <= untilMs && gap.untilMs > sinceMs);
  }

  /**
   * Whether something that was first seen at `sinceMs` may by `untilMs` have changed in a gap, the one before its first
   * sight included. Gaps that were forgotten and the time before the first picture count too.
   */
  mayHaveHidden(sinceMs: number, untilMs: number): boolean {
    if (this.#unknownUntilMs >= sinceMs) return true;
    return this.#some((gap) => gap.sinceMs <= untilMs && gap.untilMs >= sinceMs);
  }

  /** Forgets gaps that ended before `beforeMs`. */
  expire(beforeMs: number): void {
    for (const { untilMs } of this.#gaps) if (untilMs < beforeMs) this.begin(untilMs);
    this.#gaps = this.#gaps.filter(({ untilMs }) => untilMs >= beforeMs);
  }

  #some(matches: (gap: Gap) => boolean): boolean {
    const openSinceMs = this.#openSinceMs();
    if (openSinceMs !== undefined && matches({ sinceMs: openSinceMs, untilMs: Number.POSITIVE_INFINITY })) return true;
    return this.#gaps.some(matches);
  }
}
