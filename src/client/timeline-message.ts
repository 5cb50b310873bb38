// `digger.v1.AddressTimeline` and `AddressFacts` as they come over the wire, in the form that reading uses.

import type { ObjectReference, Protocol } from '../model/entities.ts';
import type { AddressFacts, BlindMoment } from '../timelines/facts.ts';
import {
  type AddressRole,
  AT_EDGE,
  CERTAIN,
  type Doubt,
  type NodeSpan,
  type PortRange,
  type Span,
  type Timeline,
  type TimelineHolder,
  type TimelinePlace,
  UNCERTAIN,
} from '../timelines/timeline.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd, readIndexes, readMs } from './message-fields.ts';

/** What a replica knows of a holder by its timeline alone. */
export interface ReplicaHolder extends TimelineHolder {
  /** Empty for nodes. */
  readonly namespace: string;
  /** The one workload behind it; unset when there is not exactly one. */
  readonly workload: ObjectReference | undefined;
}

/** What a server told of a place. */
export type ToldTimeline =
  | { readonly place: TimelinePlace; readonly timeline: Timeline<ReplicaHolder> | undefined }
  /** A range, and whether it is known. */
  | { readonly range: string; readonly isKnown: boolean };

/** Facts, with what they say of ranges. */
export interface ToldFacts extends AddressFacts {
  readonly areRangesComplete: Readonly<Record<'ipv4' | 'ipv6', boolean>>;
}

/** Makes values that equal earlier ones the same value, so that thousands of timelines need one; see shared-values.ts. */
export interface Sharing {
  text(text: string): string;
  workload(reference: ObjectReference): ObjectReference;
}

const TIMELINE = fieldNumbers('digger.v1.AddressTimeline', [
  'place',
  'holders',
  'spans',
  'nodes',
  'inCluster',
  'cutAtMs',
  'known',
]);
const PLACE = fieldNumbers('digger.v1.TimelinePlace', ['address', 'node', 'port', 'protocol', 'manyPorts', 'range']);
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
]);
const REFERENCE = fieldNumbers('digger.v1.ObjectReference', [
  'apiVersion',
  'kind',
  'namespace',
  'name',
  'uid',
  'incomplete',
]);
const SPAN = fieldNumbers('digger.v1.TimelineSpan', [
  'fromMs',
  'toMs',
  'holders',
  'atEdge',
  'uncertain',
  'nearMs',
  'presumed',
  'unknownNode',
  'more',
]);
const NODES = fieldNumbers('digger.v1.NodeSpan', ['fromMs', 'toMs', 'names']);
const RANGE = fieldNumbers('digger.v1.PortRange', ['first', 'last', 'protocol']);
const FACTS = fieldNumbers('digger.v1.AddressFacts', [
  'beganMs',
  'historyMs',
  'blind',
  'blindSinceMs',
  'unknownUntilMs',
  'incompleteUntilMs',
  'reportDelayMs',
  'partial',
  'rangesCompleteIpv4',
  'rangesCompleteIpv6',
]);
const BLIND = fieldNumbers('digger.v1.BlindMoment', ['sinceMs', 'untilMs']);

/** `digger.v1.EntityKind`, `AddressRole` and `Protocol` by number. */
export const HOLDER_KINDS = [undefined, 'Pod', 'Service', 'Node'] as const;
export const ROLES: readonly (AddressRole | undefined)[] = [
  undefined,
  'POD_IP',
  'HOST_PORT',
  'HOST_NETWORK',
  'CLUSTER_IP',
  'LOAD_BALANCER',
  'EXTERNAL_IP',
  'NODE_PORT',
  'NODE_ADDRESS',
  'ENDPOINT',
];
const PROTOCOLS: readonly (Protocol | undefined)[] = [undefined, 'TCP', 'UDP', 'SCTP'];

const NO_NODES: readonly NodeSpan[] = Object.freeze([]);
const NO_HOLDERS: readonly ReplicaHolder[] = Object.freeze([]);
const ONE_DOUBT: readonly (readonly Doubt[])[] = [[CERTAIN], [AT_EDGE], [UNCERTAIN]];
const NO_DOUBTS: readonly Doubt[] = Object.freeze([]);

/** Throws an Error when the message is not what this version can read: to leave a part out would be a wrong answer. */
export function readTimeline(reader: FieldReader, end: number, sharing: Sharing): ToldTimeline {
  let place: ToldPlace | undefined;
  const holders: ReplicaHolder[] = [];
  const spans: Span<ReplicaHolder>[] = [];
  let nodes: NodeSpan[] | undefined;
  let isInCluster = false;
  let cutAtMs = Number.NEGATIVE_INFINITY;
  let isKnown = false;
  // Holders may stand behind the spans that refer to them.
  const spanEnds: number[] = [];
  eachField(reader, end, (field) => {
    switch (field) {
      case TIMELINE.place:
        place = readPlace(reader, messageEnd(reader));
        return true;
      case TIMELINE.holders:
        holders.push(readHolder(reader, messageEnd(reader), sharing));
        return true;
      case TIMELINE.spans: {
        const spanEnd = messageEnd(reader);
        spanEnds.push(reader.pos, spanEnd);
        reader.pos = spanEnd;
        return true;
      }
      case TIMELINE.nodes:
        nodes ??= [];
        nodes.push(readNodes(reader, messageEnd(reader), sharing));
        return true;
      case TIMELINE.inCluster:
        isInCluster = reader.bool();
        return true;
      case TIMELINE.cutAtMs:
        cutAtMs = readMs(reader);
        return true;
      case TIMELINE.known:
        isKnown = reader.bool();
        return true;
      default:
        return false;
    }
  });
  for (let index = 0; index < spanEnds.length; index += 2) {
    reader.pos = spanEnds[index] as number;
    spans.push(readSpan(reader, spanEnds[index + 1] as number, holders));
  }
  reader.pos = end;
  if (place === undefined) throw new Error('a timeline without a place');
  const told = place as ToldPlace;
  if ('range' in told) return { range: told.range, isKnown };
  const isEmpty = spans.length === 0 && nodes === undefined && !isInCluster && cutAtMs === Number.NEGATIVE_INFINITY;
  return {
    place: told,
    timeline: isEmpty ? undefined : { spans, nodes: nodes ?? NO_NODES, isInCluster, cutAtMs },
  };
}

/** See `readTimeline`. */
export function readFacts(reader: FieldReader, end: number): ToldFacts {
  const facts = {
    beganMs: 0,
    historyMs: 0,
    blind: [] as BlindMoment[],
    blindSinceMs: undefined as number | undefined,
    unknownUntilMs: 0,
    incompleteUntilMs: Number.NEGATIVE_INFINITY,
    reportDelayMs: 0,
    isPartial: false,
    areRangesComplete: { ipv4: false, ipv6: false },
  };
  eachField(reader, end, (field) => {
    switch (field) {
      case FACTS.beganMs:
        facts.beganMs = readMs(reader);
        return true;
      case FACTS.historyMs:
        facts.historyMs = readMs(reader);
        return true;
      case FACTS.blind:
        facts.blind.push(readBlind(reader, messageEnd(reader)));
        return true;
      case FACTS.blindSinceMs:
        facts.blindSinceMs = readMs(reader);
        return true;
      case FACTS.unknownUntilMs:
        facts.unknownUntilMs = readMs(reader);
        return true;
      case FACTS.incompleteUntilMs:
        facts.incompleteUntilMs = readMs(reader);
        return true;
      case FACTS.reportDelayMs:
        facts.reportDelayMs = readMs(reader);
        return true;
      case FACTS.partial:
        facts.isPartial = reader.bool();
        return true;
      case FACTS.rangesCompleteIpv4:
        facts.areRangesComplete.ipv4 = reader.bool();
        return true;
      case FACTS.rangesCompleteIpv6:
        facts.areRangesComplete.ipv6 = reader.bool();
        return true;
      default:
        return false;
    }
  });
  return facts;
}

type ToldPlace = TimelinePlace | { readonly range: string };

function readPlace(reader: FieldReader, end: number): ToldPlace {
  let address = '';
  let node = '';
  let port = 0;
  let protocolNumber = 0;
  let hasManyPorts = false;
  let range = '';
  eachField(reader, end, (field) => {
    switch (field) {
      case PLACE.address:
        address = reader.string();
        return true;
      case PLACE.node:
        node = reader.string();
        return true;
      case PLACE.port:
        port = reader.uint32();
        return true;
      case PLACE.protocol:
        protocolNumber = reader.uint32();
        return true;
      case PLACE.manyPorts:
        hasManyPorts = reader.bool();
        return true;
      case PLACE.range:
        range = reader.string();
        return true;
      default:
        // A place that is told apart by a field which this version does not know would overwrite another.
        throw new Error(`a place with the unknown field ${field}`);
    }
  });
  if (range !== '') return { range };
  if (hasManyPorts) return { of: 'ports of an address', address };
  if (port === 0) return node === '' ? { of: 'address', address } : { of: 'node', node };
  const protocol = known(PROTOCOLS[protocolNumber], 'protocol', protocolNumber);
  if (node !== '') {
    return { of: 'port of a node', node, port, protocol, address: address === '' ? undefined : address };
  }
  if (address !== '') return { of: 'port of an address', address, port, protocol };
  return { of: 'port of every node', port, protocol };
}

function readHolder(reader: FieldReader, end: number, sharing: Sharing): ReplicaHolder {
  let kind = 0;
  let role = 0;
  let namespace = '';
  let name = '';
  let uid = '';
  let validFromMs = 0;
  let validToMs: number | undefined;
  let doubtedFromMs: number | undefined;
  let workload: ObjectReference | undefined;
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
  };
}

function readReference(reader: FieldReader, end: number): ObjectReference {
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
      default:
        return false;
    }
  });
  return reference;
}

function readSpan(reader: FieldReader, end: number, holders: readonly ReplicaHolder[]): Span<ReplicaHolder> {
  let fromMs = 0;
  let toMs = Number.POSITIVE_INFINITY;
  const indexes: number[] = [];
  const atEdge: number[] = [];
  const uncertain: number[] = [];
  let nearMs: number | undefined;
  let isPresumed = false;
  let isUnknownNode = false;
  let hasMore = false;
  eachField(reader, end, (field) => {
    switch (field) {
      case SPAN.fromMs:
        fromMs = readMs(reader);
        return true;
      case SPAN.toMs:
        toMs = readMs(reader);
        return true;
      case SPAN.holders:
        readIndexes(reader, indexes);
        return true;
      case SPAN.atEdge:
        readIndexes(reader, atEdge);
        return true;
      case SPAN.uncertain:
        readIndexes(reader, uncertain);
        return true;
      case SPAN.nearMs:
        nearMs = readMs(reader);
        return true;
      case SPAN.presumed:
        isPresumed = reader.bool();
        return true;
      case SPAN.unknownNode:
        isUnknownNode = reader.bool();
        return true;
      case SPAN.more:
        hasMore = reader.bool();
        return true;
      default:
        return false;
    }
  });
  const doubtOf = (index: number): Doubt =>
    uncertain.includes(index) ? UNCERTAIN : atEdge.includes(index) ? AT_EDGE : CERTAIN;
  return {
    fromMs,
    toMs,
    is: isUnknownNode ? 'unknown-node' : isPresumed ? 'presumed' : nearMs === undefined ? 'holds' : 'near',
    holders: indexes.length === 0 ? NO_HOLDERS : indexes.map((index) => known(holders[index], 'holder', index)),
    doubts:
      indexes.length === 0
        ? NO_DOUBTS
        : indexes.length === 1
          ? (ONE_DOUBT[doubtOf(indexes[0] as number)] as readonly Doubt[])
          : indexes.map(doubtOf),
    nearMs: nearMs ?? 0,
    hasMore,
  };
}

function readNodes(reader: FieldReader, end: number, sharing: Sharing): NodeSpan {
  let fromMs = 0;
  let toMs = Number.POSITIVE_INFINITY;
  const names: string[] = [];
  eachField(reader, end, (field) => {
    switch (field) {
      case NODES.fromMs:
        fromMs = readMs(reader);
        return true;
      case NODES.toMs:
        toMs = readMs(reader);
        return true;
      case NODES.names:
        names.push(sharing.text(reader.string()));
        return true;
      default:
        return false;
    }
  });
  return { fromMs, toMs, names };
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

function readBlind(reader: FieldReader, end: number): BlindMoment {
  let sinceMs = 0;
  let untilMs = 0;
  eachField(reader, end, (field) => {
    switch (field) {
      case BLIND.sinceMs:
        sinceMs = readMs(reader);
        return true;
      case BLIND.untilMs:
        untilMs = readMs(reader);
        return true;
      default:
        return false;
    }
  });
  return { sinceMs, untilMs };
}

function known<T>(value: T | undefined, what: string, given: number): T {
  if (value === undefined) throw new Error(`a timeline with an unknown ${what}: ${given}`);
  return value;
}
