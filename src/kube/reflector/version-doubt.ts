// Whether the server may be another than before, and may never have heard of the version that a watch goes on from.
//
// A kube-apiserver whose storage was restored from a backup accepts a watch from a version that it has not reached yet,
// and is silent until it has: no events, and no bookmarks either (k8s.io/apiserver, cacher: cacheWatcher.process). Then
// it goes on as if nothing had been. A list from such a version is refused as too large. So after a failure, of
// whatever kind, and after a watch that the server ended before its time (as one does that is shut down in good order,
// or a proxy whose server went), the server is asked for a list of one object that is not older than the version: that
// costs it next to nothing, and one that was put back cannot give it. One that has reached the version again before it
// is asked cannot be told from one that was never away (docs/decisions/one-object-after-a-failure.md).

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { LIST_SILENCE_MS } from './paged-list.ts';
import { type RequestContext, requestList } from './requests.ts';
import type { SilenceGuard } from './silence-guard.ts';

export class VersionDoubt {
  #isDue = false;
  #looksBegun = 0;

  /** `check` has to be called before a watch goes on. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** While it is due: how many looks at the server had begun when it arose. */
  get looksBegun(): number {
    return this.#looksBegun;
  }

  /** A request failed, or ended before its time: by the next one the server may be another. */
  arises(looksBegun: number): void {
    this.#isDue = true;
    this.#looksBegun = looksBegun;
  }

  /** A list is in the store. */
  listed(): void {
    this.#isDue = false;
  }

  /** Rejects as a list does; with "too large" where the server has not reached the version. */
  async check<R extends KubernetesRecord>(
    context: RequestContext<R>,
    guard: SilenceGuard,
    resourceVersion: string,
  ): Promise<void> {
    guard.expectWithin(LIST_SILENCE_MS, 'a list of one object was silent for too long');
    try {
      await requestList(context, { resourceVersion, limit: 1, continueToken: '' }, () => {});
    } catch (error) {
      throw guard.explain(error);
    } finally {
      guard.end();
    }
    this.#isDue = false;
  }
}
