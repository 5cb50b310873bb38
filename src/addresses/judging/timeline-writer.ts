// Writes the timeline of a place: judges it at every moment at which the verdict may change, from the newest back, and
// joins moments with one verdict to spans.
//
// Between two such moments (starts and ends of claims, with and without the slack) the judge sees the same claims, so
// the spans say at every moment what it would say. Of a timeline that was written before, what is older than the
// claims that changed is kept: an address that changes hands all the time costs its newest claims. Bounded by the
// history, and by a number of spans and of holders; what is cut off is said (`cutAtMs`).

import {
  CERTAIN,
  type Doubt,
  type NodeSpan,
  type Span,
  type Timeline,
  type TimelinePlace,
} from '../../timelines/timeline.ts';
import type { ClaimPlaces } from '../claims/claim-places.ts';
import type { Claim } from '../claims/claim.ts';
import { doubtAt, type JudgeContext } from './judge.ts';
import type { KnownNodes } from '../claims/known-nodes.ts';
import { judge, type Judgement, nodesBehind } from './place-judge.ts';
import { mayBeLostSinceMs } from '../claims/succession.ts';

export interface TimelineWriterOptions {
  readonly places: ClaimPlaces;
  readonly nodes: KnownNodes;
  readonly slackMs: number;
}

/** Three to six for each of those that follow one another: 1,000 of them at least. */
const MAX_SPANS = 6_000;
/** Holders of all spans together. */
const MAX_HOLDERS = 10_000;

/**
 * The timeline of the place, from `before` as far as it is older than `changedMs`; `undefined`: there is nothing to
 * tell. `sinceMs`: where the history begins.
 */
export function writeTimeline(
  place: TimelinePlace,
  before: Timeline<Claim> | undefined,
  changedMs: number,
  sinceMs: number,
  options: TimelineWriterOptions,
): Timeline<Claim> | undefined {
  const { places } = options;
  if (!places.any(place)) return undefined;
  const fromMs = before === undefined ? Number.NEGATIVE_INFINITY : changedMs;
  const { claims, forgottenUntilMs } = places.since(place, Math.max(fromMs, sinceMs));
  for (const claim of claims) claim.doubtedFromMs = mayBeLostSinceMs(claim, options.nodes);
  const moments = fromMs === Number.POSITIVE_INFINITY ? [] : momentsOf(claims, fromMs, sinceMs, options.slackMs);
  const cutMs = Math.max(before?.cutAtMs ?? Number.NEGATIVE_INFINITY, forgottenUntilMs);
  const { spans, cutAtMs } = bounded(
    before === undefined ? [] : older(before.spans, fromMs, sinceMs),
    (atMs) => spanFrom(place, atMs, options),
    moments,
    cutMs,
  );
  const isOfNodes = place.of === 'address' && claims.some(({ derivedRole }) => NAMING.has(derivedRole));
  const nodes = [
    ...(before === undefined ? [] : older(before.nodes, fromMs, sinceMs)),
    ...(isOfNodes ? nodeSpans(place.address, moments, options) : []),
  ].filter(({ toMs }) => toMs > cutAtMs);
  return {
    spans: joined(spans, isSameSpan),
    nodes: nodes.length === 0 ? NONE : joined(nodes, isSameNodes),
    isInCluster: place.of === 'address' && places.wasInCluster(place.address),
    cutAtMs: cutAtMs > sinceMs ? cutAtMs : Number.NEGATIVE_INFINITY,
  };
}

/** The first moment about which a claim says something. */
export function firstMomentOf({ startEarliestMs, startLatestMs }: Claim, slackMs: number): number {
  return Math.min(startEarliestMs, startLatestMs - slackMs);
}

const NONE: readonly never[] = Object.freeze([]);
const NAMING: ReadonlySet<string> = new Set(['NODE_ADDRESS', 'HOST_ADDRESS']);
const ONE_CERTAIN: readonly Doubt[] = Object.freeze([CERTAIN]);

/** Moments from which on the verdict may be another, ascending: the last one before the history, and all later ones. */
function momentsOf(claims: readonly Claim[], fromMs: number, sinceMs: number, slackMs: number): readonly number[] {
  const found = new Set<number>();
  if (Number.isFinite(fromMs)) found.add(fromMs);
  const add = (ms: number): void => {
    if (ms > fromMs) found.add(ms);
  };
  for (const { startEarliestMs, startLatestMs, endEarliestMs, endLatestMs, lostTo } of claims) {
    add(startEarliestMs - slackMs);
    add(startLatestMs - slackMs);
    add(startEarliestMs);
    add(startLatestMs);
    if (endEarliestMs !== undefined && endLatestMs !== undefined) {
      add(endEarliestMs);
      add(endLatestMs);
      add(endEarliestMs + slackMs);
      add(endLatestMs + slackMs + 1);
    }
    if (lostTo !== undefined) {
      add(lostTo.fromMs);
      add(lostTo.toMs);
    }
  }
  const sorted = [...found].sort((a, b) => a - b);
  const first = sorted.findLastIndex((ms) => ms <= sinceMs);
  return first > 0 ? sorted.slice(first) : sorted;
}

type OpenSpan = Omit<Span<Claim>, 'toMs'>;

function spanFrom(place: TimelinePlace, atMs: number, options: TimelineWriterOptions): OpenSpan | undefined {
  const judgement = judge(options.places, place, contextAt(atMs, options));
  return judgement && toSpan(judgement, atMs);
}

function contextAt(atMs: number, { nodes, slackMs }: TimelineWriterOptions): JudgeContext {
  return { atMs, slackMs, nodes };
}

function toSpan({ is, holders, nearMs, hasMore }: Judgement, atMs: number): OpenSpan {
  const [only] = holders;
  const isPlain = only !== undefined && holders.length === 1 && doubtAt(only, atMs) === CERTAIN;
  const doubts = isPlain ? ONE_CERTAIN : holders.map((claim) => doubtAt(claim, atMs));
  return { fromMs: atMs, is, holders, doubts, nearMs, hasMore };
}

/** The spans from each moment to the next, with the older ones before them, oldest first; the oldest are cut. */
function bounded(
  kept: readonly Span<Claim>[],
  spanAt: (atMs: number) => OpenSpan | undefined,
  moments: readonly number[],
  cutMs: number,
): { readonly spans: readonly Span<Claim>[]; readonly cutAtMs: number } {
  const found: Span<Claim>[] = [];
  let holders = 0;
  const take = (span: Span<Claim>): void => {
    found.push(span);
    holders += span.holders.length;
  };
  const isFull = (): boolean => found.length >= MAX_SPANS || holders >= MAX_HOLDERS;
  for (let i = moments.length - 1; i >= 0; i--) {
    const fromMs = moments[i] ?? 0;
    const toMs = moments[i + 1] ?? Number.POSITIVE_INFINITY;
    if (toMs <= cutMs) return { spans: found.toReversed(), cutAtMs: cutMs };
    if (isFull()) return { spans: found.toReversed(), cutAtMs: Math.max(cutMs, toMs) };
    const span = spanAt(fromMs);
    if (span === undefined) continue;
    const turnMs = span.is === 'near' ? turnOf(span, spanAt, toMs) : toMs;
    const later = turnMs < toMs ? spanAt(turnMs) : undefined;
    if (later !== undefined) take({ ...later, toMs });
    take({ ...span, toMs: turnMs });
  }
  for (let i = kept.length - 1; i >= 0; i--) {
    const span = kept[i] as Span<Claim>;
    if (span.toMs <= cutMs) return { spans: found.toReversed(), cutAtMs: cutMs };
    if (isFull()) return { spans: found.toReversed(), cutAtMs: Math.max(cutMs, span.toMs) };
    take(span);
  }
  return { spans: found.toReversed(), cutAtMs: cutMs };
}

/** Between the end of one and the start of the next, the nearer one changes half-way. */
function turnOf(span: OpenSpan, spanAt: (atMs: number) => OpenSpan | undefined, toMs: number): number {
  if (!Number.isFinite(toMs)) return toMs;
  const last = spanAt(toMs - 1);
  if (last === undefined || last.is !== 'near' || last.holders[0] === span.holders[0]) return toMs;
  // Of equally near ones the newer one counts.
  return Math.ceil((span.nearMs + last.nearMs) / 2);
}

function nodeSpans(address: string, moments: readonly number[], options: TimelineWriterOptions): readonly NodeSpan[] {
  const found: NodeSpan[] = [];
  for (const [i, fromMs] of moments.entries()) {
    const names = nodesBehind(options.places, address, contextAt(fromMs, options));
    if (names.length === 0) continue;
    found.push({ fromMs, toMs: moments[i + 1] ?? Number.POSITIVE_INFINITY, names });
  }
  return found;
}

/** As far as they are older than `fromMs` and not older than the history. */
function older<S extends { readonly fromMs: number; readonly toMs: number }>(
  spans: readonly S[],
  fromMs: number,
  sinceMs: number,
): readonly S[] {
  const found: S[] = [];
  for (const span of spans) {
    if (span.toMs <= sinceMs || span.fromMs >= fromMs) continue;
    found.push(span.toMs <= fromMs ? span : { ...span, toMs: fromMs });
  }
  return found;
}

/** Neighbours that say the same become one. */
function joined<S extends { readonly fromMs: number; readonly toMs: number }>(
  spans: readonly S[],
  isSame: (a: S, b: S) => boolean,
): readonly S[] {
  const found: S[] = [];
  for (const span of spans) {
    const last = found.at(-1);
    if (last !== undefined && last.toMs === span.fromMs && isSame(last, span)) {
      found[found.length - 1] = { ...last, toMs: span.toMs };
    } else found.push(span);
  }
  return found;
}

function isSameSpan(a: Span<Claim>, b: Span<Claim>): boolean {
  return (
    a.is === b.is &&
    a.hasMore === b.hasMore &&
    (a.is !== 'near' || a.nearMs === b.nearMs) &&
    a.holders.length === b.holders.length &&
    a.holders.every((holder, i) => holder === b.holders[i] && a.doubts[i] === b.doubts[i])
  );
}

function isSameNodes(a: NodeSpan, b: NodeSpan): boolean {
  return a.names.length === b.names.length && a.names.every((name, i) => name === b.names[i]);
}
