// Stores in front of those of the catalog that take the names out of what is hidden: the rules are in
// `model/namespaces/published-namespaces.ts`.
//
// An object of a hidden namespace still holds addresses, and a published service may lead to it; so pods, services and
// slices go on without labels, annotations, images and owners, under names and uids that are hashes. What only describes
// (owners, the namespace itself) stops here. So nothing behind these stores can tell a hidden name, whatever it does:
// it does not have it. A reference to something hidden is written as such, see `wire/fields.ts`.

import type {
  EndpointSliceRecord,
  KubernetesRecord,
  NamespaceRecord,
  OwnerRecord,
  PodRecord,
  RecordMeta,
  ServiceRecord,
} from '../model/kubernetes/records.ts';
import {
  hiddenName,
  hiddenNamespace,
  hiddenUid,
  type PublishedNamespaces,
} from '../model/namespaces/published-namespaces.ts';
import type { CatalogStore } from './catalog.ts';

/** Turns a record into what may be known of it; `undefined`: nothing. */
type Hide<R> = (record: R) => R | undefined;

/** A store that hides what is not published; the store itself where everything is. */
export function hiding<R extends KubernetesRecord>(
  store: CatalogStore<R>,
  hide: Hide<R>,
  published: PublishedNamespaces,
): CatalogStore<R> {
  if (!published.areLimited) return store;
  return {
    beginReplace: () => {
      const replacement = store.beginReplace();
      return {
        ...replacement,
        add: (record) => {
          const shown = hide(record);
          if (shown !== undefined) replacement.add(shown);
        },
      };
    },
    upsert: (record, resourceVersion, seen) => {
      const shown = hide(record);
      if (shown === undefined) store.bookmark(resourceVersion);
      else store.upsert(shown, resourceVersion, seen);
    },
    remove: (record, resourceVersion, seen) => {
      const shown = hide(record);
      if (shown === undefined) store.bookmark(resourceVersion);
      else store.remove(shown, resourceVersion, seen);
    },
    bookmark: (resourceVersion) => store.bookmark(resourceVersion),
  };
}

/** How each type of record is hidden. */
export interface Hiders {
  readonly pod: Hide<PodRecord>;
  readonly service: Hide<ServiceRecord>;
  readonly slice: Hide<EndpointSliceRecord>;
  readonly owner: Hide<OwnerRecord>;
  readonly namespace: Hide<NamespaceRecord>;
}

export function createHiders(published: PublishedNamespaces): Hiders {
  return {
    pod: (pod) => (published.has(pod.namespace) ? pod : hidePod(pod)),
    service: (service) => (published.has(service.namespace) ? service : hideService(service)),
    slice: (slice) => {
      const isShown = published.has(slice.namespace);
      const endpoints = slice.endpoints.map((endpoint) => {
        const { target } = endpoint;
        const namespace = target?.namespace || slice.namespace;
        if (target === undefined || published.has(namespace)) return endpoint;
        // It is found by what it is called here.
        const { name, uid } = target;
        const hidden = {
          namespace: hiddenNamespace(namespace),
          name: hiddenName(namespace, name),
          uid: hiddenUid(uid),
        };
        return { ...endpoint, target: { ...target, ...hidden } };
      });
      if (isShown) return { ...slice, endpoints };
      const serviceName = slice.serviceName === '' ? '' : hiddenName(slice.namespace, slice.serviceName);
      const { controller, labels } = slice;
      // Both tell by whom the slice was made, and go no further than that.
      return {
        type: 'EndpointSlice',
        ...anonymous(slice),
        labels,
        controller: controller && {
          ...controller,
          ...{ name: hiddenName(slice.namespace, controller.name), uid: hiddenUid(controller.uid) },
        },
        serviceName,
        endpoints,
      };
    },
    owner: (owner) => (published.has(owner.namespace) ? owner : undefined),
    namespace: (namespace) => (published.has(namespace.name) ? namespace : undefined),
  };
}

/** Field by field, as below, so that a field that is new is not let through by oversight. */
function hidePod(pod: PodRecord): PodRecord {
  const { nodeName, hostNetwork, phase, podIps, hostIps, startTimeMs, sandboxReadyTimeMs, finishedTimeMs } = pod;
  return {
    type: 'Pod',
    ...anonymous(pod),
    ...{ nodeName, hostNetwork, phase, podIps, hostIps, startTimeMs, sandboxReadyTimeMs, finishedTimeMs },
    ...{ serviceAccount: '', ready: false, otherContainers: [] },
    // Addresses too, by the names that questions have to give.
    networks: pod.networks.map(({ name, addresses }) => ({ name, interface: '', addresses })),
    // Ports of the node are addresses too.
    containers: pod.containers.map(({ ports }) => ({
      ...{ type: 'ordinary', name: '', image: '', containerId: '', imageDigest: '' },
      ...{ previousContainerId: '', ended: false },
      ports: ports.map(({ containerPort, hostPort, hostIp, protocol }) => ({
        ...{ name: '', containerPort, hostPort, hostIp, protocol },
      })),
    })),
  };
}

function hideService(service: ServiceRecord): ServiceRecord {
  const { serviceType, clusterIps, externalIps, loadBalancerIps, proxiedIps } = service;
  return {
    type: 'Service',
    ...anonymous(service),
    ...{ serviceType, clusterIps, externalIps, loadBalancerIps, proxiedIps },
    ...{ loadBalancerHostnames: [], selector: {}, externalName: '' },
    ports: service.ports.map(({ protocol, port, nodePort }) => ({
      ...{ name: '', protocol, port, targetPort: '', nodePort, appProtocol: '' },
    })),
  };
}

function anonymous({ namespace, name, uid, creationTimeMs, deletionTimeMs }: RecordMeta): RecordMeta {
  return {
    namespace: hiddenNamespace(namespace),
    name: hiddenName(namespace, name),
    uid: hiddenUid(uid),
    labels: {},
    annotations: {},
    creationTimeMs,
    deletionTimeMs,
    controller: undefined,
  };
}
