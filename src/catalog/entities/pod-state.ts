// What is kept of a pod: its entity, and its place among owners and services. The record itself is not kept; labels,
// annotations and containers live on only as encoded bytes, and comparing bytes is how a no-op update is found.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { HostPort, ObjectReference, PodEntity } from '../../model/entities.ts';
import { canonicalIps } from '../../model/ip/ip.ts';
import { MULTUS_STATUS, networkAddress, OVN_NETWORKS } from '../../model/kubernetes/pod-networks.ts';
import { toProtocol } from './port-protocol.ts';
import type { KnownObject, ControllerReference, PodRecord } from '../../model/kubernetes/records.ts';
import { boundHostAddress, encodePodRecord } from '../../wire/encode-pod.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { Interner } from '../records/text-interner.ts';
import type { ControllerEdge, PodDependant } from '../owners/owner-links.ts';
import type { Shelved } from '../records/record-table.ts';
import { isSameButJoined, NO_REFERENCES } from '../records/rows.ts';
import type { ServiceState } from './service-state.ts';

/** A pod's entity; what the join adds is written in until it is published. */
export interface PodRow extends PodEntity {
  ownerChain: PodEntity['ownerChain'];
  workload: ObjectReference;
  endpointAddresses?: readonly string[];
  networkAddresses?: readonly string[];
  joined: ByteString;
  place: ByteString;
  values: ByteString;
}

export interface PodDraft {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly row: PodRow;
  readonly controller: ControllerReference | undefined;
}

export class PodState implements PodDependant, Shelved {
  readonly resource: string;
  row: PodRow;
  /** What listeners know; the same object as `row` unless a join is due. */
  published: PodRow | undefined;
  edge: ControllerEdge | undefined;
  /**
   * Services of all namespaces whose endpoints contain it, sorted by namespace and name; it is counted in each of them.
   */
  memberOf: readonly ServiceState[] = NO_SERVICES;
  /** The workload that it is counted as; unset until it was joined. */
  countedAs: ObjectReference | undefined;
  /** Addresses beside its own at which endpoints of its namespace list it, each with the number of listings. */
  further: Map<string, number> | undefined;
  seenIn = 0;
  fingerprint = 0;

  constructor(resource: string, row: PodRow) {
    this.resource = resource;
    this.row = row;
  }

  get dependant(): 'pod' {
    return 'pod';
  }

  get uid(): string {
    return this.row.uid;
  }

  /** As others refer to it: a pod may own pods (a Spark driver its executors). */
  get known(): KnownObject {
    const { namespace, name, uid } = this.row;
    return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, controller: this.edge?.controller };
  }
}

export function draftPod(record: PodRecord, policy: ValuePolicy, interner: Interner): PodDraft {
  const namespace = interner.string(record.namespace);
  const addresses = canonicalIps(record.podIps);
  const hostAddresses = interner.list(canonicalIps(record.hostIps));
  const networks = publishedNetworks(record, policy);
  const { own, values, rest } = encodePodRecord(record, { addresses, hostAddresses, networks }, policy);
  const row: PodRow = {
    kind: 'Pod',
    uid: record.uid,
    namespace,
    name: record.name,
    creationTimeMs: record.creationTimeMs,
    nodeName: interner.string(record.nodeName),
    hostNetwork: record.hostNetwork,
    terminal: record.phase === 'Succeeded' || record.phase === 'Failed',
    addresses: record.hostNetwork ? interner.list(addresses) : addresses,
    hostAddresses,
    startTimeMs: record.startTimeMs,
    sandboxReadyTimeMs: record.sandboxReadyTimeMs,
    finishedTimeMs: record.finishedTimeMs,
    deletionTimeMs: record.deletionTimeMs,
    hostPorts: toHostPorts(record),
    ownerChain: NO_REFERENCES,
    workload: NO_WORKLOAD,
    own,
    joined: NO_BYTES,
    place: NO_BYTES,
    values,
    rest,
  };
  // Few pods have some: the others do without the field.
  if (networks.length > 0) row.networkAddresses = toNetworkAddresses(networks);
  return { namespace, name: record.name, uid: record.uid, row, controller: record.controller };
}

/** None where the annotations that tell of them are denied: what they say is not to be known by another way. */
function publishedNetworks({ networks }: PodRecord, { deniedAnnotations }: ValuePolicy): PodRecord['networks'] {
  if (networks.length === 0) return networks;
  return deniedAnnotations.has(MULTUS_STATUS) || deniedAnnotations.has(OVN_NETWORKS) ? NO_NETWORKS : networks;
}

function toNetworkAddresses(networks: PodRecord['networks']): readonly string[] {
  return networks.flatMap(({ name, addresses }) => addresses.map((address) => networkAddress(address, name)));
}

export function isSamePod(state: PodState, { row, controller }: PodDraft): boolean {
  const { row: old, edge } = state;
  return (controller === undefined ? edge === undefined : edge?.says(controller) === true) && isSameButJoined(old, row);
}

/** Ports of the node that the pod claims; a pod in the node's network listens on the node's ports directly. */
function toHostPorts(record: PodRecord): readonly HostPort[] {
  const found: HostPort[] = [];
  for (const { ports } of record.containers) {
    for (const declared of ports) {
      const port = declared.hostPort !== 0 ? declared.hostPort : record.hostNetwork ? declared.containerPort : 0;
      const protocol = toProtocol(declared.protocol);
      if (port === 0 || protocol === undefined) continue;
      found.push({ port, protocol, hostAddress: boundHostAddress(declared.hostIp) });
    }
  }
  return found.length === 0 ? NO_PORTS : found;
}

const NO_PORTS: readonly HostPort[] = Object.freeze([]);
const NO_NETWORKS: PodRecord['networks'] = Object.freeze([]);
export const NO_SERVICES: readonly ServiceState[] = Object.freeze([]);

/** Placeholder until the join; never published. */
const NO_WORKLOAD: ObjectReference = Object.freeze({
  apiVersion: '',
  kind: '',
  namespace: '',
  name: '',
  uid: '',
  incomplete: true,
});
