// The change feed as the options want it.

import type { Registry } from '@prometheus-io/client';

import { ChangeFeed } from '../feed/change-feed.ts';
import type { TimelinesInLog } from '../feed/log/items.ts';
import type { Freshness } from '../health/freshness.ts';
import type { ClusterIdentity } from '../model/cluster-identity.ts';
import type { Config } from '../options/options.ts';

export interface FeedParts {
  readonly config: Config;
  readonly registry: Registry;
  readonly epoch: Uint8Array;
  readonly freshness: Freshness;
  readonly cluster: () => ClusterIdentity;
  readonly timelines: TimelinesInLog;
}

export function openFeed({ config, registry, epoch, freshness, cluster, timelines }: FeedParts): ChangeFeed {
  return new ChangeFeed({
    epoch,
    cluster,
    // What decides how an entity looks: a consumer's copy is not to be continued with other settings.
    configuration: JSON.stringify([
      config.denyAnnotations,
      config.denyLabels,
      config.allowAnnotations,
      config.allowLabels,
      config.maxValueBytes,
      // A clone of a cluster may have its uid, its versions and another name.
      config.clusterName,
      ...config.namespaces.toSorted(),
      // Only where there are some: the tokens of all others stay good.
      ...(config.namespaceRules.length === 0 ? [] : [config.namespaceRules]),
    ]),
    freshness: () => freshness.resources(),
    timelines,
    registry,
    limits: {
      removalRetentionMs: config.feedRetentionMs,
      maxRemovals: config.maxFeedRemovals,
      maxSubscribers: config.maxSubscribers,
      maxSubscribersPerCaller: config.maxSubscribersPerCaller,
      stallTimeoutMs: config.subscriberStallTimeoutMs,
    },
  });
}
