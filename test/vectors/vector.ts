// A vector: a recorded stream of the feed, and questions with the answers that any reader of timelines must give. See
// README.md for the form. Here: reading one into the form that src/timelines answers from, and asking its questions.
//
// Frames are digger.v1.WatchResponse in protobuf's JSON; of their changes only timelines and facts matter to reading.

import { parseCidr } from '../../src/model/ip/cidr.ts';
import { parseIp } from '../../src/model/ip/ip.ts';
import { networkAddress } from '../../src/model/kubernetes/pod-networks.ts';
import type { AddressFacts } from '../../src/timelines/facts.ts';
import { resolveInterval } from '../../src/timelines/interval.ts';
import { Prefixes } from '../../src/timelines/prefixes.ts';
import { resolve, resolveOthers, Verdict } from '../../src/timelines/resolve.ts';
import type { TimelineSource } from '../../src/timelines/source.ts';
import { TimelineStore } from '../../src/timelines/store.ts';
import {
  type AddressRole,
  AT_EDGE,
  CERTAIN,
  MAX_CANDIDATES,
  type Timeline,
  type TimelineHolder,
  type TimelinePlace,
  UNCERTAIN,
} from '../../src/timelines/timeline.ts';

type Protocol = 'TCP' | 'UDP' | 'SCTP';
/** Protobuf's JSON writes 64-bit numbers as text, and reads both. */
type Int64 = number | string;

export interface HolderJson {
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid: string;
  readonly role: string;
  readonly validFromMs?: Int64;
  readonly validToMs?: Int64;
  readonly doubtedFromMs?: Int64;
  readonly workload?: { readonly uid?: string; readonly hidden?: boolean; readonly [field: string]: unknown };
  readonly startedMs?: Int64;
  readonly seenMs?: Int64;
  readonly createdMs?: Int64;
  readonly ports?: readonly { readonly first: number; readonly last: number; readonly protocol: string }[];
  readonly portsInexact?: boolean;
  readonly hidden?: boolean;
}

export interface SpanJson {
  readonly fromMs?: Int64;
  readonly toMs?: Int64;
  readonly holders?: readonly number[];
  readonly atEdge?: readonly number[];
  readonly uncertain?: readonly number[];
  readonly nearMs?: Int64;
  readonly presumed?: boolean;
  readonly unknownNode?: boolean;
  readonly more?: boolean;
}

export interface TimelineJson {
  readonly place: {
    readonly address?: string;
    readonly node?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly manyPorts?: boolean;
    readonly range?: string;
    readonly podNetwork?: string;
  };
  readonly holders?: readonly HolderJson[];
  readonly spans?: readonly SpanJson[];
  readonly nodes?: readonly { readonly fromMs?: Int64; readonly toMs?: Int64; readonly names: readonly string[] }[];
  readonly inCluster?: boolean;
  readonly cutAtMs?: Int64;
  readonly known?: boolean;
}

export interface FactsJson {
  readonly beganMs?: Int64;
  readonly historyMs?: Int64;
  readonly blind?: readonly { readonly sinceMs?: Int64; readonly untilMs?: Int64 }[];
  readonly blindSinceMs?: Int64;
  readonly unknownUntilMs?: Int64;
  readonly incompleteUntilMs?: Int64;
  readonly reportDelayMs?: Int64;
  readonly partial?: boolean;
  readonly rangesCompleteIpv4?: boolean;
  readonly rangesCompleteIpv6?: boolean;
}

export interface ChangeJson {
  readonly timeline?: TimelineJson;
  readonly facts?: FactsJson;
  readonly [other: string]: unknown;
}

export interface FrameJson {
  readonly reset?: object;
  readonly changes?: { readonly changes: readonly ChangeJson[] };
  readonly synced?: object;
  readonly progress?: object;
  readonly resumeToken?: string;
}

export interface QuestionJson {
  readonly address: string;
  readonly port?: number;
  readonly protocol?: Protocol;
  /** Unset: the cluster's network. */
  readonly podNetwork?: string;
  readonly atMs?: number;
  readonly untilMs?: number;
  readonly nowMs: number;
  /** The moment of the last frame, where that is longer ago than the heartbeat (rule 11). */
  readonly heardMs?: number;
}

export interface AnsweringHolder {
  readonly uid: string;
  readonly role: string;
  readonly from: number;
  readonly to?: number;
  readonly uncertain?: true;
}

/** Fields that say nothing are left out, so that answers can be compared as JSON. */
export interface AnswerJson {
  readonly outcome: string;
  /** RESOLVED and AMBIGUOUS. */
  readonly uncertain?: true;
  readonly holders?: readonly AnsweringHolder[];
  /** RESOLVED to a node: the pods that could be meant too. */
  readonly others?: readonly AnsweringHolder[];
  /** uid of the one workload. */
  readonly workload?: string;
  readonly since: number;
}

export interface Vector {
  readonly about: string;
  readonly frames: readonly FrameJson[];
  readonly questions: readonly {
    readonly about?: string;
    readonly ask: QuestionJson;
    readonly answer: AnswerJson;
  }[];
}

interface Holder extends TimelineHolder {
  /** Empty of a hidden workload, which counts as none. */
  readonly workloadUid: string | undefined;
  readonly isHidden: boolean;
}

/** What the frames leave behind, as a source of timelines. */
export class Picture implements TimelineSource<Holder> {
  facts: AddressFacts = factsOf({});
  readonly #store = new TimelineStore<Holder>();
  readonly #known = new Set<string>();
  readonly #ranges = new Prefixes();
  #complete = { ipv4: false, ipv6: false };

  constructor(frames: readonly FrameJson[]) {
    const lastReset = frames.findLastIndex(({ reset }) => reset !== undefined);
    for (const { changes } of frames.slice(lastReset + 1)) for (const each of changes?.changes ?? []) this.#apply(each);
  }

  #apply({ timeline, facts }: ChangeJson): void {
    if (facts !== undefined) {
      this.facts = factsOf(facts);
      this.#complete = { ipv4: facts.rangesCompleteIpv4 === true, ipv6: facts.rangesCompleteIpv6 === true };
    }
    if (timeline === undefined) return;
    const { place, ...rest } = timeline;
    if (place.range !== undefined) return this.#setRange(place.range, timeline.known === true);
    this.#store.set(placeOf(place), Object.keys(rest).length === 0 ? undefined : timelineOf(timeline));
  }

  #setRange(text: string, isKnown: boolean): void {
    const range = parseCidr(text);
    if (range === undefined || this.#known.has(text) === isKnown) return;
    if (isKnown) {
      this.#known.add(text);
      this.#ranges.add(range);
    } else {
      this.#known.delete(text);
      this.#ranges.delete(range);
    }
  }

  readonly ofAddress: TimelineSource<Holder>['ofAddress'] = (...asked) => this.#store.ofAddress(...asked);
  readonly hasPorts: TimelineSource<Holder>['hasPorts'] = (...asked) => this.#store.hasPorts(...asked);
  readonly ofPort: TimelineSource<Holder>['ofPort'] = (...asked) => this.#store.ofPort(...asked);
  readonly ofPorts: TimelineSource<Holder>['ofPorts'] = (...asked) => this.#store.ofPorts(...asked);
  readonly ofNodePort: TimelineSource<Holder>['ofNodePort'] = (...asked) => this.#store.ofNodePort(...asked);
  readonly ofEveryNodePort: TimelineSource<Holder>['ofEveryNodePort'] = (...asked) =>
    this.#store.ofEveryNodePort(...asked);
  readonly ofNode: TimelineSource<Holder>['ofNode'] = (...asked) => this.#store.ofNode(...asked);
  readonly isInRange: TimelineSource<Holder>['isInRange'] = (address) => this.#ranges.contain(address);
  readonly areRangesComplete: TimelineSource<Holder>['areRangesComplete'] = (family) => this.#complete[family];
}

/** Answers as src/timelines does. */
export function answer(picture: Picture, ask: QuestionJson): AnswerJson {
  const known = picture.facts;
  const address = parseIp(ask.address);
  if (address === undefined) throw new Error(`no address: ${ask.address}`);
  const heardMs = Math.min(known.blindSinceMs ?? Number.POSITIVE_INFINITY, ask.heardMs ?? Number.POSITIVE_INFINITY);
  if (heardMs !== Number.POSITIVE_INFINITY) picture.facts = { ...known, blindSinceMs: heardMs };
  try {
    const { port, protocol, podNetwork = '', atMs, untilMs, nowMs } = ask;
    const question = {
      address: networkAddress(address, podNetwork),
      ...(port === undefined ? {} : { port }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    if (atMs !== undefined && untilMs !== undefined) {
      return throughout(picture, { ...question, atMs }, untilMs, nowMs);
    }
    return atOneMoment(picture, { ...question, ...(atMs === undefined ? {} : { atMs }) }, nowMs);
  } finally {
    picture.facts = known;
  }
}

function atOneMoment(picture: Picture, question: Parameters<typeof resolve>[1], nowMs: number): AnswerJson {
  const verdict = new Verdict<Holder>();
  resolve(picture, question, nowMs, verdict);
  const { outcome, historySinceMs: since } = verdict;
  const holders = verdict.holders.map((holder, i) =>
    written(holder, holder.validFromMs, holder.validToMs, verdict.isUncertain(i)),
  );
  const found = [...verdict.holders];
  const others = othersOf(picture, outcome, found, Math.min(question.atMs ?? nowMs, nowMs));
  return assembled(outcome, holders, others, found, since);
}

/** Of a node: the pods that could be meant too. */
function othersOf(picture: Picture, outcome: string, [node]: readonly Holder[], atMs: number): AnsweringHolder[] {
  if (outcome !== 'RESOLVED' || node?.kind !== 'Node') return [];
  const verdict = new Verdict<Holder>();
  resolveOthers(picture, node.name, atMs, verdict);
  return verdict.holders.map((holder, i) =>
    written(holder, holder.validFromMs, holder.validToMs, verdict.isUncertain(i)),
  );
}

function throughout(
  picture: Picture,
  question: Parameters<typeof resolveInterval>[1],
  untilMs: number,
  nowMs: number,
): AnswerJson {
  const { outcome, runs, historySinceMs } = resolveInterval(picture, question, untilMs, nowMs);
  const holders = runs.map(({ holder, fromMs, toMs, isUncertain }) => written(holder, fromMs, toMs, isUncertain));
  const found = runs.map(({ holder }) => holder as Holder);
  const others = othersOf(picture, outcome, found, Math.min(untilMs, nowMs));
  return assembled(outcome, holders, others, found, historySinceMs);
}

function assembled(
  outcome: string,
  holders: readonly AnsweringHolder[],
  others: readonly AnsweringHolder[],
  found: readonly Holder[],
  since: number,
): AnswerJson {
  const uids = new Set(found.map(({ workloadUid }) => workloadUid));
  const [workload] = uids;
  return {
    outcome: outcome === 'RESOLVED' && found[0]?.isHidden === true ? 'HIDDEN' : outcome,
    ...(holders.length > 0 && holders.every(({ uncertain }) => uncertain) ? { uncertain: true } : {}),
    ...(holders.length > 0 ? { holders: holders.slice(0, MAX_CANDIDATES) } : {}),
    ...(others.length > 0 ? { others } : {}),
    ...(uids.size === 1 && workload !== undefined && workload !== '' && found.length <= MAX_CANDIDATES
      ? { workload }
      : {}),
    since,
  };
}

function written(
  { uid, role }: TimelineHolder,
  from: number,
  to: number | undefined,
  isUncertain: boolean,
): AnsweringHolder {
  return { uid, role, from, ...(to === undefined ? {} : { to }), ...(isUncertain ? { uncertain: true } : {}) };
}

const KINDS: Readonly<Record<string, TimelineHolder['kind']>> = {
  ENTITY_KIND_POD: 'Pod',
  ENTITY_KIND_SERVICE: 'Service',
  ENTITY_KIND_NODE: 'Node',
};

function factsOf(facts: FactsJson): AddressFacts {
  return {
    beganMs: ms(facts.beganMs) ?? 0,
    historyMs: ms(facts.historyMs) ?? 0,
    blind: (facts.blind ?? []).map(({ sinceMs, untilMs }) => ({
      sinceMs: ms(sinceMs) ?? 0,
      untilMs: ms(untilMs) ?? 0,
    })),
    blindSinceMs: ms(facts.blindSinceMs),
    unknownUntilMs: ms(facts.unknownUntilMs) ?? 0,
    incompleteUntilMs: ms(facts.incompleteUntilMs) ?? Number.NEGATIVE_INFINITY,
    reportDelayMs: ms(facts.reportDelayMs) ?? 0,
    isPartial: facts.partial === true,
  };
}

function placeOf({ address, node, port, protocol, manyPorts, podNetwork }: TimelineJson['place']): TimelinePlace {
  if (podNetwork !== undefined) return { of: 'address', address: networkAddress(address ?? '', podNetwork) };
  if (port !== undefined && protocol !== undefined) {
    const at = { port, protocol: protocol.slice('PROTOCOL_'.length) as Protocol };
    if (node !== undefined) return { of: 'port of a node', node, address, ...at };
    return address === undefined ? { of: 'port of every node', ...at } : { of: 'port of an address', address, ...at };
  }
  if (node !== undefined) return { of: 'node', node };
  if (address === undefined) throw new Error('a timeline without a place');
  return manyPorts === true ? { of: 'ports of an address', address } : { of: 'address', address };
}

function timelineOf(timeline: TimelineJson): Timeline<Holder> {
  const holders = (timeline.holders ?? []).map(holderOf);
  return {
    spans: (timeline.spans ?? []).map((span) => {
      const indexes = span.holders ?? [];
      return {
        fromMs: ms(span.fromMs) ?? 0,
        toMs: ms(span.toMs) ?? Number.POSITIVE_INFINITY,
        is: kindOf(span),
        holders: indexes.map((index) => holders[index] as Holder),
        doubts: indexes.map((index) => {
          if (span.uncertain?.includes(index) === true) return UNCERTAIN;
          return span.atEdge?.includes(index) === true ? AT_EDGE : CERTAIN;
        }),
        nearMs: ms(span.nearMs) ?? 0,
        hasMore: span.more === true,
      };
    }),
    nodes: (timeline.nodes ?? []).map(({ fromMs, toMs, names }) => ({
      fromMs: ms(fromMs) ?? 0,
      toMs: ms(toMs) ?? Number.POSITIVE_INFINITY,
      names,
    })),
    isInCluster: timeline.inCluster === true,
    cutAtMs: ms(timeline.cutAtMs) ?? Number.NEGATIVE_INFINITY,
  };
}

function kindOf(span: SpanJson): 'holds' | 'near' | 'presumed' | 'unknown-node' {
  if (span.unknownNode === true) return 'unknown-node';
  if (span.nearMs !== undefined) return 'near';
  return span.presumed === true ? 'presumed' : 'holds';
}

function holderOf(holder: HolderJson): Holder {
  return {
    kind: KINDS[holder.kind] ?? 'Pod',
    uid: holder.uid,
    name: holder.name ?? '',
    role: holder.role.slice('ADDRESS_ROLE_'.length) as AddressRole,
    validFromMs: ms(holder.validFromMs) ?? 0,
    validToMs: ms(holder.validToMs),
    doubtedFromMs: ms(holder.doubtedFromMs),
    startedMs: ms(holder.startedMs) ?? 0,
    seenMs: ms(holder.seenMs) ?? 0,
    createdMs: ms(holder.createdMs) ?? 0,
    ports: (holder.ports ?? []).map(({ first, last, protocol }) => ({
      first,
      last,
      protocol: protocol.slice('PROTOCOL_'.length) as Protocol,
    })),
    arePortsInexact: holder.portsInexact === true,
    workloadUid: holder.workload && (holder.workload.uid ?? ''),
    isHidden: holder.hidden === true,
  };
}

function ms(value: Int64 | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
