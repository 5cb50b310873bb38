// Moments at which the cluster was not followed: before the first picture was complete, and in a gap of a watch that a
// list closed. An object may have come and gone unheard of then, so no answer about such a moment may say that no
// object held an address, or that one certainly did that was not seen before and after; see src/timelines/facts.ts.
//
// Bounded by the retention and by a count; at the count the two oldest gaps become one that spans both, which errs on
// the side of not knowing.

import type { BlindMoment } from '../../timelines/facts.ts';

const MAX_GAPS = 256;

export class BlindMoments {
  /** Closed ones, by start, not overlapping. */
  #gaps: readonly BlindMoment[] = [];
  /** Before this nothing is known: the start, or the end of the last gap that was forgotten. */
  #unknownUntilMs = Number.NEGATIVE_INFINITY;

  get gaps(): readonly BlindMoment[] {
    return this.#gaps;
  }

  get unknownUntilMs(): number {
    return this.#unknownUntilMs;
  }

  /** The first picture is complete. */
  begin(atMs: number): void {
    this.#unknownUntilMs = Math.max(this.#unknownUntilMs, atMs);
  }

  /** Another replica knows what was before the first picture, but for these gaps, since `unknownUntilMs`. */
  inherit(gaps: readonly BlindMoment[], unknownUntilMs: number): void {
    this.#unknownUntilMs = unknownUntilMs;
    for (const { sinceMs, untilMs } of gaps) this.add(sinceMs, untilMs);
  }

  /** A gap was closed. */
  add(sinceMs: number, untilMs: number): void {
    let gap: BlindMoment = { sinceMs, untilMs };
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

  /** Forgets gaps that ended before `beforeMs`. */
  expire(beforeMs: number): void {
    if (!this.#gaps.some(({ untilMs }) => untilMs < beforeMs)) return;
    for (const { untilMs } of this.#gaps) if (untilMs < beforeMs) this.begin(untilMs);
    this.#gaps = this.#gaps.filter(({ untilMs }) => untilMs >= beforeMs);
  }
}
