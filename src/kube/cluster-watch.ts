// One cluster watched: a reflector for every resource, over one transport, with one probe for outages.
//
// What the composition root uses:
//
//   const watch = createClusterWatch({ credentials: createCredentials({ clock, … }), stores, logger, registry, clock, random });
//   watch.start();   // returns at once; follow statuses() for what is synced
//   await watch.stop();
//
// Reflectors are independent of one another: one that may not list its resource does not hold up the rest.

import type { Registry } from '@prometheus-io/client';
import type {
  EndpointSliceRecord,
  KubernetesRecord,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceCidrRecord,
  ServiceRecord,
} from '../model/kubernetes/records.ts';
import { MAX_NAMESPACES, toSource } from '../model/source.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Clock, Random } from './clock.ts';
import type { Credentials } from './credentials/credentials.ts';
import { ClusterUid, type ClusterUidOptions } from './cluster-uid.ts';
import { CustomKinds, MAX_CUSTOM_KINDS } from './custom-kinds.ts';
import type { Encoding } from './decoding/list-body.ts';
import { registerCustomKindMetrics, registerTransportMetrics, registerWatchMetrics } from './metrics.ts';
import { Reflector } from './reflector/reflector.ts';
import type { Pace } from './reflector/requests.ts';
import {
  BUILT_IN_OWNER_KINDS,
  endpointSlices,
  namespaces as namespaceObjects,
  nodes,
  type OwnerKind,
  owners,
  pods,
  type ResourceDescriptor,
  serviceCidrs,
  services,
} from './resources.ts';
import { ServerContact } from './reflector/server-contact.ts';
import type { ReflectorStatus } from './reflector/reflector-status.ts';
import type { ReflectorStore } from './reflector/store.ts';
import type { Relocation } from './reflector/whereabouts.ts';
import { createTransport } from './transport/transport.ts';

/** Called once per source: `pods`, or `shop/pods` for each namespace where only some are watched (model/source.ts). */
export interface ClusterStores {
  pods(source: string): ReflectorStore<PodRecord>;
  services(source: string): ReflectorStore<ServiceRecord>;
  endpointSlices(source: string): ReflectorStore<EndpointSliceRecord>;
  namespaces(source: string): ReflectorStore<NamespaceRecord>;
  /** Cluster-wide always. */
  readonly nodes: ReflectorStore<NodeRecord>;
  /** Cluster-wide always. */
  readonly serviceCidrs: ReflectorStore<ServiceCidrRecord>;
  /** While building (`deployments.apps`), and when a custom kind is found. */
  owners(source: string): ReflectorStore<OwnerRecord>;
}

export interface ClusterWatchOptions {
  readonly credentials: Credentials;
  readonly stores: ClusterStores;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  /** Sent as User-Agent: how API server logs and priority-and-fairness name us. */
  readonly userAgent: string;
  /** Called after each change of what `statuses()` says about state, sync and blindness; not before `start`. */
  readonly onStatusChange?: () => void;
  /** Another cluster answers than before, see cluster-uid.ts: what is in the stores is not of it. */
  readonly onOtherCluster: ClusterUidOptions['onOtherCluster'];
  /** Watch these namespaces and no others; at most MAX_NAMESPACES. Empty: all of them. */
  readonly namespaces?: readonly string[];
  /** Keeps long lists from holding the event loop. Unset: they do. */
  readonly pace?: Pace;
  /** Asked for first. Default: protobuf. */
  readonly encoding?: Encoding;
  /**
   * Ask for lists with gzip. `auto`, the default, is `on`, as with every Go client: a twelfth of the bytes, and less for
   * the thread that answers lookups; the API server pays for it (docs/decisions/gzip-for-lists.md).
   */
  readonly compression?: 'auto' | 'on' | 'off';
  /**
   * Stream initial lists where the server can (KEP-3157). Default: where protobuf is asked for; in JSON they cost the
   * server four times a list.
   */
  readonly streamInitialList?: boolean;
}

export interface ClusterWatch {
  start(): void;
  /** Resolves when no store will be written any more and every connection is closed. */
  stop(): Promise<void>;
  /**
   * An owner reference names this kind and no record came for it: it is looked for and watched, if the API server
   * serves it. Cheap, and may be called again and again. Kinds that are watched anyway are ignored.
   */
  wantOwnerKind(apiVersion: string, kind: string): void;
  /** Kinds of owners that are watched by now: those of Kubernetes, then custom ones as they were found. */
  ownerKinds(): readonly OwnerKind[];
  /** The uid of kube-system, see cluster-uid.ts. */
  readonly clusterUid: Pick<ClusterUid, 'uid' | 'problem' | 'isDoubted' | 'answered'>;
  /** One per resource, in a fixed order, required ones first; custom kinds last, as they were found. */
  statuses(): readonly ReflectorStatus[];
}

/** Of custom kinds where namespaces are watched: four kinds at least. */
const MAX_CUSTOM_WATCHES = 64;

export function createClusterWatch(options: ClusterWatchOptions): ClusterWatch {
  const { credentials, stores, logger, registry, clock, random, userAgent } = options;
  const namespaces = [...new Set(options.namespaces ?? [])];
  if (namespaces.length > MAX_NAMESPACES)
    throw new Error(`${namespaces.length} namespaces are more than ${MAX_NAMESPACES}`);
  const { encoding = 'protobuf' } = options;
  const streamInitialList = options.streamInitialList ?? encoding === 'protobuf';
  const onStatusChange = options.onStatusChange ?? (() => {});
  const stopping = new AbortController();
  const compression = options.compression !== 'off';
  const transport = createTransport({ credentials, userAgent, compression });
  registerTransportMetrics(registry, compression, () => transport.received);
  const contact = new ServerContact(
    transport,
    clock,
    random,
    logger.child({ server: credentials.server }),
    stopping.signal,
  );

  const reflect = <R extends KubernetesRecord>(
    resource: ResourceDescriptor<R>,
    store: ReflectorStore<R>,
    namespace?: string,
    relocate?: () => Promise<Relocation<R>>,
  ): WatchedResource =>
    new Reflector({
      resource,
      ...(namespace === undefined ? {} : { namespace }),
      store,
      transport,
      contact,
      logger,
      clock,
      random,
      encoding,
      streamInitialList,
      relocate,
      pace: options.pace,
      onStatusChange,
    });
  const isLimited = namespaces.length > 0;
  /** One reflector, or one for each namespace; what neither is nor has a namespace is one either way. */
  const reflectIn = <R extends KubernetesRecord>(
    resource: ResourceDescriptor<R>,
    store: (source: string) => ReflectorStore<R>,
    relocate?: () => Promise<Relocation<R>>,
  ): WatchedResource[] =>
    (isLimited && (resource.namespaced || resource.isNamespaces === true) ? namespaces : [undefined]).map((namespace) =>
      reflect(resource, store(toSource(resource.resource, namespace)), namespace, relocate),
    );
  const reflectors: WatchedResource[] = [
    ...reflectIn(pods, stores.pods),
    ...reflectIn(services, stores.services),
    ...reflectIn(endpointSlices, stores.endpointSlices),
    // A Role cannot grant it: those who may watch a few namespaces often may not read nodes, and do without.
    reflect(isLimited ? { ...nodes, required: false } : nodes, stores.nodes),
    reflect(serviceCidrs, stores.serviceCidrs),
    ...reflectIn(namespaceObjects, stores.namespaces),
    ...owners.flatMap((resource) => reflectIn(resource, stores.owners)),
  ];
  const statuses = () => reflectors.map((reflector) => reflector.status());
  registerWatchMetrics(registry, statuses);
  const asking = { transport, contact, logger, clock, random, stopping: stopping.signal };
  /** Stores of custom kinds stay: one that gave its place back may come again. */
  const customStores = new Map<string, ReflectorStore<OwnerRecord>>();
  const customStore = (source: string): ReflectorStore<OwnerRecord> => {
    const store = customStores.get(source) ?? stores.owners(source);
    customStores.set(source, store);
    return store;
  };
  const customKinds = new CustomKinds({
    ...asking,
    maxKinds: isLimited ? Math.floor(MAX_CUSTOM_WATCHES / namespaces.length) : MAX_CUSTOM_KINDS,
    watch: (resource, relocate) => {
      const found = reflectIn(resource, customStore, relocate);
      reflectors.push(...found);
      for (const reflector of found) reflector.start();
      return {
        isUp: () => found.some((reflector) => reflector.status().state === 'watching'),
        stop: async () => {
          await Promise.all(found.map((reflector) => reflector.stop()));
          for (const reflector of found) reflectors.splice(reflectors.indexOf(reflector), 1);
          onStatusChange();
        },
      };
    },
  });
  registerCustomKindMetrics(registry, () => customKinds.stats());
  const clusterUid = new ClusterUid({
    ...asking,
    onChange: onStatusChange,
    onOtherCluster: options.onOtherCluster,
  });

  return {
    start: () => {
      clusterUid.start();
      for (const reflector of reflectors) reflector.start();
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([customKinds.stopped(), clusterUid.stopped()]);
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
      await transport.close();
    },
    clusterUid,
    wantOwnerKind: (apiVersion, kind) => customKinds.want(apiVersion, kind),
    ownerKinds: () => [...BUILT_IN_OWNER_KINDS, ...customKinds.watched()],
    statuses,
  };
}

/** A reflector of whatever record. */
interface WatchedResource {
  start(): void;
  stop(): Promise<void>;
  status(): ReflectorStatus;
}
