// `digger.v1.AddressTimeline` as it comes over the wire, in the form that reading uses.

import { networkAddress } from '../model/kubernetes/pod-networks.ts';
import {
  AT_EDGE,
  CERTAIN,
  type Doubt,
  type NodeSpan,
  type Span,
  type Timeline,
  type TimelinePlace,
  UNCERTAIN,
} from '../timelines/timeline.ts';
import { known, PROTOCOLS, readHolder, type ReplicaHolder, type Sharing } from './holder-message.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd, readIndexes, readMs } from './message-fields.ts';

/** What a server told of a place. */
export type ToldTimeline =
  | { readonly place: TimelinePlace; readonly timeline: Timeline<ReplicaHolder> | undefined }
  /** A range, and whether it is known. */
  | { readonly range: string; readonly isKnown: boolean };

const TIMELINE = fieldNumbers('digger.v1.AddressTimeline', [
  'place',
  'holders',
  'spans',
  'nodes',
  'inCluster',
  'cutAtMs',
  'known',
]);
const PLACE = fieldNumbers('digger.v1.TimelinePlace', [
  'address',
  'node',
  'port',
  'protocol',
  'manyPorts',
  'range',
  'podNetwork',
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

type ToldPlace = TimelinePlace | { readonly range: string };

function readPlace(reader: FieldReader, end: number): ToldPlace {
  let address = '';
  let node = '';
  let port = 0;
  let protocolNumber = 0;
  let hasManyPorts = false;
  let range = '';
  let podNetwork = '';
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
      case PLACE.podNetwork:
        podNetwork = reader.string();
        return true;
      default:
        // A place that is told apart by a field which this version does not know would overwrite another.
        throw new Error(`a place with the unknown field ${field}`);
    }
  });
  if (range !== '') return { range };
  if (podNetwork !== '') return { of: 'address', address: networkAddress(address, podNetwork) };
  if (hasManyPorts) return { of: 'ports of an address', address };
  if (port === 0) return node === '' ? { of: 'address', address } : { of: 'node', node };
  const protocol = known(PROTOCOLS[protocolNumber], 'protocol', protocolNumber);
  if (node !== '') {
    return { of: 'port of a node', node, port, protocol, address: address === '' ? undefined : address };
  }
  if (address !== '') return { of: 'port of an address', address, port, protocol };
  return { of: 'port of every node', port, protocol };
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
  eachField(reader, end, (field, _, wireType) => {
    switch (field) {
      case SPAN.fromMs:
        fromMs = readMs(reader);
        return true;
      case SPAN.toMs:
        toMs = readMs(reader);
        return true;
      case SPAN.holders:
        readIndexes(reader, wireType, indexes);
        return true;
      case SPAN.atEdge:
        readIndexes(reader, wireType, atEdge);
        return true;
      case SPAN.uncertain:
        readIndexes(reader, wireType, uncertain);
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
