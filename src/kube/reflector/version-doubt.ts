// Whether the server that came back may never have heard of the version that a watch goes on from.
//
// A kube-apiserver whose storage was restored from a backup accepts a watch from a version that it has not reached yet,
// and is silent until it has: no events, and no bookmarks either (k8s.io/apiserver, cacher: cacheWatcher.process). A
// list from that version is refused as too large, but after an outage hardly any server was restored, and twelve lists
// for nothing are not asked of one that has just come back. So the silence has to tell: bookmarks arrive about once a
// minute, so none for as long as the shortest watch lasts is reason enough for a list. A server that sends no bookmarks
// at all is asked for that list too, once after each loss, where nothing else arrives. One that reached the version
// again, before the watch or during it, cannot be told from one that was never away
// (docs/decisions/silence-after-a-restore.md).

import type { Clock } from '../clock.ts';

/** The shortest watch that is asked for: about five bookmarks. */
const SUSPICIOUS_SILENCE_MS = 300_000;

export class VersionDoubt {
  readonly #clock: Clock;
  #isDoubtful = false;
  /** Since when a watch is up that says nothing. */
  #silentSinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A watch ended otherwise than planned, or could not begin: by the next one the server may be another. */
  lost(): void {
    this.#isDoubtful = true;
    this.#silentSinceMs = undefined;
  }

  /** A watch was accepted. */
  watching(): void {
    if (this.#isDoubtful) this.#silentSinceMs ??= this.#clock.now();
  }

  /** Something came on a watch, so the server has reached the version. */
  heard(): void {
    this.#settle();
  }

  listed(): void {
    this.#settle();
  }

  /** Nothing was heard for too long. */
  get isReasonToList(): boolean {
    if (this.#silentSinceMs === undefined) return false;
    return this.#clock.now() - this.#silentSinceMs >= SUSPICIOUS_SILENCE_MS;
  }

  #settle(): void {
    this.#isDoubtful = false;
    this.#silentSinceMs = undefined;
  }
}
