// The resources that digger watches: where they are, what they decode to, and whether digger can do without.

import { groupOf } from '../model/kubernetes/api-version.ts';
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
import type { Encoding } from './decoding/list-body.ts';
import {
  endpointsDecoder,
  endpointSliceDecoder,
  namespaceDecoder,
  nodeDecoder,
  ownerDecoder,
  podDecoder,
  type RecordDecoder,
  serviceCidrDecoder,
  serviceDecoder,
} from './decoding/record-decoder.ts';

export interface ResourceDescriptor<R extends KubernetesRecord> {
  /** As in RBAC rules, with its group: `pods`, `deployments.apps`. The name in status, metrics and messages. */
  readonly resource: string;
  /** Lookups wait for its first list. */
  readonly required: boolean;
  /** `/api/v1` or `/apis/GROUP/VERSION`. */
  readonly groupPath: string;
  /** Last part of the path: `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly decoder: RecordDecoder<R>;
  /** Ask for PartialObjectMetadata instead of whole objects. */
  readonly metadataOnly: boolean;
  /** The objects are namespaces: where only some of them are watched, each is asked for by its own name. */
  readonly isNamespaces?: true;
  /** Watched instead where the API server does not know this resource. */
  readonly fallback?: ResourceDescriptor<R>;
}

export const pods: ResourceDescriptor<PodRecord> = core('pods', true, podDecoder);
export const services: ResourceDescriptor<ServiceRecord> = core('services', true, serviceDecoder);
export const nodes: ResourceDescriptor<NodeRecord> = { ...core('nodes', true, nodeDecoder), namespaced: false };

/** Their labels and annotations, as metadata only; without them all else works. */
export const namespaces: ResourceDescriptor<NamespaceRecord> = {
  ...core('namespaces', false, namespaceDecoder),
  namespaced: false,
  metadataOnly: true,
  isNamespaces: true,
};

/** Deprecated since 1.33 and cut off at 1,000 addresses: only where there are no slices. */
const endpoints: ResourceDescriptor<EndpointSliceRecord> = core('endpoints', true, endpointsDecoder);

export const endpointSlices: ResourceDescriptor<EndpointSliceRecord> = {
  resource: 'endpointslices.discovery.k8s.io',
  required: true,
  groupPath: '/apis/discovery.k8s.io/v1',
  plural: 'endpointslices',
  namespaced: true,
  decoder: endpointSliceDecoder,
  metadataOnly: false,
  fallback: endpoints,
};

/** Served since 1.33 (beta before, off by default); without it the ranges of services are not known. */
export const serviceCidrs: ResourceDescriptor<ServiceCidrRecord> = {
  resource: 'servicecidrs.networking.k8s.io',
  required: false,
  groupPath: '/apis/networking.k8s.io/v1',
  plural: 'servicecidrs',
  namespaced: false,
  decoder: serviceCidrDecoder,
  metadataOnly: false,
};

/** Group, version, plural, kind. */
const OWNER_KINDS = [
  ['apps', 'v1', 'replicasets', 'ReplicaSet'],
  ['apps', 'v1', 'deployments', 'Deployment'],
  ['apps', 'v1', 'statefulsets', 'StatefulSet'],
  ['apps', 'v1', 'daemonsets', 'DaemonSet'],
  ['batch', 'v1', 'jobs', 'Job'],
  ['batch', 'v1', 'cronjobs', 'CronJob'],
  ['', 'v1', 'replicationcontrollers', 'ReplicationController'],
] as const;

/** A kind of owners, by the group that its objects are asked for in; empty: the core group. */
export interface OwnerKind {
  readonly group: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Of the owners that are always watched. */
export const BUILT_IN_OWNER_KINDS: readonly OwnerKind[] = OWNER_KINDS.map(([group, , , kind]) => ({
  group,
  kind,
  namespaced: true,
}));

/** Kinds that own pods, and kinds that own those. Without one of them its pods' chains are marked incomplete. */
export const owners: readonly ResourceDescriptor<OwnerRecord>[] = OWNER_KINDS.map(([group, version, plural, kind]) =>
  owner(group, version, plural, kind),
);

/** Whether objects of this kind, in whatever version, come as records: an unknown one will be known, or is gone. */
export function isWatchedKind(apiVersion: string, kind: string): boolean {
  const referred = groupOf(apiVersion);
  // Where Deployments, ReplicaSets and DaemonSets began, served until 1.16: references keep what they were written
  // with.
  const group = referred === 'extensions' ? 'apps' : referred;
  if (group === '' && (kind === 'Pod' || kind === 'Node')) return true;
  return OWNER_KINDS.some(([ownerGroup, , , ownerKind]) => ownerGroup === group && ownerKind === kind);
}

/** Path of the collection; `namespace` limits it to one, `undefined` means all. */
export function collectionPath(
  descriptor: ResourceDescriptor<KubernetesRecord>,
  namespace: string | undefined,
): string {
  const scope = descriptor.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${descriptor.groupPath}${scope}/${descriptor.plural}`;
}

/** What narrows requests for namespaces to one of them; RBAC grants that by `resourceNames`. */
export function nameSelector(
  { isNamespaces }: ResourceDescriptor<KubernetesRecord>,
  namespace: string | undefined,
): string | undefined {
  return isNamespaces === true && namespace !== undefined ? `metadata.name=${namespace}` : undefined;
}

/**
 * `first` is preferred and the other accepted: custom resources have no protobuf, and other servers may not speak it.
 */
export function acceptHeader(
  descriptor: ResourceDescriptor<KubernetesRecord>,
  verb: 'list' | 'watch',
  first: Encoding = 'protobuf',
): string {
  const as = verb === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata';
  const parameters = descriptor.metadataOnly ? `;as=${as};g=meta.k8s.io;v=v1` : '';
  const types = [`application/vnd.kubernetes.protobuf${parameters}`, `application/json${parameters}`];
  return (first === 'json' ? types.toReversed() : types).join(', ');
}

function core<R extends KubernetesRecord>(
  plural: string,
  required: boolean,
  decoder: RecordDecoder<R>,
): ResourceDescriptor<R> {
  return { resource: plural, required, groupPath: '/api/v1', plural, namespaced: true, decoder, metadataOnly: false };
}

/** A kind that may own pods, read as metadata only; `group` is empty for the core group. */
export function owner(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceDescriptor<OwnerRecord> {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return {
    resource: group === '' ? plural : `${plural}.${group}`,
    required: false,
    groupPath: group === '' ? `/api/${version}` : `/apis/${apiVersion}`,
    plural,
    namespaced,
    decoder: ownerDecoder(apiVersion, kind),
    metadataOnly: true,
  };
}
