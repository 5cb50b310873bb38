// Answers for a whole interval, and the history of an address: both ask for every moment at which an answer can change
// (rule 10 of proto/digger/v1/timeline.proto).
//
// The moments are few: the ends of spans of the places that the question concerns, and of blind moments. Where they are
// very many, the oldest are left out, and no answer is certain.

import type { Protocol } from '../model/entities.ts';
import { historySinceMs } from './facts.ts';
import { hasPort, type Outcome, type Question, resolve, Verdict } from './resolve.ts';
import type { TimelineSource } from './source.ts';
import { MAX_CANDIDATES, type Span, type Timeline, type TimelineHolder } from './timeline.ts';

/** A holder for a part of an interval. */
export interface Run<H extends TimelineHolder> {
  readonly holder: H;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly isUncertain: boolean;
}

export interface IntervalVerdict<H extends TimelineHolder> {
  readonly outcome: Outcome;
  /**
   * RESOLVED: one, with the interval of its claims. AMBIGUOUS: the stretches of the asked interval in which each one is
   * among the holders, the later begun first, one more than an answer lists where there are others.
   */
  readonly runs: readonly Run<H>[];
  readonly historySinceMs: number;
}

/** Answers for all moments from `question.atMs` to `untilMs`, both included, as far as they are not after now. */
export function resolveInterval<H extends TimelineHolder>(
  source: TimelineSource<H>,
  question: Question & { readonly atMs: number },
  untilMs: number,
  nowMs: number,
): IntervalVerdict<H> {
  const lastMs = Math.floor(Math.min(untilMs, nowMs));
  const firstMs = Math.min(Math.floor(question.atMs), lastMs);
  const stretches = stretchesOf(source, question, { firstMs, lastMs, limit: MAX_MOMENTS }, nowMs);
  // The oldest are left out where there are very many.
  const isCut = stretches[0] !== undefined && stretches[0].fromMs > firstMs;
  const since = Math.max(...stretches.map((each) => each.historySinceMs));
  const held = stretches.filter(({ holders }) => holders.length > 0);
  const [first] = held;
  if (first === undefined) {
    const outcomes = new Set(stretches.map(({ outcome }) => outcome));
    const [only = 'UNKNOWN'] = outcomes;
    return { outcome: outcomes.size === 1 && !isCut ? only : 'UNKNOWN', runs: [], historySinceMs: since };
  }
  const [holder] = first.holders;
  const isOne = held.every(({ holders }) => holders.length === 1 && isSame(holders[0]?.holder, holder?.holder));
  if (isOne && holder !== undefined) {
    const newest = held.at(-1)?.holders[0]?.holder ?? holder.holder;
    const isUncertain =
      isCut || held.length < stretches.length || held.some(({ holders }) => holders[0]?.isUncertain === true);
    const run = { holder: newest, fromMs: holder.holder.validFromMs, toMs: newest.validToMs, isUncertain };
    return { outcome: 'RESOLVED', runs: [run], historySinceMs: since };
  }
  const runs = runsOf(stretches, lastMs);
  return {
    outcome: 'AMBIGUOUS',
    runs: isCut ? runs.map((run) => ({ ...run, isUncertain: true })) : runs,
    historySinceMs: since,
  };
}

/** A stretch of time with one answer. */
export interface Stretch<H extends TimelineHolder> {
  readonly fromMs: number;
  /** First moment after it. */
  readonly untilMs: number;
  readonly outcome: Outcome;
  readonly holders: readonly { readonly holder: H; readonly isUncertain: boolean }[];
  readonly historySinceMs: number;
}

/** The answers from the beginning of the history until now, newest first; at most `limit`. */
export function historyOf<H extends TimelineHolder>(
  source: TimelineSource<H>,
  question: Omit<Question, 'atMs'>,
  nowMs: number,
  limit: number,
): readonly Stretch<H>[] {
  const lastMs = Math.floor(nowMs);
  const firstMs = Math.min(lastMs, Math.ceil(historySinceMs(source.facts, lastMs)));
  const found: Stretch<H>[] = [];
  const moments = { firstMs, lastMs, limit: MAX_MOMENTS_OF_HISTORY };
  for (const stretch of stretchesOf(source, question, moments, nowMs)) {
    if (stretch.fromMs < stretch.historySinceMs && stretch.fromMs < lastMs) continue;
    const before = found.at(-1);
    if (before !== undefined && haveOneAnswer(before, stretch)) {
      found[found.length - 1] = { ...stretch, fromMs: before.fromMs };
    } else found.push(stretch);
  }
  return found.toReversed().slice(0, limit);
}

/** Of an interval: a flow that sees more changes is not told apart by its address. */
const MAX_MOMENTS = 256;
/** Of a history: 1,000 changes of hands and as many gaps have fewer. */
const MAX_MOMENTS_OF_HISTORY = 10_000;

function stretchesOf<H extends TimelineHolder>(
  source: TimelineSource<H>,
  question: Question,
  { firstMs, lastMs, limit }: { readonly firstMs: number; readonly lastMs: number; readonly limit: number },
  nowMs: number,
): readonly Stretch<H>[] {
  const moments = momentsOf(source, question, firstMs, lastMs, nowMs).slice(-limit);
  const verdict = new Verdict<H>();
  return moments.map((atMs, index) => {
    resolve(source, { ...question, atMs }, nowMs, verdict);
    const { outcome, holders } = verdict;
    return {
      fromMs: atMs,
      untilMs: moments[index + 1] ?? lastMs + 1,
      outcome,
      holders: holders.map((holder, at) => ({ holder, isUncertain: verdict.isUncertain(at) })),
      historySinceMs: verdict.historySinceMs,
    };
  });
}

/** The first moment, and every later one at which the answer may be another than before it. */
function momentsOf<H extends TimelineHolder>(
  source: TimelineSource<H>,
  { address, port, protocol }: Question,
  firstMs: number,
  lastMs: number,
  nowMs: number,
): readonly number[] {
  const { facts } = source;
  const moments = new Set<number>([firstMs]);
  const add = (ms: number | undefined): void => {
    if (ms !== undefined && ms > firstMs && ms <= lastMs) moments.add(ms);
  };
  const addTimeline = (timeline: Timeline<H> | undefined): readonly Span<H>[] => {
    if (timeline === undefined) return [];
    add(timeline.cutAtMs);
    const spans = timeline.spans.filter(({ fromMs, toMs }) => toMs > firstMs && fromMs <= lastMs);
    for (const { fromMs, toMs, holders } of spans) {
      add(fromMs);
      add(toMs);
      for (const { doubtedFromMs } of holders) add(doubtedFromMs);
    }
    return spans;
  };
  const timeline = source.ofAddress(address);
  addTimeline(timeline);
  if (port !== undefined) {
    const protocols: readonly Protocol[] = protocol === undefined ? ['TCP', 'UDP', 'SCTP'] : [protocol];
    const names = new Set<string>();
    for (const { fromMs, toMs, names: some } of timeline?.nodes ?? []) {
      if (toMs <= firstMs || fromMs > lastMs) continue;
      add(fromMs);
      add(toMs);
      for (const name of some) names.add(name);
    }
    const ofNodes: Span<H>[] = [];
    const ofPorts: Span<H>[] = [];
    for (const each of protocols) {
      for (const name of names) ofNodes.push(...addTimeline(source.ofNodePort(name, address, port, each)));
      if (names.size > 0) ofNodes.push(...addTimeline(source.ofEveryNodePort(port, each)));
      ofPorts.push(...addTimeline(source.ofPort(address, port, each)));
    }
    const ofMany = addTimeline(source.ofPorts(address));
    ofPorts.push(...ofMany.filter(({ holders }) => holders.some((holder) => hasPort(holder, port, protocols))));
    for (const group of [ofNodes, ofPorts]) for (const ms of turnsOf(group)) add(ms);
  }
  for (const { sinceMs, untilMs } of facts.blind) {
    for (const ms of [sinceMs - facts.reportDelayMs, sinceMs, untilMs, untilMs + 1]) add(ms);
  }
  if (facts.blindSinceMs !== undefined) {
    add(facts.blindSinceMs - facts.reportDelayMs);
    add(facts.blindSinceMs);
  }
  add(facts.unknownUntilMs + 1);
  add(facts.incompleteUntilMs + 1);
  add(historySinceMs(facts, Math.floor(nowMs)));
  return [...moments].sort((a, b) => a - b);
}

/**
 * When another one of the near spans of a group becomes the nearest: of two that overlap, as soon as the later one is
 * as near as the earlier, and as soon as it is nearer.
 */
function turnsOf<H extends TimelineHolder>(spans: readonly Span<H>[]): readonly number[] {
  const near = spans.filter(({ is, holders }) => is === 'near' && holders.length > 0);
  near.sort((a, b) => a.fromMs - b.fromMs);
  const turns: number[] = [];
  for (const [index, { toMs, nearMs }] of near.entries()) {
    // Those of one timeline do not overlap: each of the few timelines has few spans that overlap this one.
    for (let next = index + 1; next < near.length; next++) {
      const other = near[next] as Span<H>;
      if (other.fromMs >= toMs) break;
      if (other.nearMs === nearMs) continue;
      const sum = nearMs + other.nearMs;
      for (const ms of [Math.ceil(sum / 2), Math.floor(sum / 2) + 1]) {
        if (other.fromMs < ms && ms < Math.min(toMs, other.toMs)) turns.push(ms);
      }
    }
  }
  return turns;
}

function runsOf<H extends TimelineHolder>(stretches: readonly Stretch<H>[], lastMs: number): readonly Run<H>[] {
  const done: { run: Run<H>; order: number }[] = [];
  let open = new Map<string, { run: Run<H>; order: number }>();
  for (const { fromMs, untilMs, holders } of stretches) {
    const next = new Map<string, { run: Run<H>; order: number }>();
    for (const [order, { holder, isUncertain }] of holders.entries()) {
      const key = `${holder.role} ${holder.uid}`;
      const before = open.get(key);
      const toMs = Math.min(untilMs, lastMs);
      const run = {
        holder,
        fromMs: before?.run.fromMs ?? fromMs,
        toMs,
        isUncertain: isUncertain || before?.run.isUncertain === true,
      };
      next.set(key, { run, order: before?.order ?? order });
      open.delete(key);
    }
    done.push(...open.values());
    open = next;
  }
  done.push(...open.values());
  const sorted = done.sort((a, b) => b.run.fromMs - a.run.fromMs || a.order - b.order);
  return sorted.slice(0, MAX_CANDIDATES + 1).map(({ run }) => run);
}

function isSame(a: TimelineHolder | undefined, b: TimelineHolder | undefined): boolean {
  return a?.uid === b?.uid && a?.role === b?.role;
}

function haveOneAnswer<H extends TimelineHolder>(a: Stretch<H>, b: Stretch<H>): boolean {
  return (
    a.outcome === b.outcome &&
    a.holders.length === b.holders.length &&
    a.holders.every(({ holder, isUncertain }, index) => {
      const other = b.holders[index];
      return holder === other?.holder && isUncertain === other.isUncertain;
    })
  );
}
