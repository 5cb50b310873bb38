// The claims of one place through time: who holds it now, and who held it before.
//
// Finding the claims at a moment costs a binary search plus the claims that overlap there, not the number of past
// holders: ended claims stand in the order of their start, each with the latest end among itself and those before it,
// so that a walk back from the moment can stop where nobody before can reach it.

import type { Claim } from './claim.ts';

export class Timeline {
  readonly #open: Claim[] = [];
  /** By `startEarliestMs`, ascending. */
  readonly #ended: Claim[] = [];
  /** `#reach[i]` = latest end among `#ended[0..i]`. */
  readonly #reach: number[] = [];

  get isEmpty(): boolean {
    return this.#open.length === 0 && this.#ended.length === 0;
  }

  get open(): readonly Claim[] {
    return this.#open;
  }

  /** Takes a claim that was just opened. */
  add(claim: Claim): void {
    this.#open.push(claim);
  }

  /** Moves a claim that was just ended to the past. */
  end(claim: Claim): void {
    const at = this.#open.indexOf(claim);
    if (at === -1) throw new Error('the claim is not open on this timeline');
    this.#open.splice(at, 1);
    const place = this.#startedBy(claim.startEarliestMs);
    this.#ended.splice(place, 0, claim);
    this.#reach.splice(place, 0, 0);
    this.#renewReach(place);
  }

  /** Forgets an ended claim; one that is already forgotten is no error. */
  forget(claim: Claim): void {
    const at = this.#ended.indexOf(claim);
    if (at === -1) return;
    this.#ended.splice(at, 1);
    this.#reach.splice(at, 1);
    this.#renewReach(at);
  }

  /**
   * The claims that may reach the moment, give or take `slackMs`, and at least the last ended one that had started by
   * then: a successor that has come and gone still tells that its predecessor lost the place.
   */
  *around(atMs: number, slackMs: number): Generator<Claim> {
    for (const claim of this.#open) {
      if (claim.startEarliestMs <= atMs + slackMs) yield claim;
    }
    let last = true;
    for (let i = this.#startedBy(atMs + slackMs) - 1; i >= 0; i--) {
      const reach = this.#reach[i];
      if (!last && (reach === undefined || reach + slackMs < atMs)) return;
      const claim = this.#ended[i];
      if (claim === undefined) return;
      // A claim that starts after the moment (within the slack) is not yet the last one that had started.
      if (claim.startEarliestMs <= atMs) last = false;
      yield claim;
    }
  }

  /** How many ended claims had started by then. */
  #startedBy(atMs: number): number {
    let low = 0;
    let high = this.#ended.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const claim = this.#ended[middle];
      if (claim !== undefined && claim.startEarliestMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #renewReach(from: number): void {
    let reach = from === 0 ? Number.NEGATIVE_INFINITY : (this.#reach[from - 1] ?? Number.NEGATIVE_INFINITY);
    for (let i = from; i < this.#ended.length; i++) {
      reach = Math.max(reach, this.#ended[i]?.endLatestMs ?? Number.POSITIVE_INFINITY);
      if (this.#reach[i] === reach && i > from) return;
      this.#reach[i] = reach;
    }
  }
}
