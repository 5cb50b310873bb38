// Where a watch begins: with which state, after which version, or not at all.
//
// The cases are those of kube-apiserver's watch cache. Past authentication and options, errors of a watch come as ERROR
// events behind a 200, so a Status is one of the outcomes.

import type { Cluster } from './cluster.ts';
import type { Faults } from './faults.ts';
import type { ListOptions } from './request.ts';
import type { ResourceStore } from './resource-store.ts';
import { type Status, tooLargeResourceVersion, tooOldResourceVersion } from './error-status.ts';
import type { WatchStart } from './watch.ts';

export interface WatchStartContext {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly store: ResourceStore;
  readonly namespace: string | undefined;
  /** Resolves to false when the version has not been reached in time. */
  readonly waitFor: (resourceVersion: bigint) => Promise<boolean>;
}

/** Sends no state and no events: the start of a watch that has failed. */
export const NOTHING: WatchStart = {
  initial: [],
  events: [],
  after: 0n,
  initialEventsEnd: undefined,
  initialEventsEndValue: '',
};

/** `requested` is the parsed resourceVersion of the options. */
export async function startOfWatch(
  options: ListOptions,
  requested: bigint,
  context: WatchStartContext,
): Promise<WatchStart | Status> {
  const { cluster, faults, store, namespace } = context;
  const streamed = options.sendInitialEvents === true;
  if (streamed && requested > cluster.resourceVersion && !(await context.waitFor(requested))) {
    return tooLargeResourceVersion(requested, cluster.resourceVersion);
  }
  const now = cluster.resourceVersion;
  if (options.sendInitialEvents ?? requested === 0n) {
    const prefix = `/${namespace}/`;
    const initial = namespace === undefined ? store.list() : store.list().filter(([key]) => key.startsWith(prefix));
    const bookmark = streamed && options.allowWatchBookmarks && faults.initialEventsEnd !== 'withheld';
    return {
      initial,
      events: [],
      after: now,
      initialEventsEnd: bookmark ? now : undefined,
      initialEventsEndValue: faults.initialEventsEnd === 'annotated-false' ? 'false' : 'true',
    };
  }
  if (requested === 0n) {
    return { ...NOTHING, after: now };
  }
  const events = store.eventsSince(requested);
  return events === undefined
    ? tooOldResourceVersion(requested, store.historyBegin)
    : { ...NOTHING, events, after: requested };
}
