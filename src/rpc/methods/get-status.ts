// StatusService.GetStatus: how this replica is doing. Answers while it is not ready and while it drains; for operators,
// not for traffic, so it is encoded again for every call.

import type { PublishedNamespaces } from '../../model/namespaces/published-namespaces.ts';
import type { CallContext, Staleness } from './call-context.ts';
import type { GetStatusRequest__Output } from '../../wire/generated/digger/v1/GetStatusRequest.ts';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import { toSecondsAndNanos } from '../../wire/seconds-and-nanos.ts';
import { messageType } from '../../wire/schema.ts';

/** What a watched resource says about itself. */
export interface WatchedResource {
  /** `pods`, `deployments.apps`; `shop/pods` where only some namespaces are watched. */
  readonly resource: string;
  readonly required: boolean;
  readonly synced: boolean;
  readonly state: 'idle' | 'listing' | 'watching' | 'backing-off' | 'stopped';
  /** Objects held. */
  readonly objects: number;
  /** ms since the epoch. */
  readonly lastContactMs: number | undefined;
  /** ms since the epoch. */
  readonly lastChangeMs: number | undefined;
  readonly lists: number;
  /** Watches that ended otherwise than planned, by reason. */
  readonly restarts: ReadonlyMap<string, number>;
  /** The last error, `''` while healthy. */
  readonly message: string;
}

/** What a file of named ranges says about itself. */
export interface NamedRangesFile {
  readonly path: string;
  readonly ranges: number;
  /** ms since the epoch. */
  readonly modifiedMs: number;
  /** ms since the epoch. */
  readonly loadedMs: number;
  /** Why a newer file is not in use; empty: the newest file is in use. */
  readonly problem: string;
}

/** What was taken over of a sibling's history. */
export interface InheritedHistory {
  /** Empty: nothing was. */
  readonly from: string;
  /** ms since the epoch, like the next. */
  readonly takenMs: number | undefined;
  readonly ownSinceMs: number | undefined;
  readonly claims: number;
  /** Why nothing was; empty: it was. */
  readonly message: string;
}

/** What the resolution of load balancers says about itself. */
export interface LoadBalancerNames {
  readonly names: number;
  readonly addresses: number;
  readonly failing: number;
  readonly leftOut: number;
  /** Empty: nothing went wrong. */
  readonly problem: string;
}

export interface StatusSource {
  readonly version: string;
  readonly epoch: string;
  /** ms since the epoch. */
  readonly startTimeMs: number;
  /** Namespaces that are watched; empty: all. */
  readonly namespaces: readonly string[];
  /** Why credentials of an earlier moment are shown to the API server; `''`: they are those of now. */
  credentialsTrouble(): string;
  /** Which namespaces are published. */
  readonly published: PublishedNamespaces;
  /** There is a list of namespaces: their labels are known. */
  knowsNamespaces(): boolean;
  /** What keeps the replica from being ready, `draining` among it; empty when nothing does. */
  pending(): readonly string[];
  /** In the order of the configuration. */
  resources(): readonly WatchedResource[];
  /** Open feed subscriptions. */
  subscribers(): number;
  /** Last sequence of the change log. */
  sequence(): number;
  /** ms since the epoch; `undefined` before the first list. */
  historySinceMs(): number | undefined;
  readonly stalenessMs: Staleness;
  cluster(): ClusterIdentity;
  /** Why the uid of the cluster is not known; empty: it is, or was not read yet. */
  clusterProblem(): string;
  namedRanges(): readonly NamedRangesFile[];
  /** `undefined`: none was asked for. */
  inheritedHistory?(): InheritedHistory | undefined;
  /** `undefined`: host names of load balancers are not resolved. */
  loadBalancerNames(): LoadBalancerNames | undefined;
}

/** The encoded GetStatusResponse. */
export function getStatus(
  _request: GetStatusRequest__Output,
  source: StatusSource,
  call: Pick<CallContext, 'draining'>,
): Uint8Array {
  const unsynced = unsyncedTasks(source);
  const isDraining = call.draining || unsynced.length < source.pending().length;
  const pending = isDraining ? [...unsynced, DRAINING] : unsynced;
  const historySinceMs = source.historySinceMs();
  const stalenessMs = source.stalenessMs();
  const cluster = source.cluster();
  const message = ResponseType.fromObject({
    version: source.version,
    epoch: source.epoch,
    ready: pending.length === 0,
    pending,
    resources: source.resources().map(toResourceStatus),
    namespaces: source.namespaces,
    hidesNamespaces: source.published.areLimited,
    credentialsMessage: source.credentialsTrouble(),
    subscribers: source.subscribers(),
    sequence: source.sequence(),
    startTime: toSecondsAndNanos(source.startTimeMs),
    historySince: historySinceMs === undefined ? null : toSecondsAndNanos(historySinceMs),
    staleness: stalenessMs === undefined ? null : toSecondsAndNanos(stalenessMs),
    cluster: cluster.name === '' && cluster.uid === '' ? null : { ...cluster },
    clusterMessage: source.clusterProblem() || null,
    namedRanges: source.namedRanges().map(toNamedRangesFile),
    inheritedHistory: toInheritedHistory(source.inheritedHistory?.()),
    loadBalancerNames: toLoadBalancerNames(source.loadBalancerNames()) ?? null,
  });
  return ResponseType.encode(message).finish();
}

/** What lookups wait for. A replica that is about to drain still answers until it does. */
export function unsyncedTasks(source: Pick<StatusSource, 'pending'>): readonly string[] {
  return source.pending().filter((task) => task !== DRAINING);
}

const DRAINING = 'draining';

const ResponseType = messageType('digger.v1.GetStatusResponse');

function toNamedRangesFile({ path, ranges, modifiedMs, loadedMs, problem }: NamedRangesFile): Record<string, unknown> {
  const [modifiedTime, loadTime] = [toSecondsAndNanos(modifiedMs), toSecondsAndNanos(loadedMs)];
  return { path, ranges, modifiedTime, loadTime, message: problem };
}

function toInheritedHistory(history: InheritedHistory | undefined): Record<string, unknown> | null {
  if (history === undefined) return null;
  const { from, takenMs, ownSinceMs, claims, message } = history;
  const time = (ms: number | undefined) => (ms === undefined ? null : toSecondsAndNanos(ms));
  return { from, takenTime: time(takenMs), ownSince: time(ownSinceMs), claims, message };
}

function toLoadBalancerNames(size: LoadBalancerNames | undefined): Record<string, unknown> | undefined {
  if (size === undefined) return undefined;
  const { names, addresses, failing, leftOut, problem } = size;
  return { names, addresses, failing, leftOut, message: problem };
}

function toResourceStatus(watched: WatchedResource): Record<string, unknown> {
  let watchRestarts = 0;
  for (const count of watched.restarts.values()) watchRestarts += count;
  return {
    resource: watched.resource,
    synced: watched.synced,
    required: watched.required,
    state: `WATCH_STATE_${watched.state.toUpperCase().replace('-', '_')}`,
    objects: watched.objects,
    lastChange: watched.lastChangeMs === undefined ? null : toSecondsAndNanos(watched.lastChangeMs),
    lastContact: watched.lastContactMs === undefined ? null : toSecondsAndNanos(watched.lastContactMs),
    lists: watched.lists,
    watchRestarts,
    message: watched.message,
  };
}
