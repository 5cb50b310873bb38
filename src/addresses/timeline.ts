// The claims of one place through time: who holds it now, and who held it before.
//
// Finding the claims at a moment costs a binary search plus the claims that overlap there, not the number of past
// holders: ended claims stand in the order of their start, each with the latest end among itself and those before it,
// so that a walk back from the moment can stop where nobody before can reach it.

import type { Claim } from './claim.ts';

export class Timeline {
  readonly #open: Claim[] = [];
  #past: Past | undefined;

  get isEmpty(): boolean {
    return this.#open.length === 0 && this.#past === undefined;
  }

  get open(): readonly Claim[] {
    return this.#open;
  }

  /** Whether one of its claims is like that, open or ended. */
  some(matches: (claim: Claim) => boolean): boolean {
    return this.#open.some(matches) || (this.#past?.ended.some(matches) ?? false);
  }

  /** All of its claims. */
  *claims(): Generator<Claim> {
    yield* this.#open;
    if (this.#past !== undefined) yield* this.#past.ended;
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
    if (this.#past === undefined) {
      this.#past = { ended: [claim], reach: [claim.endLatestMs ?? Number.POSITIVE_INFINITY] };
      return;
    }
    const { ended, reach } = this.#past;
    const place = startedBy(ended, claim.startEarliestMs);
    ended.splice(place, 0, claim);
    reach.splice(place, 0, 0);
    renewReach(this.#past, place);
  }

  /** Forgets an ended claim; one that is already forgotten is no error. */
  forget(claim: Claim): void {
    if (this.#past === undefined) return;
    const { ended, reach } = this.#past;
    const at = ended.indexOf(claim);
    if (at === -1) return;
    ended.splice(at, 1);
    reach.splice(at, 1);
    if (ended.length === 0) this.#past = undefined;
    else renewReach(this.#past, at);
  }

  /**
   * The claims that may reach the moment, give or take `slackMs`, and at least the last ended one that had started by
   * then: a successor that has come and gone still tells that its predecessor lost the place.
   */
  around(atMs: number, slackMs: number): Claim[] {
    const found: Claim[] = [];
    for (const claim of this.#open) {
      if (claim.startEarliestMs <= atMs + slackMs) found.push(claim);
    }
    if (this.#past === undefined) return found;
    const { ended, reach } = this.#past;
    let last = true;
    for (let i = startedBy(ended, atMs + slackMs) - 1; i >= 0; i--) {
      const reachMs = reach[i];
      if (!last && (reachMs === undefined || reachMs + slackMs < atMs)) break;
      const claim = ended[i];
      if (claim === undefined) break;
      // A claim that may have started after the moment is not yet the last one that had started.
      if (claim.startLatestMs <= atMs) last = false;
      found.push(claim);
    }
    return found;
  }
}

interface Past {
  /** By `startEarliestMs`, ascending. */
  readonly ended: Claim[];
  /** `reach[i]` = latest end among `ended[0..i]`. */
  readonly reach: number[];
}

/** How many of the ended claims had started by then. */
function startedBy(ended: readonly Claim[], atMs: number): number {
  let low = 0;
  let high = ended.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const claim = ended[middle];
    if (claim !== undefined && claim.startEarliestMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function renewReach({ ended, reach }: Past, from: number): void {
  let reachMs = from === 0 ? Number.NEGATIVE_INFINITY : (reach[from - 1] ?? Number.NEGATIVE_INFINITY);
  for (let i = from; i < ended.length; i++) {
    reachMs = Math.max(reachMs, ended[i]?.endLatestMs ?? Number.POSITIVE_INFINITY);
    if (reach[i] === reachMs && i > from) return;
    reach[i] = reachMs;
  }
}
