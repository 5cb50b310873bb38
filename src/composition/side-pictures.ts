// Two parts beside the picture that the catalog keeps: containers by id, and load balancers by host name. Here they get
// what they need of the process and of the configuration, so that service.ts says only where they stand.

import type { Registry } from '@prometheus-io/client';
import type { AddressBook } from '../addresses/address-book.ts';
import { BalancerNames } from '../balancers/balancer-names.ts';
import { createDnsClient } from '../balancers/dns.ts';
import { createBalancerMetrics } from '../balancers/metrics.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Pacer } from '../catalog/pacer.ts';
import { ContainerIndex } from '../containers/container-index.ts';
import { registerContainerMetrics } from '../containers/metrics.ts';
import type { ChangeBatch } from '../model/changes.ts';
import type { Config } from '../options/options.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ContainerParts {
  readonly config: Pick<Config, 'historyRetentionMs' | 'maxHistoryClaims' | 'maxHistoryMemoryBytes'>;
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly addresses: AddressBook;
  readonly pacer: Pacer;
}

export function createContainerIndex({ config, registry, catalog, addresses, pacer }: ContainerParts): ContainerIndex {
  const index = new ContainerIndex({
    pods: () => catalog.pods(),
    pod: (uid) => catalog.podWithUid(uid),
    formerPods: () => addresses.endedPods(),
    formerPod: (uid) => addresses.endedPod(uid),
    nowMs: Date.now,
    retentionMs: config.historyRetentionMs,
    maxFormerPods: config.maxHistoryClaims,
    maxFormerBytes: config.maxHistoryMemoryBytes,
    slice: () => pacer.begin(),
  });
  registerContainerMetrics(registry, index);
  return index;
}

export interface BalancerParts {
  readonly config: Pick<Config, 'resolveLoadBalancers' | 'dnsServers'>;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Services with other addresses than before. */
  readonly changed: (batch: ChangeBatch) => void;
}

export interface FollowedBalancers {
  /** See BalancerNames; the batch itself where names are not resolved. */
  show(batch: ChangeBatch): ChangeBatch;
  /** `undefined`: names are not resolved. */
  readonly size: BalancerNames['size'] | undefined;
  close(): void;
}

export function followBalancers({ config, registry, logger, changed }: BalancerParts): FollowedBalancers {
  const metrics = createBalancerMetrics(registry);
  if (!config.resolveLoadBalancers) return { show: (batch) => batch, size: undefined, close: () => undefined };
  const client = createDnsClient(config.dnsServers);
  const names = new BalancerNames({
    resolve: client.resolve,
    nowMs: Date.now,
    setTimer: (callback, ms) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    logger,
    count: metrics.count,
    countCut: metrics.countCut,
    changed,
  });
  metrics.follow(names);
  return {
    show: (batch) => names.show(batch),
    get size() {
      return names.size;
    },
    close: () => {
      names.close();
      client.close();
    },
  };
}
