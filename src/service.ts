// The composition root: builds every part, connects them, and knows in which order they start and stop. With its parts
// in composition/ the only place where the folders meet.
//
//   API server ─▶ cluster watch ─▶ catalog ─▶ address book ─▶ lookups
//                                     └─────▶ change feed ──▶ watch
//
// The admin listener and gRPC are up before the first list: they say what is pending, and nothing that could be taken for
// "unassigned". The picture opens once, when every resource is synced or known to be out of reach.
//
// gRPC is loaded last before that (`composition/open-port.ts`): what is wrong with options or files is told without it.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AddressFeed, timelinesOf } from './feed/timelines/address-feed.ts';
import { AddressBook, CLAIMING_RESOURCES } from './addresses/address-book.ts';
import { registerAddressMetrics } from './addresses/metrics.ts';
import { Catalog } from './catalog/catalog.ts';
import { createHiders, hiding } from './catalog/hidden.ts';
import { createPacer } from './catalog/pacer.ts';
import type { Config } from './options/options.ts';
import { FirstLists } from './health/first-lists.ts';
import { Freshness, registerFreshnessMetrics } from './health/freshness.ts';
import { systemClock } from './kube/clock.ts';
import { type ClusterWatch, createClusterWatch } from './kube/cluster-watch.ts';
import { createCredentials } from './kube/credentials/credentials.ts';
import { isWatchedKind, namespaces, serviceCidrs } from './kube/resources.ts';
import { registerClusterMetrics } from './kube/cluster-metrics.ts';
import { warnOfMemory } from './composition/memory-bounds.ts';
import { createNamedRangesMetrics } from './networks/metrics.ts';
import { NamedRanges } from './networks/named-ranges.ts';
import { openFeed } from './composition/open-feed.ts';
import type { OpenPort } from './composition/open-port.ts';
import { openPage } from './composition/open-page.ts';
import { openPortCertificate } from './composition/port-certificate.ts';
import { Readiness } from './health/readiness.ts';
import { configurationError, listenError } from './start-error.ts';
import type { StatusSource } from './rpc/methods/get-status.ts';
import type { ChangeBatch } from './model/changes.ts';
import type { ClusterIdentity } from './model/cluster-identity.ts';
import type { ListenAddress } from './model/ip/listen-address.ts';
import { containerWaitKey, NameWaiterTable } from './rpc/methods/name-waiters.ts';
import { PublishedNamespaces } from './model/namespaces/published-namespaces.ts';
import { resourceOf } from './model/source.ts';
import { startAdminServer } from './telemetry/admin-server.ts';
import type { Logger } from './telemetry/logger.ts';
import { createRegistry } from './telemetry/metrics.ts';
import { toValuePolicy } from './composition/published-values.ts';
import { VERSION } from './version.ts';
import { SiblingHistory } from './composition/sibling-history.ts';
import { createContainerIndex, followBalancers } from './composition/side-pictures.ts';
import { publishedOnly } from './catalog/visible-changes.ts';

export interface RunningService {
  /** `127.0.0.1:50051`, with the port that the system chose. */
  readonly address: string;
  readonly adminAddress: string;
  /** The API server and the kubeconfig's context, for people; the context is unset in a pod. */
  readonly cluster?: { readonly server: string; readonly context: string | undefined };
  /** Drains, then ends. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborted when the start is to be given up. */
  readonly signal?: AbortSignal;
  /** What was served until now may be wrong from now on: the process has to end at once. `problem`: one line. */
  readonly fail: (problem: string) => void;
}

export type StartService = (options: ServiceOptions) => Promise<RunningService>;

/**
 * See `--history`: how far outside a claim a moment may lie before the claim no longer counts. 2 s was measured to be
 * wrong.
 */
const EDGE_SLACK_MS = 500;

/** It was asked for with the first lists, so that it is there by now or the API server has trouble with it. */
const CLUSTER_UID_WAIT_MS = 2_000;

/** Claims end by age also while nothing changes. */
const EXPIRE_INTERVAL_MS = 10_000;

/**
 * Starts everything; resolves when both listeners are bound, which is before the first list. Rejects with a
 * StartError for what the person who starts it can mend.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  try {
    return await start(options);
  } catch (error) {
    throw configurationError(error, options.config);
  }
}

async function start({ config, logger, signal, fail }: ServiceOptions): Promise<RunningService> {
  const startTimeMs = Date.now();
  warnOfMemory(config, process.constrainedMemory(), logger);
  const registry = createRegistry(VERSION);
  const epoch = randomBytes(16);
  const userAgent = `digger/${VERSION}`;
  const credentials = createCredentials({
    clock: systemClock,
    logger,
    ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
    ...(config.context === undefined ? {} : { context: config.context }),
  });
  const networks = await NamedRanges.start({
    paths: config.namedRanges,
    logger,
    metrics: createNamedRangesMetrics(registry),
    nowMs: Date.now,
  });
  const tls = await openPortCertificate({ config, logger, registry });
  const readiness = new Readiness();
  readiness.begin(JOINING);
  if (config.historyFrom.length > 0) readiness.begin(TAKING_OVER);
  const firstLists = new FirstLists(readiness);

  const pacer = createPacer();
  const catalog = new Catalog({
    registry,
    pacer,
    valuePolicy: toValuePolicy(config),
    isWatchedKind,
    ownerRetentionMs: config.historyRetentionMs,
  });
  const published = new PublishedNamespaces(config.namespaceRules);
  const hide = createHiders(published);
  const names = new NameWaiterTable(config.maxWaiters);
  const addresses = new AddressBook({
    now: Date.now,
    slackMs: EDGE_SLACK_MS,
    retentionMs: config.historyRetentionMs,
    maxClaims: config.maxHistoryClaims,
    maxBytes: config.maxHistoryMemoryBytes,
    maxWaiters: config.maxWaiters,
    clusterRanges: config.clusterRanges,
    partial: config.namespaces.length > 0,
    blindSinceMs: () => freshness.blindSinceMsOf(CLAIMING_RESOURCES),
  });
  registerAddressMetrics(registry, addresses);
  const containers = createContainerIndex({ config, registry, catalog, addresses, pacer });
  containers.onAdded((key) => names.wake(containerWaitKey(key)));
  const changed = (batch: ChangeBatch): void => addressFeed.onClaims(batch);
  const balancers = followBalancers({ config, registry, logger, changed });
  const watch: ClusterWatch = createClusterWatch({
    credentials,
    stores: {
      pods: (source) => hiding(catalog.store('Pod', source), hide.pod, published),
      services: (source) => hiding(catalog.store('Service', source), hide.service, published),
      endpointSlices: (source) => hiding(catalog.store('EndpointSlice', source), hide.slice, published),
      namespaces: (source) => hiding(catalog.store('Namespace', source), hide.namespace, published),
      nodes: catalog.store('Node', 'nodes'),
      serviceCidrs: addresses.serviceRanges,
      owners: (source) => hiding(catalog.store('Owner', source), hide.owner, published),
    },
    logger,
    registry,
    clock: systemClock,
    random: Math.random,
    userAgent,
    namespaces: config.namespaces,
    encoding: config.clusterEncoding,
    compression: config.clusterCompression,
    pace: pacer,
    onStatusChange: () => follow(),
    onOtherCluster: ({ was, is }) =>
      fail(
        `${credentials.server}: another cluster answers than before (uid of kube-system: ${is}, was ${was}); ` +
          'digger ends, so that nothing of the other stays: start it again',
      ),
  });
  const freshness = new Freshness({
    statuses: watch.statuses,
    isDoubted: () => watch.clusterUid.isDoubted,
    now: Date.now,
  });
  registerFreshnessMetrics(registry, freshness);
  /** The same object while nothing changes, because what is made of it is kept by it. */
  let identity: ClusterIdentity = { name: config.clusterName ?? '', uid: '' };
  const cluster = (): ClusterIdentity => {
    const { uid } = watch.clusterUid;
    if (identity.uid !== uid) identity = { ...identity, uid };
    return identity;
  };
  registerClusterMetrics(registry, cluster);
  const feed = openFeed({
    config,
    registry,
    epoch,
    freshness,
    cluster,
    timelines: timelinesOf(() => addressFeed),
  });
  const history = new SiblingHistory({
    config,
    logger,
    registry,
    epoch,
    clusterUid: () => cluster().uid,
    past: addresses.heritage,
    beganMs: () => addresses.source.facts.beganMs,
    isLive: (uid) => catalog.hasEntity(uid),
    formerOwners: (nowMs) => catalog.formerOwners(nowMs),
    inheritOwners: (formers, nowMs) => catalog.inheritOwners(formers, nowMs),
  });
  const addressFeed = new AddressFeed({
    addresses,
    feed,
    pacer,
    now: Date.now,
    show: (batch) => balancers.show(batch),
    ...(published.areLimited && { tell: publishedOnly(feed.onBatch) }),
  });
  catalog.onBatch((batch) => {
    history.note(batch);
    for (const { after } of batch.changes) {
      if (after?.kind === 'Pod' && after.workload.incomplete) {
        watch.wantOwnerKind(after.workload.apiVersion, after.workload.kind);
      }
    }
    addressFeed.onBatch(batch);
    containers.onBatch(batch);
    names.onChanges(batch);
  });

  const follow = (): void => {
    freshness.update();
    addressFeed.update();
    firstLists.update(watch.statuses());
    if (firstLists.areWhole) opening ??= open();
  };
  let opening: Promise<void> | undefined;
  /** Once, with the first lists. */
  const open = async (): Promise<void> => {
    await catalog.open();
    // So that the first answers have it too; what does not come in time is left out of them.
    await Promise.race([watch.clusterUid.answered(), delay(CLUSTER_UID_WAIT_MS, undefined, { ref: false })]);
    addresses.open();
    addressFeed.open();
    await history.take((entities) => addressFeed.inherit(entities));
    // Workloads that follow from it are told in slices.
    await catalog.settled();
    readiness.complete(JOINING);
    readiness.complete(TAKING_OVER);
  };

  const objects = (resource: string): number =>
    resource === serviceCidrs.resource ? addresses.serviceRanges.size : catalog.objects(resource);
  const wantTimelines = (knowsHidden: boolean): boolean => {
    const isServed = knowsHidden || !published.areLimited;
    if (isServed) addressFeed.want();
    return isServed;
  };
  const knowsNamespaces = (): boolean =>
    watch.statuses().every(({ resource, synced }) => synced || resourceOf(resource) !== namespaces.resource);
  const status: StatusSource = {
    version: VERSION,
    epoch: epoch.toString('hex'),
    startTimeMs,
    namespaces: config.namespaces,
    credentialsTrouble: () => credentials.trouble,
    published,
    knowsNamespaces,
    pending: () => readiness.pending,
    resources: () => watch.statuses().map((each) => ({ ...each, objects: objects(each.resource) })),
    subscribers: () => feed.stats().subscribers,
    sequence: () => feed.stats().sequence,
    historySinceMs: () => (Number.isFinite(addresses.historySinceMs) ? addresses.historySinceMs : undefined),
    stalenessMs: () => freshness.stalenessMs(),
    cluster,
    clusterProblem: () => watch.clusterUid.problem,
    namedRanges: () => networks.statuses(),
    inheritedHistory: () => history.status,
    loadBalancerNames: () => balancers.size,
  };
  let port: OpenPort | undefined;
  readiness.onChange(() => {
    port?.setReady(readiness.isReady);
    if (readiness.isReady) logger.info({ afterMs: Date.now() - startTimeMs, entities: catalog.sequence }, 'ready');
  });

  /** In slices: of what ended with one list all is past its time at once. */
  const expire = async (): Promise<void> => {
    const slice = pacer.begin();
    while (!addresses.expire(() => slice.due())) await pacer.pause();
    containers.expire();
    addressFeed.update();
  };
  const expiry = setInterval(() => void expire(), EXPIRE_INTERVAL_MS);
  const page = config.adminPage ? openPage({ catalog, addresses, feed, freshness, readiness, status }) : undefined;
  const admin = await startAdminServer({
    ...config.adminListen,
    pending: () => readiness.pending,
    registry,
    ...(page === undefined ? {} : { page: (url, host) => page.answer(url, host) }),
  }).catch((error: unknown) => {
    throw listenError('--admin-listen', config.adminListen, error);
  });
  const stop = async (): Promise<void> => {
    readiness.drain();
    history.stop();
    const deadline = AbortSignal.timeout(config.drainTimeoutMs);
    await port?.close(deadline);
    tls?.close();
    networks.close();
    balancers.close();
    await watch.stop();
    await opening;
    clearInterval(expiry);
    await admin.close();
  };
  try {
    signal?.throwIfAborted();
    const { openPort } = await import('./composition/open-port.ts');
    signal?.throwIfAborted();
    port = await openPort({
      config,
      credentials,
      userAgent,
      tls,
      logger,
      registry,
      feed,
      knowsNamespaces,
      wantTimelines,
      sources: {
        catalog,
        addresses,
        containers,
        plain: addresses.plain,
        names,
        workloadKinds: () => [{ group: '', kind: 'Pod', namespaced: true }, ...watch.ownerKinds()],
        networks,
        status,
        history: history.giver,
      },
    });
    watch.start();
    follow();
    const cluster = { server: credentials.server, context: config.context };
    return { address: formatAddress(port.address), adminAddress: admin.address, cluster, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const JOINING = 'join the first lists';
const TAKING_OVER = 'ask siblings for their history';

function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
