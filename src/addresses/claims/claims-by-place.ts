// The claims of all places by key. A place that has one claim and never had another, as nearly all places have, is just
// that claim: a list is made when there is something to tell.

import { wideMap } from '../../collections/wide-map.ts';
import { Claim } from './claim.ts';
import { type AskedPort, type ClaimsSince, hasPort, PlaceClaims } from './place-claims.ts';

export class ClaimsByPlace {
  readonly #places = wideMap<Claim | PlaceClaims>();

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** Takes a claim that was just opened. */
  add(key: string, claim: Claim): void {
    if (this.#places.has(key)) this.#listOf(key).add(claim);
    else this.#places.set(key, claim);
  }

  /** Moves a claim that was just ended to the past. */
  end(key: string, claim: Claim): void {
    this.#listOf(key).end(claim);
  }

  /** Forgets an ended claim; returns the claims that are left there. */
  forget(key: string, claim: Claim): Iterable<Claim> {
    const place = this.#places.get(key);
    if (place === undefined) return [];
    if (place instanceof Claim) return [place];
    place.forget(claim);
    if (place.isEmpty) this.#places.delete(key);
    return place.claims();
  }

  /** Changes what claims are found by: `change` is called while the claim is not here. */
  change(key: string, claim: Claim, change: () => void): void {
    const place = this.#places.get(key);
    if (place instanceof PlaceClaims) place.change(claim, change);
    else change();
  }

  /** As `PlaceClaims.around`. */
  around(key: string, atMs: number, slackMs: number, port?: AskedPort): Claim[] {
    const place = this.#places.get(key);
    if (place === undefined) return [];
    if (place instanceof PlaceClaims) return place.around(atMs, slackMs, port);
    return place.startEarliestMs <= atMs + slackMs && (port === undefined || hasPort(place, port)) ? [place] : [];
  }

  /** As `PlaceClaims.newest`. */
  newest(key: string, atMs: number, slackMs: number, limit: number): Claim[] {
    const place = this.#places.get(key);
    return place instanceof PlaceClaims ? place.newest(atMs, slackMs, limit) : this.around(key, atMs, slackMs);
  }

  /** As `PlaceClaims.since`. */
  since(key: string, sinceMs: number, slackMs: number, port?: AskedPort): ClaimsSince {
    const place = this.#places.get(key);
    if (place instanceof PlaceClaims) return place.since(sinceMs, slackMs, port);
    const isThere = place !== undefined && (port === undefined || hasPort(place, port));
    return { claims: isThere ? [place] : [], forgottenUntilMs: Number.NEGATIVE_INFINITY };
  }

  /** Whether a claim of the place is like that, open or ended. */
  some(key: string, matches: (claim: Claim) => boolean): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    return place instanceof PlaceClaims ? place.some(matches) : matches(place);
  }

  #listOf(key: string): PlaceClaims {
    const place = this.#places.get(key);
    if (place instanceof PlaceClaims) return place;
    const list = new PlaceClaims();
    if (place !== undefined) list.add(place);
    this.#places.set(key, list);
    return list;
  }
}
