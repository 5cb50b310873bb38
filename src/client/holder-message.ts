// `digger.v1.TimelineHolder` as it comes over the wire: an object that holds a place, with its name and its workload.

import type { ObjectReference, Protocol } from '../model/entities.ts';
import type { AddressRole, PortRange, TimelineHolder } from '../timelines/timeline.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd, readMs, valueNames } from './message-fields.ts';

/** What a replica knows of a holder by its timeline alone. */
export interface ReplicaHolder extends TimelineHolder {
  /** Empty for nodes. */
  readonly namespace: string;
  /** The one workload behind it; unset when there is not exactly one. */
  readonly workload: ToldReference | undefined;
  /** In a namespace that the server does not publish: it has neither name nor workload, and its uid is not the object's. */
  readonly isHidden: boolean;
}

/** A reference as it is told: of a `hidden` object nothing else is set. */
export interface ToldReference extends ObjectReference {
  readonly hidden?: true;
}

/** Makes values that equal earlier ones the same value, so that thousands of timelines need one; see shared-values.ts. */
export interface Sharing {
  text(text: string): string;
  workload(reference: ToldReference): ToldReference;
}

const HOLDER = fieldNumbers('digger.v1.TimelineHolder', [
  'kind',
  'namespace',
  'name',
  'uid',
  'role',
  'validFromMs',
  'validToMs',
  'doubtedFromMs',
  'workload',
  'startedMs',
  'seenMs',
  'createdMs',
  'ports',
  'portsInexact',
  'hidden',
]);
const REFERENCE = fieldNumbers('digger.v1.ObjectReference', [
  'apiVersion',
  'kind',
  'namespace',
  'name',
  'uid',
  'incomplete',
  'hidden',
]);
const RANGE = fieldNumbers('digger.v1.PortRange', ['first', 'last', 'protocol']);
/** Kinds of holders, roles and protocols, each by the number that it has on the wire. */
export const HOLDER_KINDS = valueNames<string>('digger.v1.EntityKind', 'ENTITY_KIND_').map((name) =>
  (['Pod', 'Service', 'Node'] as const).find((kind) => kind.toUpperCase() === name),
);
export const ROLES = valueNames<AddressRole>('digger.v1.AddressRole', 'ADDRESS_ROLE_');
export const PROTOCOLS = valueNames<Protocol>('digger.v1.Protocol', 'PROTOCOL_');

/** Throws an Error when the message is not what this version can read. */
export function readHolder(reader: FieldReader, end: number, sharing: Sharing): ReplicaHolder {
  let kind = 0;
  let role = 0;
  let namespace = '';
  let name = '';
  let uid = '';
  let validFromMs = 0;
  let validToMs: number | undefined;
  let doubtedFromMs: number | undefined;
  let workload: ToldReference | undefined;
  let isHidden = false;
  let startedMs = 0;
  let seenMs = 0;
  let createdMs = 0;
  let ports: PortRange[] | undefined;
  let arePortsInexact = false;
  eachField(reader, end, (field) => {
    switch (field) {
      case HOLDER.kind:
        kind = reader.uint32();
        return true;
      case HOLDER.namespace:
        namespace = sharing.text(reader.string());
        return true;
      case HOLDER.name:
        name = reader.string();
        return true;
      case HOLDER.uid:
        uid = reader.string();
        return true;
      case HOLDER.role:
        role = reader.uint32();
        return true;
      case HOLDER.validFromMs:
        validFromMs = readMs(reader);
        return true;
      case HOLDER.validToMs:
        validToMs = readMs(reader);
        return true;
      case HOLDER.doubtedFromMs:
        doubtedFromMs = readMs(reader);
        return true;
      case HOLDER.workload:
        workload = sharing.workload(readReference(reader, messageEnd(reader)));
        return true;
      case HOLDER.startedMs:
        startedMs = readMs(reader);
        return true;
      case HOLDER.seenMs:
        seenMs = readMs(reader);
        return true;
      case HOLDER.createdMs:
        createdMs = readMs(reader);
        return true;
      case HOLDER.ports:
        ports ??= [];
        ports.push(readPortRange(reader, messageEnd(reader)));
        return true;
      case HOLDER.portsInexact:
        arePortsInexact = reader.bool();
        return true;
      case HOLDER.hidden:
        isHidden = reader.bool();
        return true;
      default:
        return false;
    }
  });
  return {
    kind: known(HOLDER_KINDS[kind], 'kind of holder', kind),
    namespace,
    name,
    uid,
    role: known(ROLES[role], 'role', role),
    validFromMs,
    validToMs,
    doubtedFromMs,
    workload,
    startedMs,
    seenMs,
    createdMs,
    ports,
    arePortsInexact,
    isHidden,
  };
}

function readReference(reader: FieldReader, end: number): ToldReference {
  let hidden = false;
  const reference = { apiVersion: '', kind: '', namespace: '', name: '', uid: '', incomplete: false };
  eachField(reader, end, (field) => {
    switch (field) {
      case REFERENCE.apiVersion:
        reference.apiVersion = reader.string();
        return true;
      case REFERENCE.kind:
        reference.kind = reader.string();
        return true;
      case REFERENCE.namespace:
        reference.namespace = reader.string();
        return true;
      case REFERENCE.name:
        reference.name = reader.string();
        return true;
      case REFERENCE.uid:
        reference.uid = reader.string();
        return true;
      case REFERENCE.incomplete:
        reference.incomplete = reader.bool();
        return true;
      case REFERENCE.hidden:
        hidden = reader.bool();
        return true;
      default:
        return false;
    }
  });
  return hidden ? { ...reference, hidden } : reference;
}

function readPortRange(reader: FieldReader, end: number): PortRange {
  let first = 0;
  let last = 0;
  let protocol = 0;
  eachField(reader, end, (field) => {
    switch (field) {
      case RANGE.first:
        first = reader.uint32();
        return true;
      case RANGE.last:
        last = reader.uint32();
        return true;
      case RANGE.protocol:
        protocol = reader.uint32();
        return true;
      default:
        return false;
    }
  });
  return { first, last, protocol: known(PROTOCOLS[protocol], 'protocol', protocol) };
}

/** Throws an Error when this version does not know the value: to leave it out would be a wrong answer. */
export function known<T>(value: T | undefined, what: string, given: number): T {
  if (value === undefined) throw new Error(`a timeline with an unknown ${what}: ${given}`);
  return value;
}
