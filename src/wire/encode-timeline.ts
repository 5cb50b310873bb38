// `digger.v1.AddressTimeline` and `AddressFacts`, written once when they change: as the fields of a `Change`, so that a
// frame is made by copying.

import type { ByteString } from '../model/byte-string.ts';
import type { ObjectReference, Protocol } from '../model/entities.ts';
import { splitNetworkAddress } from '../model/kubernetes/pod-networks.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';
import type { AddressFacts } from '../timelines/facts.ts';
import {
  AT_EDGE,
  CERTAIN,
  type Span,
  type Timeline,
  type TimelineHolder,
  type TimelinePlace,
  UNCERTAIN,
} from '../timelines/timeline.ts';
import { FieldTags } from './field-tags.ts';
import { writeBool, writeReference, writeText, writeUint } from './fields.ts';
import { type MessageWriter, startEntity } from './message-writer.ts';
import { enumValues } from './schema.ts';

/** What a timeline tells of a holder beyond what reading needs. */
export interface PublishedHolder extends TimelineHolder {
  readonly namespace: string;
  /** `undefined` when there is not exactly one. */
  readonly workload: ObjectReference | undefined;
}

export type PublishedPlace = TimelinePlace | { readonly of: 'range'; readonly range: string };

/** `Change.timeline`. */
export function encodeTimeline<H extends PublishedHolder>(place: PublishedPlace, timeline: Timeline<H>): ByteString {
  return change(CHANGE.timeline, (writer) => {
    writePlace(writer, place);
    const indexes = new Map<H, number>();
    for (const { holders } of timeline.spans) {
      for (const holder of holders) if (!indexes.has(holder)) indexes.set(holder, indexes.size);
    }
    const isOfPort = 'port' in place || place.of === 'ports of an address';
    for (const holder of indexes.keys()) writeHolder(writer, holder, isOfPort);
    for (const span of timeline.spans) writeSpan(writer, span, indexes);
    for (const { fromMs, toMs, names } of timeline.nodes) {
      const begun = writer.uint32(TIMELINE.nodes).begin();
      writeMs(writer, NODE_SPAN.from, fromMs);
      if (Number.isFinite(toMs)) writer.uint32(NODE_SPAN.to).int64(toMs);
      for (const name of names) writer.uint32(NODE_SPAN.names).string(name);
      writer.end(begun);
    }
    writeBool(writer, TIMELINE.inCluster, timeline.isInCluster);
    if (Number.isFinite(timeline.cutAtMs)) writer.uint32(TIMELINE.cutAt).int64(timeline.cutAtMs);
  });
}

/** `Change.timeline` of a range that is known. */
export function encodeKnownRange(range: string): ByteString {
  return change(CHANGE.timeline, (writer) => {
    writePlace(writer, { of: 'range', range });
    writeBool(writer, TIMELINE.known, true);
  });
}

/** `Change.timeline` of a place of which nothing is known any more. */
export function encodeNoTimeline(place: PublishedPlace): ByteString {
  return change(CHANGE.timeline, (writer) => writePlace(writer, place));
}

/** `Change.facts`. */
export function encodeFacts(
  facts: AddressFacts,
  rangesComplete: { readonly ipv4: boolean; readonly ipv6: boolean },
): ByteString {
  return change(CHANGE.facts, (writer) => {
    writeMs(writer, FACTS.began, facts.beganMs);
    writeMs(writer, FACTS.history, facts.historyMs);
    for (const { sinceMs, untilMs } of facts.blind) {
      const begun = writer.uint32(FACTS.blind).begin();
      writeMs(writer, BLIND.since, sinceMs);
      writeMs(writer, BLIND.until, untilMs);
      writer.end(begun);
    }
    if (facts.blindSinceMs !== undefined) writer.uint32(FACTS.blindSince).int64(facts.blindSinceMs);
    if (Number.isFinite(facts.unknownUntilMs)) writeMs(writer, FACTS.unknownUntil, facts.unknownUntilMs);
    if (Number.isFinite(facts.incompleteUntilMs)) writer.uint32(FACTS.incompleteUntil).int64(facts.incompleteUntilMs);
    writeMs(writer, FACTS.reportDelay, facts.reportDelayMs);
    writeBool(writer, FACTS.partial, facts.isPartial);
    writeBool(writer, FACTS.rangesComplete4, rangesComplete.ipv4);
    writeBool(writer, FACTS.rangesComplete6, rangesComplete.ipv6);
  });
}

/** `Change.forgotten`. */
export function encodeForgotten(kind: 'Pod' | 'Service' | 'Node', uid: string): ByteString {
  return change(CHANGE.forgotten, (writer) => {
    writer.uint32(FORGOTTEN.kind).uint32(KINDS[kind]);
    writeText(writer, FORGOTTEN.uid, uid);
  });
}

function change(tag: number, write: (writer: MessageWriter) => void): ByteString {
  const writer = startEntity();
  const begun = writer.uint32(tag).begin();
  write(writer);
  return writer.end(begun).cut();
}

function writePlace(writer: MessageWriter, place: PublishedPlace): void {
  const begun = writer.uint32(TIMELINE.place).begin();
  if ('address' in place && place.address !== undefined) {
    const { address, network } = splitNetworkAddress(place.address);
    writeText(writer, PLACE.address, address);
    writeText(writer, PLACE.podNetwork, network);
  }
  if ('node' in place) writeText(writer, PLACE.node, place.node);
  if ('port' in place) {
    writeUint(writer, PLACE.port, place.port);
    writer.uint32(PLACE.protocol).uint32(PROTOCOLS[place.protocol]);
  }
  writeBool(writer, PLACE.manyPorts, place.of === 'ports of an address');
  if (place.of === 'range') writeText(writer, PLACE.range, place.range);
  writer.end(begun);
}

function writeHolder(writer: MessageWriter, holder: PublishedHolder, isOfPort: boolean): void {
  const begun = writer.uint32(TIMELINE.holders).begin();
  writer.uint32(HOLDER.kind).uint32(KINDS[holder.kind]);
  const isHiddenHolder = isHidden(holder.namespace);
  if (isHiddenHolder) writer.uint32(HOLDER.hidden).bool(true);
  else {
    writeText(writer, HOLDER.namespace, holder.namespace);
    writeText(writer, HOLDER.name, holder.name);
  }
  writeText(writer, HOLDER.uid, holder.uid);
  writer.uint32(HOLDER.role).uint32(ROLES[`ADDRESS_ROLE_${holder.role}`] ?? 0);
  writeMs(writer, HOLDER.validFrom, holder.validFromMs);
  if (holder.validToMs !== undefined) writer.uint32(HOLDER.validTo).int64(holder.validToMs);
  if (holder.doubtedFromMs !== undefined) writer.uint32(HOLDER.doubtedFrom).int64(holder.doubtedFromMs);
  if (holder.workload !== undefined && !isHiddenHolder) writeReference(writer, HOLDER.workload, holder.workload);
  if (isOfPort) {
    writeMs(writer, HOLDER.started, holder.startedMs);
    writeMs(writer, HOLDER.seen, holder.seenMs);
    writeMs(writer, HOLDER.created, holder.createdMs);
    for (const { first, last, protocol } of holder.ports ?? []) {
      const range = writer.uint32(HOLDER.ports).begin();
      writeUint(writer, PORT_RANGE.first, first);
      writeUint(writer, PORT_RANGE.last, last);
      writer.uint32(PORT_RANGE.protocol).uint32(PROTOCOLS[protocol]);
      writer.end(range);
    }
    writeBool(writer, HOLDER.portsInexact, holder.arePortsInexact === true);
  }
  writer.end(begun);
}

function writeSpan<H extends TimelineHolder>(
  writer: MessageWriter,
  span: Span<H>,
  indexes: ReadonlyMap<H, number>,
): void {
  const begun = writer.uint32(TIMELINE.spans).begin();
  writeMs(writer, SPAN.from, span.fromMs);
  if (Number.isFinite(span.toMs)) writer.uint32(SPAN.to).int64(span.toMs);
  const pack = (tag: number, doubt?: number): void => {
    const some = doubt === undefined ? span.holders : span.holders.filter((_, at) => span.doubts[at] === doubt);
    if (some.length === 0) return;
    const packed = writer.uint32(tag).begin();
    for (const holder of some) writer.uint32(indexes.get(holder) ?? 0);
    writer.end(packed);
  };
  pack(SPAN.holders);
  // Nearly always all are certain.
  if (span.doubts.some((doubt) => doubt !== CERTAIN)) {
    pack(SPAN.atEdge, AT_EDGE);
    pack(SPAN.uncertain, UNCERTAIN);
  }
  if (span.is === 'near') writer.uint32(SPAN.near).int64(span.nearMs);
  writeBool(writer, SPAN.presumed, span.is === 'presumed');
  writeBool(writer, SPAN.unknownNode, span.is === 'unknown-node');
  writeBool(writer, SPAN.more, span.hasMore);
  writer.end(begun);
}

/** A plain int64: 0 is left out. */
function writeMs(writer: MessageWriter, tag: number, ms: number): void {
  if (ms !== 0 && Number.isFinite(ms)) writer.uint32(tag).int64(ms);
}

const changeTags = new FieldTags('digger.v1.Change');
const CHANGE = {
  timeline: changeTags.delimited('timeline'),
  facts: changeTags.delimited('facts'),
  forgotten: changeTags.delimited('forgotten'),
};
const timelineTags = new FieldTags('digger.v1.AddressTimeline');
const TIMELINE = {
  place: timelineTags.delimited('place'),
  holders: timelineTags.delimited('holders'),
  spans: timelineTags.delimited('spans'),
  nodes: timelineTags.delimited('nodes'),
  inCluster: timelineTags.varint('inCluster'),
  cutAt: timelineTags.varint('cutAtMs'),
  known: timelineTags.varint('known'),
};
const placeTags = new FieldTags('digger.v1.TimelinePlace');
const PLACE = {
  address: placeTags.delimited('address'),
  node: placeTags.delimited('node'),
  port: placeTags.varint('port'),
  protocol: placeTags.varint('protocol'),
  manyPorts: placeTags.varint('manyPorts'),
  range: placeTags.delimited('range'),
  podNetwork: placeTags.delimited('podNetwork'),
};
const holderTags = new FieldTags('digger.v1.TimelineHolder');
const HOLDER = {
  kind: holderTags.varint('kind'),
  namespace: holderTags.delimited('namespace'),
  name: holderTags.delimited('name'),
  uid: holderTags.delimited('uid'),
  role: holderTags.varint('role'),
  validFrom: holderTags.varint('validFromMs'),
  validTo: holderTags.varint('validToMs'),
  doubtedFrom: holderTags.varint('doubtedFromMs'),
  workload: holderTags.delimited('workload'),
  started: holderTags.varint('startedMs'),
  seen: holderTags.varint('seenMs'),
  created: holderTags.varint('createdMs'),
  ports: holderTags.delimited('ports'),
  portsInexact: holderTags.varint('portsInexact'),
  hidden: holderTags.varint('hidden'),
};
const rangeTags = new FieldTags('digger.v1.PortRange');
const PORT_RANGE = {
  first: rangeTags.varint('first'),
  last: rangeTags.varint('last'),
  protocol: rangeTags.varint('protocol'),
};
const spanTags = new FieldTags('digger.v1.TimelineSpan');
const SPAN = {
  from: spanTags.varint('fromMs'),
  to: spanTags.varint('toMs'),
  holders: spanTags.delimited('holders'),
  atEdge: spanTags.delimited('atEdge'),
  uncertain: spanTags.delimited('uncertain'),
  near: spanTags.varint('nearMs'),
  presumed: spanTags.varint('presumed'),
  unknownNode: spanTags.varint('unknownNode'),
  more: spanTags.varint('more'),
};
const nodeSpanTags = new FieldTags('digger.v1.NodeSpan');
const NODE_SPAN = {
  from: nodeSpanTags.varint('fromMs'),
  to: nodeSpanTags.varint('toMs'),
  names: nodeSpanTags.delimited('names'),
};
const factsTags = new FieldTags('digger.v1.AddressFacts');
const FACTS = {
  began: factsTags.varint('beganMs'),
  history: factsTags.varint('historyMs'),
  blind: factsTags.delimited('blind'),
  blindSince: factsTags.varint('blindSinceMs'),
  unknownUntil: factsTags.varint('unknownUntilMs'),
  incompleteUntil: factsTags.varint('incompleteUntilMs'),
  reportDelay: factsTags.varint('reportDelayMs'),
  partial: factsTags.varint('partial'),
  rangesComplete4: factsTags.varint('rangesCompleteIpv4'),
  rangesComplete6: factsTags.varint('rangesCompleteIpv6'),
};
const blindTags = new FieldTags('digger.v1.BlindMoment');
const BLIND = { since: blindTags.varint('sinceMs'), until: blindTags.varint('untilMs') };
const forgottenTags = new FieldTags('digger.v1.Forgotten');
const FORGOTTEN = { kind: forgottenTags.varint('kind'), uid: forgottenTags.delimited('uid') };

const ROLES = enumValues('digger.v1.AddressRole');
const KINDS = kindNumbers();
const PROTOCOLS = protocolNumbers();

function kindNumbers(): Readonly<Record<'Pod' | 'Service' | 'Node', number>> {
  const values = enumValues('digger.v1.EntityKind');
  return {
    Pod: values['ENTITY_KIND_POD'] ?? 0,
    Service: values['ENTITY_KIND_SERVICE'] ?? 0,
    Node: values['ENTITY_KIND_NODE'] ?? 0,
  };
}

function protocolNumbers(): Readonly<Record<Protocol, number>> {
  const values = enumValues('digger.v1.Protocol');
  return {
    TCP: values['PROTOCOL_TCP'] ?? 0,
    UDP: values['PROTOCOL_UDP'] ?? 0,
    SCTP: values['PROTOCOL_SCTP'] ?? 0,
  };
}
