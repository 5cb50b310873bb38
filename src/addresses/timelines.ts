// The timelines of all places by key. A place that has one claim and never had another, as nearly all places have, is
// just that claim: a timeline is made when there is something to tell.

import { Claim } from './claim.ts';
import { type AskedPort, hasPort, Timeline } from './timeline.ts';

export class Timelines {
  readonly #places = new Map<string, Claim | Timeline>();

  /** Takes a claim that was just opened. */
  add(key: string, claim: Claim): void {
    if (this.#places.has(key)) this.#timeline(key).add(claim);
    else this.#places.set(key, claim);
  }

  /** Moves a claim that was just ended to the past. */
  end(key: string, claim: Claim): void {
    this.#timeline(key).end(claim);
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

  /** As `Timeline.around`. */
  around(key: string, atMs: number, slackMs: number, port?: AskedPort): Claim[] {
    const place = this.#places.get(key);
    if (place === undefined) return [];
    if (place instanceof Timeline) return place.around(atMs, slackMs, port);
    return place.startEarliestMs <= atMs + slackMs && (port === undefined || hasPort(place, port)) ? [place] : [];
  }

  /** As `Timeline.newest`. */
  newest(key: string, atMs: number, slackMs: number, limit: number): Claim[] {
    const place = this.#places.get(key);
    return place instanceof Timeline ? place.newest(atMs, slackMs, limit) : this.around(key, atMs, slackMs);
  }

  /** Whether a claim of the place is like that, open or ended. */
  some(key: string, matches: (claim: Claim) => boolean): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    return place instanceof Timeline ? place.some(matches) : matches(place);
  }

  #timeline(key: string): Timeline {
    const place = this.#places.get(key);
    if (place instanceof Timeline) return place;
    const timeline = new Timeline();
    if (place !== undefined) timeline.add(place);
    this.#places.set(key, timeline);
    return timeline;
  }
}
