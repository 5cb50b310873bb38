// Entities: the joined objects that digger publishes, each with the facts that other parts index by and with its
// `digger.v1` message already encoded.
//
// An entity is immutable and a pure function of the current records. Encoding happens once, in the catalog, when
// something changes; lookups and feed frames copy the bytes. Addresses are canonical, times ms since the epoch.

import type { ByteString } from './byte-string.ts';
/** Points at a Kubernetes object. Shared between entities, hence compared by content (`uid` decides). */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The object itself is not known, so neither is its owner. */
  readonly incomplete: boolean;
}

/**
 * The message `digger.v1.{Pod,Service,Node,Workload,Namespace}` in parts, which written one after the other are
 * VIEW_FULL and of which the first three are VIEW_BASIC (protobuf fields may stand in any order). What entities have in
 * common they share.
 */
export interface EncodedEntity {
  /** What only its own record says. */
  readonly own: ByteString;
  /** What the join adds: owners, services, workloads behind a service. */
  readonly joined: ByteString;
  /** What a pod's node adds, one text for all of its pods: zone and region. Unset for all others. */
  readonly place?: ByteString;
  /** Labels, annotations, and which of them are left out; digests of a pod's images. */
  readonly values: ByteString;
  /** A pod's containers; empty for all others. */
  readonly rest: ByteString;
}

/**
 * What other objects add to an entity is listed up to here; of what is beyond, the entity tells how many there are.
 * Clients refuse messages above 4 MB by default, and any tenant may make a hundred thousand pods, services or
 * endpoints. Fields of one object are bounded by the API server, which takes no more than about 1.5 MB.
 */
export const MAX_LISTED = 100;

/** Manual endpoints that an entity lists in its message: each with the reference to its service, up to 500 bytes. */
export const MAX_LISTED_ENDPOINTS = 1_000;

/** Manual endpoints of one service that answer when their address is asked for. */
export const MAX_CLAIMED_ENDPOINTS = 10_000;

interface EntityFacts extends EncodedEntity {
  /** Unique among all entities of a cluster's life. */
  readonly uid: string;
  /** Empty for nodes, namespaces and cluster-scoped workloads. */
  readonly namespace: string;
  readonly name: string;
  readonly creationTimeMs: number | undefined;
}

/** A port that claims an exact port of a node. */
export interface HostPort {
  readonly port: number;
  readonly protocol: Protocol;
  /** Canonical; `undefined`: every address of the node. */
  readonly hostAddress: string | undefined;
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** A port as traffic shows it. */
export interface PortNumber {
  readonly port: number;
  readonly protocol: Protocol;
}

export interface PodEntity extends EntityFacts {
  readonly kind: 'Pod';
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  /** Phase Succeeded or Failed: the addresses below are history. */
  readonly terminal: boolean;
  readonly addresses: readonly string[];
  readonly hostAddresses: readonly string[];
  readonly startTimeMs: number | undefined;
  readonly sandboxReadyTimeMs: number | undefined;
  readonly finishedTimeMs: number | undefined;
  readonly deletionTimeMs: number | undefined;
  /** Declared `hostPort`s, or every declared container port of a pod in the node's network. */
  readonly hostPorts: readonly HostPort[];
  /** Controllers upwards; empty for a bare pod. */
  readonly ownerChain: readonly ObjectReference[];
  /** Further addresses at which endpoints of its namespace list it, sorted, at most `MAX_LISTED`; unset: none. */
  readonly endpointAddresses?: readonly string[];
  /** On secondary networks, by the names of `networkAddress`; unset: none. */
  readonly networkAddresses?: readonly string[];
  /** Top of the chain, or the pod itself. */
  readonly workload: ObjectReference;
}

export interface ServiceEntity extends EntityFacts {
  readonly kind: 'Service';
  /** Type ExternalName: a DNS alias, which proxies skip whatever its other fields say. */
  readonly externalName: boolean;
  /** What it is reached by at its addresses, in the order of the object. */
  readonly ports: readonly PortNumber[];
  readonly clusterAddresses: readonly string[];
  /** Those of them that are not `proxiedAddresses` too are redirected by the nodes of the cluster. */
  readonly loadBalancerAddresses: readonly string[];
  /**
   * Addresses of its load balancers that nothing in the cluster takes traffic for: those with `ipMode: Proxy`, and
   * those that host names resolve to. Unset: none.
   */
  readonly proxiedAddresses?: readonly string[];
  /** `status.loadBalancer.ingress[].hostname`, as written. Unset: none. */
  readonly loadBalancerHostnames?: readonly string[];
  readonly externalAddresses: readonly string[];
  readonly nodePorts: readonly { readonly port: number; readonly protocol: Protocol }[];
  /** Canonical addresses of endpoints that are neither pods nor nodes, sorted; at most `MAX_CLAIMED_ENDPOINTS`. */
  readonly manualEndpoints: readonly string[];
  /** Distinct workloads of the backends, sorted; at most `MAX_LISTED`. */
  readonly workloads: readonly ObjectReference[];
}

export interface NodeEntity extends EntityFacts {
  readonly kind: 'Node';
  /** Its deletion was requested; a finalizer may hold the object for long after. */
  readonly deletionTimeMs: number | undefined;
  /** InternalIP and ExternalIP only. */
  readonly addresses: readonly string[];
  /** As written. */
  readonly podRanges: readonly string[];
}

export interface WorkloadEntity extends EntityFacts {
  readonly kind: 'Workload';
  readonly apiVersion: string;
  readonly workloadKind: string;
  readonly ownerChain: readonly ObjectReference[];
  /** Has no controller itself: the feed carries it. Links of a chain (ReplicaSet, Job) answer lookups only. */
  readonly topLevel: boolean;
}

export interface NamespaceEntity extends EntityFacts {
  readonly kind: 'Namespace';
}

export type Entity = PodEntity | ServiceEntity | NodeEntity | WorkloadEntity | NamespaceEntity;
export type EntityKind = Entity['kind'];
