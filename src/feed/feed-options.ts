// What a feed is made with, its limits, and what a subscriber asks of it.
//
// Every limit has a default and says what it is derived from; the options of the command set some of them.

import type { Registry } from '@prometheus-io/client';
import type { ClusterIdentity } from '../model/cluster-identity.ts';
import type { ResourceFreshness } from '../wire/frame.ts';
import type { TimelinesInLog } from './log/items.ts';
import type { WantedBy } from './reading/filter-classes.ts';
import type { Scheduler } from './subscriptions/scheduler.ts';

export interface ChangeFeedOptions {
  /** Names this process; 16 random bytes. */
  readonly epoch: Uint8Array;
  /**
   * Equal for two processes whose entities have the same form: everything of the configuration that changes entities.
   */
  readonly configuration: string;
  /** Which cluster it is, as far as is known now; the same object while nothing changes. Unset: not known. */
  readonly cluster?: () => ClusterIdentity;
  /** How fresh each resource is, for `Progress`. */
  readonly freshness: () => readonly ResourceFreshness[];
  /** What timelines there are; default: none. */
  readonly timelines?: TimelinesInLog;
  readonly registry: Registry;
  readonly scheduler?: Scheduler;
  readonly limits?: Partial<FeedLimits>;
}

export interface FeedLimits {
  /** Default 10 min: a consumer that restarts within that continues without a snapshot. */
  readonly removalRetentionMs: number;
  /** Default 100,000: about 60 MB. */
  readonly maxRemovals: number;
  /** Default 10,000. */
  readonly maxSubscribers: number;
  /** Default: as many as there may be in all. */
  readonly maxSubscribersPerCaller: number;
  /** Default 32 MiB: what distinct filters may take together; one caller may bring a quarter of it. */
  readonly maxFilterBytes: number;
  /** Default 64 KiB: some 50 entities; small enough to interleave with lookups on the same connection. */
  readonly maxFrameBytes: number;
  /** Default 16 MiB. */
  readonly maxSharedFrameBytes: number;
  /** Default 60 s: what a consumer may take for one frame before it is ended. */
  readonly stallTimeoutMs: number;
  /** Default 3 s: how long a consumer that has seen more than this process waits for it to catch up. */
  readonly catchUpTimeoutMs: number;
  /** Default 3 ms: how long subscribers may hold the event loop in one turn, in which others have their share too. */
  readonly sliceMs: number;
  /** Default 256 KiB: what is written in one turn. HTTP/2 copies and sends it in the same turn, after the slice. */
  readonly sliceBytes: number;
  /**
   * Default 64: how many subscribers have their turn in one slice. Each may have a connection of its own, which node
   * hands to the kernel after the slice, in the same turn: 20 to 60 µs.
   */
  readonly sliceSubscribers: number;
}

export interface SubscribeRequest extends WantedBy {
  /** Whose subscriptions are counted together; unset: those of callers that are not known. */
  readonly caller?: string;
  /** As received; empty: from a snapshot. */
  readonly resumeToken: Uint8Array;
  readonly snapshotOnly: boolean;
  readonly heartbeatMs: number;
}

export const DEFAULT_LIMITS: FeedLimits = {
  removalRetentionMs: 600_000,
  maxRemovals: 100_000,
  maxSubscribers: 10_000,
  maxSubscribersPerCaller: Number.POSITIVE_INFINITY,
  maxFilterBytes: 32 * 1024 * 1024,
  maxFrameBytes: 64 * 1024,
  maxSharedFrameBytes: 16 * 1024 * 1024,
  stallTimeoutMs: 60_000,
  catchUpTimeoutMs: 3_000,
  sliceMs: 3,
  sliceBytes: 256 * 1024,
  sliceSubscribers: 64,
};
