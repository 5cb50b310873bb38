// Answers a question about a moment from timelines: the rules 1 to 9 of proto/digger/v1/timeline.proto, one function
// for each step. Server and replica both answer with this code, so they answer alike.
//
// A question costs a look-up and a binary search for each place that it concerns: one without a port. What is found is
// written into a `Verdict` that the caller keeps, so that an answer with one holder allocates nothing.

import { familyOf } from '../model/ip/cidr.ts';
import type { Protocol } from '../model/entities.ts';
import { isNetworkAddress } from '../model/kubernetes/pod-networks.ts';
import { type AddressFacts, historySinceMs, mayHaveHidden, mayHaveMissed } from './facts.ts';
import type { TimelineSource } from './source.ts';
import { isSpecialAddress } from './special-addresses.ts';
import {
  AT_EDGE,
  type Doubt,
  goesBefore,
  MAX_CANDIDATES,
  newestHolderFirst,
  type Span,
  spanAt,
  type Timeline,
  type TimelineHolder,
  UNCERTAIN,
} from './timeline.ts';

export interface Question {
  /** Canonical. */
  readonly address: string;
  /** Unset: the address as a whole. */
  readonly port?: number;
  /** Unset: any. */
  readonly protocol?: Protocol;
  /** ms since the epoch; unset: now. */
  readonly atMs?: number;
}

/** One more than an answer lists says that there are others. */
const MAX_FOUND = MAX_CANDIDATES + 1;

export type Outcome = 'RESOLVED' | 'AMBIGUOUS' | 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN';

/** An answer. To be used again: the next one replaces it. `Other`: what else who answers may say. */
export class Verdict<H extends TimelineHolder, Other extends string = never> {
  outcome: Outcome | Other = 'UNKNOWN';
  /** RESOLVED: one; AMBIGUOUS: several, best first, one more than an answer lists where there are others. */
  holders: readonly H[] = NONE;
  /** For each holder whether it is uncertain: 1. */
  readonly doubts: Uint8Array = new Uint8Array(MAX_FOUND);
  historySinceMs = 0;

  isUncertain(index: number): boolean {
    return this.doubts[index] === 1;
  }
}

/** Answers the question at `nowMs`. */
export function resolve<H extends TimelineHolder, Other extends string>(
  source: TimelineSource<H>,
  question: Question,
  nowMs: number,
  verdict: Verdict<H, Other>,
): void {
  const { address, port, protocol } = question;
  const { facts } = source;
  const atMs = Math.floor(question.atMs === undefined ? nowMs : Math.min(question.atMs, nowMs));
  verdict.outcome = 'UNKNOWN';
  verdict.holders = NONE;
  verdict.historySinceMs = historySinceMs(facts, Math.floor(nowMs));
  if (isSpecialAddress(address)) return;
  const timeline = source.ofAddress(address);
  const whole = spanOf(timeline, atMs, verdict);
  let holders: readonly H[] = NONE;
  let doubts: readonly Doubt[] = NONE;
  let areDoubted = false;
  const hasPorts = port !== undefined && source.hasPorts(address);
  if (port !== undefined && (hasPorts || (timeline !== undefined && timeline.nodes.length > 0))) {
    const protocols = protocol === undefined ? PROTOCOLS : (ONE_PROTOCOL[protocol] as readonly Protocol[]);
    const found = new Found<H>();
    if (timeline !== undefined) addNodePorts(source, timeline, address, port, protocols, atMs, found, verdict);
    if (hasPorts) addPorts(source, address, port, protocols, atMs, found, verdict);
    if (whole !== undefined) found.addWhole(whole, atMs);
    ({ holders, doubts, isDoubted: areDoubted } = found);
  } else if (whole !== undefined) {
    // Nearly every question: no port of the address means anything else than the address.
    holders = whole.holders.length > MAX_FOUND ? whole.holders.slice(0, MAX_FOUND) : whole.holders;
    ({ doubts } = whole);
  }
  if (question.atMs !== undefined && atMs < verdict.historySinceMs) return;
  if (holders.length === 0) {
    verdict.outcome = whole?.is === 'unknown-node' ? 'UNKNOWN' : withoutHolder(source, facts, timeline, address, atMs);
    return;
  }
  verdict.holders = holders;
  verdict.outcome = holders.length === 1 ? 'RESOLVED' : 'AMBIGUOUS';
  for (let index = 0; index < holders.length; index++) {
    const holder = holders[index] as H;
    const isUncertain =
      isDoubted(facts, holder, doubts[index] as Doubt, atMs) ||
      (atMs <= facts.incompleteUntilMs && (port !== undefined || CROWDED.has(holder.role)));
    verdict.doubts[index] = isUncertain || areDoubted ? 1 : 0;
  }
  // The node answers for a port because no pod is known to have it, which is not known of moments that were missed.
  const isForNode = port !== undefined && holders.length === 1 && holders[0]?.kind === 'Node';
  if (isForNode && (facts.isPartial || mayHaveMissed(facts, atMs))) verdict.doubts[0] = 1;
}

/** The pods in the network of a node that could be meant by its address too, into `verdict`, best first. */
export function resolveOthers<H extends TimelineHolder>(
  source: TimelineSource<H>,
  nodeName: string,
  atMs: number,
  verdict: Verdict<H>,
): void {
  const moment = Math.floor(atMs);
  const { facts } = source;
  const timeline = source.ofNode(nodeName);
  const span = timeline && spanAt(timeline.spans, moment);
  verdict.holders = NONE;
  if (span === undefined || span.is !== 'holds') return;
  verdict.holders = span.holders.length > MAX_CANDIDATES ? span.holders.slice(0, MAX_CANDIDATES) : span.holders;
  for (const [index, holder] of verdict.holders.entries()) {
    verdict.doubts[index] = isDoubted(facts, holder, span.doubts[index] as Doubt, moment) ? 1 : 0;
  }
}

const NONE: readonly never[] = Object.freeze([]);
const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
const ONE_PROTOCOL: Readonly<Record<Protocol, readonly Protocol[]>> = { TCP: ['TCP'], UDP: ['UDP'], SCTP: ['SCTP'] };

/** Those that objects make many of, so that one of them may be missing. */
const CROWDED: ReadonlySet<string> = new Set(['LOAD_BALANCER', 'EXTERNAL_IP', 'ENDPOINT', 'NODE_PORT']);

/** What was found so far, group by group: the first group with holders decides, then the nearest, then a presumption. */
class Found<H extends TimelineHolder> {
  holders: readonly H[] = NONE;
  doubts: readonly Doubt[] = NONE;
  /** Something about all of them is not known. */
  isDoubted = false;
  /** The holders are near ones. */
  #isNear = false;
  #distanceMs = Number.POSITIVE_INFINITY;

  /** The spans of a group. */
  addGroup(spans: readonly Span<H>[], atMs: number): void {
    if (this.#isDecided) return;
    const holding = spans.filter(({ is, holders }) => is === 'holds' && holders.length > 0);
    const [first] = holding;
    if (first !== undefined) {
      this.#take(holding.length === 1 ? first : merge(holding));
      return;
    }
    // A near one of an earlier group goes before all of later groups.
    if (this.#isNear) return;
    for (const span of spans) if (span.is === 'near') this.#takeNearer(span, atMs);
  }

  /** The span of the address as a whole, after all groups. */
  addWhole(span: Span<H>, atMs: number): void {
    if (this.#isDecided) return;
    if (span.is === 'holds') this.#take(span);
    else if (!this.#isNear && span.is === 'near') this.#takeNearer(span, atMs);
    else if (!this.#isNear && span.is === 'presumed') this.#take(span);
  }

  get #isDecided(): boolean {
    return this.holders.length > 0 && !this.#isNear;
  }

  #take({ holders, doubts }: Merged<H>): void {
    // A span comes as it was sent: it may have more of them than an answer needs.
    this.holders = holders.length > MAX_FOUND ? holders.slice(0, MAX_FOUND) : holders;
    this.doubts = doubts;
    this.#isNear = false;
  }

  #takeNearer(span: Span<H>, atMs: number): void {
    const distanceMs = Math.abs(atMs - span.nearMs);
    const [holder] = span.holders;
    const [other] = this.holders;
    if (holder === undefined || distanceMs > this.#distanceMs) return;
    if (other !== undefined && distanceMs === this.#distanceMs && newestHolderFirst(other, holder) <= 0) return;
    this.#take(span);
    this.#isNear = true;
    this.#distanceMs = distanceMs;
  }
}

type Merged<H extends TimelineHolder> = Pick<Span<H>, 'holders' | 'doubts'>;

/** Rule 6. All spans at once: what is cut between two of them could be what a third one has to be compared with. */
function merge<H extends TimelineHolder>(spans: readonly Merged<H>[]): Merged<H> {
  const byUid = new Map<string, [holder: H, doubt: Doubt]>();
  for (const { holders, doubts } of spans) {
    for (const [index, holder] of holders.entries()) {
      const kept = byUid.get(holder.uid);
      if (kept === undefined || goesBefore(holder, kept[0])) byUid.set(holder.uid, [holder, doubts[index] as Doubt]);
    }
  }
  const sorted = [...byUid.values()].sort(([one], [other]) => newestHolderFirst(one, other));
  return { holders: sorted.map(([holder]) => holder), doubts: sorted.map(([, doubt]) => doubt) };
}

/** The span of a timeline that is looked at. */
function spanOf<H extends TimelineHolder>(
  timeline: Timeline<H> | undefined,
  atMs: number,
  verdict: Pick<Verdict<H>, 'historySinceMs'>,
): Span<H> | undefined {
  if (timeline === undefined) return undefined;
  look(timeline, verdict);
  return spanAt(timeline.spans, atMs);
}

/** History reaches as far back as that of every timeline that is looked at. */
function look<H extends TimelineHolder>({ cutAtMs }: Timeline<H>, verdict: Pick<Verdict<H>, 'historySinceMs'>): void {
  if (cutAtMs > verdict.historySinceMs) verdict.historySinceMs = cutAtMs;
}

/** Group A: ports of the nodes that have the address. */
function addNodePorts<H extends TimelineHolder>(
  source: TimelineSource<H>,
  { nodes }: Timeline<H>,
  address: string,
  port: number,
  protocols: readonly Protocol[],
  atMs: number,
  found: Found<H>,
  verdict: Pick<Verdict<H>, 'historySinceMs'>,
): void {
  if (nodes.length === 0) return;
  const names = spanAt(nodes, atMs)?.names ?? NONE;
  if (names.length === 0) return;
  const spans: Span<H>[] = [];
  const add = (timeline: Timeline<H> | undefined): void => {
    const span = spanOf(timeline, atMs, verdict);
    if (span !== undefined) spans.push(span);
  };
  for (const protocol of protocols) {
    for (const name of names) add(source.ofNodePort(name, address, port, protocol));
    add(source.ofEveryNodePort(port, protocol));
  }
  found.addGroup(spans, atMs);
}

/** Group B: ports of services that share the address. */
function addPorts<H extends TimelineHolder>(
  source: TimelineSource<H>,
  address: string,
  port: number,
  protocols: readonly Protocol[],
  atMs: number,
  found: Found<H>,
  verdict: Pick<Verdict<H>, 'historySinceMs'>,
): void {
  const spans: Span<H>[] = [];
  for (const protocol of protocols) {
    const span = spanOf(source.ofPort(address, port, protocol), atMs, verdict);
    if (span !== undefined) spans.push(span);
  }
  const many = spanOf(source.ofPorts(address), atMs, verdict);
  if (many !== undefined) {
    if (many.hasMore) found.isDoubted = true;
    const having = withPort(many, port, protocols);
    if (having.holders.length > 0) spans.push(having);
  }
  found.addGroup(spans, atMs);
}

/** Those holders of a span of many ports that have this one. */
function withPort<H extends TimelineHolder>(span: Span<H>, port: number, protocols: readonly Protocol[]): Span<H> {
  const holders: H[] = [];
  const doubts: Doubt[] = [];
  for (const [index, holder] of span.holders.entries()) {
    if (!hasPort(holder, port, protocols)) continue;
    holders.push(holder);
    doubts.push(holder.arePortsInexact === true ? UNCERTAIN : (span.doubts[index] as Doubt));
  }
  return { ...span, holders, doubts };
}

/** Whether a holder of many ports has this one. */
export function hasPort({ ports }: TimelineHolder, port: number, protocols: readonly Protocol[]): boolean {
  if (ports === undefined) return false;
  return ports.some(({ first, last, protocol }) => first <= port && port <= last && protocols.includes(protocol));
}

/** Rule 7, a to d. */
function isDoubted(facts: AddressFacts, holder: TimelineHolder, doubt: Doubt, atMs: number): boolean {
  if (doubt === UNCERTAIN) return true;
  // What lasts in the API may have ended in a gap that is open.
  if (holder.validToMs === undefined && facts.blindSinceMs !== undefined && facts.blindSinceMs <= atMs) return true;
  if (doubt === AT_EDGE && mayHaveHidden(facts, atMs, atMs)) return true;
  const { doubtedFromMs } = holder;
  if (doubtedFromMs === undefined || doubtedFromMs > atMs) return false;
  return mayHaveHidden(facts, doubtedFromMs, atMs + facts.reportDelayMs);
}

/** Rule 9. */
function withoutHolder<H extends TimelineHolder>(
  source: TimelineSource<H>,
  facts: AddressFacts,
  timeline: Timeline<H> | undefined,
  address: string,
  atMs: number,
): Outcome {
  // An object of another namespace may have it, inside and outside the ranges; one may have come and gone unseen.
  if (facts.isPartial || atMs <= facts.incompleteUntilMs || mayHaveMissed(facts, atMs)) return 'UNKNOWN';
  // No range is known of a secondary network.
  if (isNetworkAddress(address)) return timeline?.isInCluster === true ? 'UNASSIGNED' : 'UNKNOWN';
  if (timeline?.isInCluster === true || source.isInRange(address)) return 'UNASSIGNED';
  return source.areRangesComplete(familyOf(address)) ? 'EXTERNAL' : 'UNKNOWN';
}
