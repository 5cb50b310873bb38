// The claims of one place through time: who holds it now, and who held it before.
//
// Finding the claims at a moment costs a binary search plus the claims that overlap there, not the number of past
// holders: ended claims stand in the order of their start, each with the latest end among itself and those before it,
// so that a walk back from the moment can stop where no claim before can reach it. Where many services share an
// address, its open claims are found by port.

import type { Claim } from './claim.ts';
import type { PortNumber } from '../../model/entities.ts';
import { PortIndex } from './port-index.ts';

/** A port that is asked for; without a protocol: any. */
export type AskedPort = Pick<PortNumber, 'port'> & Partial<PortNumber>;

export interface ClaimsSince {
  readonly claims: readonly Claim[];
  /** What ended up to here is left out. */
  readonly forgottenUntilMs: number;
}

/** A timeline is not written from more ended claims: it would have more spans than are kept. */
const MAX_ENDED = 8_192;

/** Up to so many open claims are looked through for a port. */
const FEW = 32;

export class PlaceClaims {
  readonly #open: Claim[] = [];
  #past: Past | undefined;
  /** Of `#open`, made for the first question that needs it; `too large`: none is kept while the claims are many. */
  #ports: PortIndex | 'too large' | undefined;

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
    if (!(this.#ports instanceof PortIndex)) return;
    this.#ports.add(claim);
    if (this.#ports.isTooLarge) this.#ports = 'too large';
  }

  /** Moves a claim that was just ended to the past. */
  end(claim: Claim): void {
    const at = this.#open.indexOf(claim);
    if (at === -1) throw new Error('the claim is not open in this place');
    this.#open.splice(at, 1);
    if (this.#open.length <= FEW) this.#ports = undefined;
    else if (this.#ports instanceof PortIndex) this.#ports.delete(claim);
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

  /** Changes the start of a claim, by which ended ones are ordered. */
  change(claim: Claim, change: () => void): void {
    const isEnded = this.#past?.ended.includes(claim) === true;
    if (isEnded) this.forget(claim);
    change();
    if (!isEnded) return;
    this.#open.push(claim);
    this.end(claim);
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
   * then: a successor that has come and gone still tells that its predecessor lost the place. `port`: only claims of
   * services that have it.
   */
  around(atMs: number, slackMs: number, port?: AskedPort): Claim[] {
    const found: Claim[] = [];
    for (const claim of port === undefined ? this.#open : this.#openWith(port.port)) {
      if (claim.startEarliestMs <= atMs + slackMs && (port === undefined || hasPort(claim, port))) found.push(claim);
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
      if (port === undefined || hasPort(claim, port)) found.push(claim);
    }
    return found;
  }

  /** The open claims, and the ended ones that reach the moment, the newest of them where they are very many. */
  since(sinceMs: number, slackMs: number, port?: AskedPort): ClaimsSince {
    const claims: Claim[] = [];
    for (const claim of port === undefined ? this.#open : this.#openWith(port.port)) {
      if (port === undefined || hasPort(claim, port)) claims.push(claim);
    }
    const { ended, reach } = this.#past ?? NO_PAST;
    for (let i = ended.length - 1; i >= 0; i--) {
      const reachMs = reach[i] ?? 0;
      if (reachMs + slackMs < sinceMs) break;
      if (ended.length - i > MAX_ENDED) return { claims, forgottenUntilMs: reachMs + slackMs };
      const claim = ended[i];
      if (claim !== undefined && (port === undefined || hasPort(claim, port))) claims.push(claim);
    }
    return { claims, forgottenUntilMs: Number.NEGATIVE_INFINITY };
  }

  /** At most `limit` claims that may reach the moment, those that were opened last; where thousands share a place. */
  newest(atMs: number, slackMs: number, limit: number): Claim[] {
    const found: Claim[] = [];
    for (let i = this.#open.length - 1; i >= 0 && found.length < limit; i--) {
      const claim = this.#open[i];
      if (claim !== undefined && claim.startEarliestMs <= atMs + slackMs) found.push(claim);
    }
    const { ended, reach } = this.#past ?? NO_PAST;
    for (let i = startedBy(ended, atMs + slackMs) - 1; i >= 0 && found.length < 2 * limit; i--) {
      const claim = ended[i];
      if (claim === undefined || (reach[i] ?? 0) + slackMs < atMs) break;
      if ((claim.endLatestMs ?? 0) + slackMs >= atMs) found.push(claim);
    }
    return found;
  }

  /** Open claims among which are all that have the port. */
  #openWith(port: number): readonly Claim[] {
    if (this.#open.length <= FEW || this.#ports === 'too large') return this.#open;
    if (this.#ports === undefined) {
      const index = new PortIndex(this.#open);
      this.#ports = index.isTooLarge ? 'too large' : index;
    }
    return this.#ports instanceof PortIndex ? this.#ports.get(port) : this.#open;
  }
}

/** Whether it is the claim of a service with this port. */
export function hasPort({ place }: Claim, { port, protocol }: AskedPort): boolean {
  return typeof place === 'object' && place.on === 'services' && place.ports?.has(port, protocol) === true;
}

interface Past {
  /** By `startEarliestMs`, ascending. */
  readonly ended: Claim[];
  /** `reach[i]` = latest end among `ended[0..i]`. */
  readonly reach: number[];
}

const NO_PAST: Past = { ended: [], reach: [] };

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
