// What a reflector was told, and so what it has a reason to ask for. Anything else that it asks for is a problem.
//
// The rules: a watch goes on from the last version whose every event was used up, never from before or behind; a list
// needs an excuse, which an answer about the version can give, or three requests from one version that came to nothing;
// a list goes on from there too, but for the very first one, and those that were told that the version itself is of no
// use; no watch goes on from a version that a restored server has not reached; and no reflector asks in a loop.

import { REPEATED_FAILURES } from '../../../src/kube/reflector/position.ts';
import type { Status } from '../../../src/simulator/server/error-status.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** More requests than this without any time passing are a loop. */
const MAX_REQUESTS_AT_ONCE = 20;

export class RequestAccount {
  readonly problems: string[] = [];
  /** All requests, with the time of each. */
  readonly requests: string[] = [];
  lists = 0;
  resumes = 0;
  /** Lists of one object, asked for before a watch goes on. */
  checks = 0;
  /** What the reflector was told did never happen; a list corrects it. */
  isLost = false;
  /** Called with the version of each watch that goes on from somewhere. */
  onResume: (version: bigint) => void = () => {};
  readonly #clock: VirtualClock;
  /** Up to here everything was used up; `undefined` before the first list. */
  #told: bigint | undefined;
  /** The highest that was handed over; what a piece with damage in it held may have been used or not. */
  #offered = 0n;
  #mayList = true;
  #mayAskForLatest = true;
  #atOnce = { atMs: 0, count: 0 };
  /** Watches that were asked for from one version in a row; the one that got there may have failed first. */
  #fromOneVersion = { version: '', times: 0 };

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  offered(version: bigint): void {
    if (version > this.#offered) this.#offered = version;
  }

  told(version: bigint): void {
    if (this.#told !== undefined) this.#told = version;
  }

  /** The store has a list. */
  committed(version: bigint): void {
    this.#told = version;
    if (this.isLost) this.#offered = 0n;
    // One piece may hold the end of a list and what follows it.
    this.offered(version);
    this.isLost = false;
    this.#mayList = false;
    this.#mayAskForLatest = false;
  }

  /** The reflector gets this for an answer. */
  excuse(status: Status, isList: boolean): void {
    const { code, reason } = status;
    const isTooLarge = code === 504;
    const isRejected = code === 400 || code === 422;
    if (isTooLarge || isRejected || code === 410 || reason === 'StoreReadError') this.#mayList = true;
    if (isTooLarge || isRejected || (code === 410 && isList)) this.#mayAskForLatest = true;
  }

  /** False: a loop. */
  enter(query: URLSearchParams): boolean {
    const nowMs = this.#clock.now();
    this.requests.push(`${nowMs % 1_000_000_000} ${query}`);
    this.#atOnce = { atMs: nowMs, count: this.#atOnce.atMs === nowMs ? this.#atOnce.count + 1 : 1 };
    if (this.#atOnce.count > MAX_REQUESTS_AT_ONCE) {
      this.problems.push(`${this.#atOnce.count} requests without any time between them`);
      return false;
    }
    const problem = this.#judge(query);
    if (problem !== undefined) {
      this.problems.push(`${problem}: ${query}; told everything up to ${this.#told}, offered ${this.#offered}`);
    }
    return true;
  }

  #judge(query: URLSearchParams): string | undefined {
    const version = query.get('resourceVersion');
    const isWatch = query.get('watch') === 'true';
    if (isWatch && query.get('allowWatchBookmarks') !== 'true') return 'a watch without bookmarks';
    if (query.has('continue')) return version === null ? undefined : 'a version travels with continue';
    if (isWatch && !query.has('sendInitialEvents')) {
      this.resumes += 1;
      this.onResume(BigInt(version ?? -1));
      this.#countFrom(version ?? '');
      return this.#standsAt(version) ? undefined : 'a watch that does not go on from where it stood';
    }
    if (query.get('limit') === '1') {
      this.checks += 1;
      this.#countFrom(version ?? '');
      return this.#standsAt(version) ? undefined : 'a check of another version than where it stood';
    }
    this.lists += 1;
    const isRepeated = this.#fromOneVersion.times >= REPEATED_FAILURES - 1;
    if (!this.#mayList && !isRepeated) return 'a list where a watch could have gone on';
    if (version === null) return this.#mayAskForLatest ? undefined : 'a list of the latest without need';
    if (version === '0') return this.#told === undefined ? undefined : 'a list that may go back in time';
    if (query.has('limit') && query.get('resourceVersionMatch') !== 'NotOlderThan') return 'a list of the exact past';
    return this.#standsAt(version) ? undefined : 'a list that may go back in time';
  }

  #countFrom(version: string): void {
    const { version: before, times } = this.#fromOneVersion;
    this.#fromOneVersion = { version, times: before === version ? times + 1 : 1 };
  }

  #standsAt(version: string | null): boolean {
    if (version === null || this.#told === undefined) return false;
    return BigInt(version) >= this.#told && BigInt(version) <= this.#offered;
  }
}
