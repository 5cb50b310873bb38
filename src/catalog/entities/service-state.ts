// What is kept of a service: its entity, and what its endpoints come to. The state exists as soon as either the service
// or one of its slices does, because they come from different watches in any order.

import { hashOfText } from '../../collections/wide-map.ts';
import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { ObjectReference, PortNumber, ServiceEntity } from '../../model/entities.ts';
import { canonicalIps } from '../../model/ip/ip.ts';
import { toProtocol } from './port-protocol.ts';
import type { ServicePortRecord, ServiceRecord } from '../../model/kubernetes/records.ts';
import { encodeServiceRecord } from '../../wire/encode-service.ts';
import { encodePodService } from '../../wire/encode-pod.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import { type Interner, NO_TEXTS } from '../records/text-interner.ts';
import { Backends } from './backends.ts';
import { CountedSet } from '../../collections/counted-set.ts';
import { compareText, isSameButJoined, NO_REFERENCES } from '../records/rows.ts';

export interface ServiceDraft {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly row: ServiceEntity;
}

export class ServiceState {
  readonly namespace: string;
  readonly name: string;
  resource = '';
  row: ServiceEntity | undefined;
  /** What listeners know: for as long as its removal is not told, also when the record is gone or is another's. */
  published: ServiceEntity | undefined;
  reference: ObjectReference | undefined;
  /** The reference as an element of a pod's `services`; encoded once for all its pods. */
  referenceBytes: ByteString | undefined;
  /** Just this service, for the many pods that are in one service. */
  readonly alone: readonly ServiceState[] = Object.freeze([this]);
  /** Slices that name this service. */
  slices = 0;
  /** Canonical addresses in its endpoints that are neither pods nor nodes, each with the number of listings. */
  readonly manual = new CountedSet<string>(compareText, hashOfText);
  /** Workloads of joined members, each with the number of pods. */
  readonly backends = new Backends();
  seenIn = 0;
  fingerprint = 0;

  constructor(namespace: string, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  get uid(): string {
    return this.row?.uid ?? '';
  }

  /** Nothing speaks of it any more. */
  get isVoid(): boolean {
    return this.row === undefined && this.published === undefined && this.slices === 0;
  }

  setReference(uid: string | undefined): void {
    this.reference = uid === undefined ? undefined : toReference({ ...this, uid });
    this.referenceBytes = this.reference && encodePodService(this.reference);
  }
}

export function toReference({
  namespace,
  name,
  uid,
}: Pick<ServiceEntity, 'namespace' | 'name' | 'uid'>): ObjectReference {
  return Object.freeze({ apiVersion: 'v1', kind: 'Service', namespace, name, uid, incomplete: false });
}

export function draftService(record: ServiceRecord, policy: ValuePolicy, interner: Interner): ServiceDraft {
  const encoded = encodeServiceRecord(record, policy);
  const namespace = interner.string(record.namespace);
  const portsOf = (numberOf: (port: ServicePortRecord) => number): readonly PortNumber[] =>
    record.ports.flatMap((each) => {
      const [port, protocol] = [numberOf(each), toProtocol(each.protocol)];
      return port === 0 || protocol === undefined ? [] : [{ port, protocol }];
    });
  const row: ServiceEntity = {
    kind: 'Service',
    uid: record.uid,
    namespace,
    name: record.name,
    creationTimeMs: record.creationTimeMs,
    clusterAddresses: canonicalIps(record.clusterIps),
    loadBalancerAddresses: canonicalIps(record.loadBalancerIps),
    externalAddresses: canonicalIps(record.externalIps),
    ports: portsOf(({ port }) => port),
    nodePorts: portsOf(({ nodePort }) => nodePort),
    externalName: record.serviceType === 'ExternalName',
    manualEndpoints: NO_TEXTS,
    workloads: NO_REFERENCES,
    ...encoded,
    joined: NO_BYTES,
  };
  const proxied = canonicalIps(record.proxiedIps);
  return {
    ...{ namespace, name: record.name, uid: record.uid },
    row: {
      ...row,
      ...(proxied.length === 0 ? undefined : { proxiedAddresses: proxied }),
      ...(record.loadBalancerHostnames.length === 0
        ? undefined
        : { loadBalancerHostnames: record.loadBalancerHostnames }),
    },
  };
}

export function isSameService(state: ServiceState, { row }: ServiceDraft): boolean {
  const old = state.row;
  return old !== undefined && isSameButJoined(old, row);
}
