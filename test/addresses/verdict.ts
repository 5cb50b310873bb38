// The judge over answers: holds each against the truth of a history, who had the address on the wire.
//
// An answer is WRONG when it names a pod, without reserve, that cannot have had the address, or says that it had no
// holder when it had one, although the API had told by then. It is TOO MODEST when it declines to answer a clear
// moment. All other verdicts say why the answer could not be better. Knows nothing of how the service decides.

import type { Hold } from './adversary.ts';

/** What was asked, ms on the clock of the history. */
export interface Question {
  readonly address: string;
  readonly port?: number;
  readonly atMs: number;
  readonly askedMs: number;
}

/** What was answered; holders by uid. */
export type Answer =
  | { readonly outcome: 'RESOLVED'; readonly uid: string; readonly uncertain: boolean }
  | { readonly outcome: 'AMBIGUOUS'; readonly uids: readonly string[]; readonly uncertain: boolean }
  | { readonly outcome: 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' };

export interface Gap {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Last word before the gap: from here on the service cannot know that it was up to date. Default: `sinceMs`. */
  readonly doubtedSinceMs?: number;
}

export interface Truth {
  readonly holds: readonly Hold[];
  /** Whether pods have their addresses from the ranges of their nodes; unset: yes. */
  readonly areRangesKnown?: boolean;
  /** When the watch was down. */
  readonly gaps: readonly Gap[];
  /** Slack of the service at the edges of a claim, plus the usual delay of the watch. */
  readonly toleranceMs: number;
  /** How late the watch may be at most. */
  readonly delayMs: number;
}

/** Times of the API are truncated to the second. */
const RESOLUTION_MS = 1_000;
/** Kubelets report a change this late at most. */
const REPORT_MS = 2_000;
/** A relist shows the address of the second sandbox with the start time of the first. */
const REMADE_IN_GAP = 'unknowable: remade while the watch was down';

/** The verdict on one answer. */
export function judge(truth: Truth, question: Question, answer: Answer): string {
  const holds = truth.holds.filter((hold) => isAbout(hold, question));
  const there = holds.filter((hold) => hold.fromMs <= question.atMs && question.atMs < hold.untilMs);
  const real = there.find((hold) => hold.port !== undefined) ?? there[0];
  const unknowable = real === undefined ? undefined : whyUnknowable(truth, question, real);
  switch (answer.outcome) {
    case 'RESOLVED': {
      const { uid, uncertain } = answer;
      const named = holds.find((hold) => hold.uid === uid && near(truth, hold, question.atMs));
      // A node stands behind all of its ports, so its name is right only where no pod has the port.
      const isTooBroad =
        named?.port === undefined && real?.port !== undefined && isWellInside(truth, real, question.atMs);
      if (named !== undefined && !isTooBroad) {
        if (!uncertain) return 'right';
        return isClear(truth, holds, question) ? 'TOO MODEST: uncertain' : 'right, uncertain';
      }
      if (uncertain) return 'another, but marked uncertain';
      if (wasRemadeInGap(truth, holds, uid)) return REMADE_IN_GAP;
      if (inGap(truth, question.askedMs)) return 'asked while blind: the answer carries its staleness';
      if (real === undefined || (question.port !== undefined && real.port === undefined)) {
        return inApi(truth, holds, uid, question.atMs) ? 'no longer, but in the API' : 'WRONG: invented';
      }
      return unknowable ?? whyUnheard(truth, holds, real, [uid]) ?? `WRONG: it was ${real.uid}`;
    }
    case 'AMBIGUOUS': {
      if (isClear(truth, holds, question)) return 'TOO MODEST: ambiguous';
      const named = answer.uids.some((uid) => uid === real?.uid);
      // No pod had the port, and the node stands behind all of its ports.
      const isUnheld = real === undefined || (question.port !== undefined && real.port === undefined);
      if (isUnheld || named || !isWellInside(truth, real, question.atMs)) return 'ambiguous';
      if (answer.uids.some((uid) => wasRemadeInGap(truth, holds, uid))) return REMADE_IN_GAP;
      if (answer.uncertain) return 'others, but marked uncertain';
      return unknowable ?? whyUnheard(truth, holds, real, answer.uids) ?? `WRONG: ambiguous without ${real.uid}`;
    }
    case 'UNASSIGNED':
      if (real === undefined || !isWellInside(truth, real, question.atMs)) return 'right, no holder';
      return unknowable ?? `WRONG: it was ${real.uid}`;
    case 'UNKNOWN':
      if (inDoubt(truth, question.atMs)) return 'unknown, the watch was down';
      return truth.areRangesKnown === false ? 'unknown, as the ranges are' : 'TOO MODEST: unknown';
    case 'EXTERNAL': {
      // Before the first pod is seen nothing shows that the ranges are not all.
      const isFirst =
        truth.areRangesKnown === false && holds.every(({ shownMs }) => shownMs + truth.delayMs >= question.askedMs);
      return isFirst ? 'external, before a pod is seen' : 'WRONG: external';
    }
  }
}

/** Who had the address around then, in seconds relative to the asked moment: for failures. */
export function describeTruth({ holds, gaps }: Truth, question: Question): string {
  const { address, atMs, askedMs } = question;
  const s = (ms: number) => ((ms - atMs) / 1_000).toFixed(2);
  const around = holds
    .filter((hold) => isAbout(hold, question) && hold.fromMs < atMs + 30_000 && hold.hiddenMs > atMs - 30_000)
    .sort((a, b) => a.fromMs - b.fromMs)
    .map(({ uid, fromMs, untilMs, shownMs, hiddenMs, isRemade, isRegained, isOnLostNode }) => {
      const traits = [isRemade && 'remade', isRegained && 'regained', isOnLostNode && 'node lost'].filter(Boolean);
      return `${uid} had it ${s(fromMs)}–${s(untilMs)}, shown ${s(shownMs)}–${s(hiddenMs)} ${traits.join(', ')}`;
    });
  const blind = gaps.map((gap) => `blind ${s(gap.sinceMs)}–${s(gap.untilMs)}`);
  return [`${address}, asked at ${s(askedMs)}`, ...around, ...blind].join('\n  ');
}

function isAbout(hold: Hold, { address, port }: Question): boolean {
  return hold.address === address && (hold.port === undefined || hold.port === port);
}

/** Why an observer of the API alone could not name the true holder at the time of the question. */
function whyUnknowable(truth: Truth, question: Question, real: Hold): string | undefined {
  const delivered = truth.gaps.find((gap) => gap.sinceMs <= real.shownMs && real.shownMs < gap.untilMs)?.untilMs;
  if (question.askedMs <= (delivered ?? real.shownMs) + truth.delayMs)
    return 'unknowable: the API had not shown it yet';
  if (question.atMs >= real.hiddenMs) return 'unknowable: gone from the API before it was gone';
  if (real.isRemade && inGap(truth, real.shownMs)) return REMADE_IN_GAP;
  if (real.isRegained) return 'unknowable: got its former address back';
  if (real.isRemade && question.atMs < (delivered ?? real.shownMs) + truth.delayMs) {
    return 'unknowable: a remade sandbox has no start time';
  }
  if (real.isStartUntold === true && question.atMs < (delivered ?? real.shownMs) + truth.delayMs) {
    return 'unknowable: no time tells its start';
  }
  return undefined;
}

/**
 * The real one came and went while the watch was down, and the one that was named had lost the address without the API
 * telling so: its sandbox was being remade, and it looked alive all the while.
 */
function whyUnheard(truth: Truth, holds: readonly Hold[], real: Hold, uids: readonly string[]): string | undefined {
  const isUnheard = truth.gaps.some((gap) => real.shownMs >= gap.sinceMs && real.hiddenMs < gap.untilMs);
  const looksAlive = holds.some(
    ({ uid, isOnLostNode }) =>
      uids.includes(uid) && isOnLostNode !== true && truth.holds.some((other) => other.uid === uid && other.isRemade),
  );
  return isUnheard && looksAlive ? 'unknowable: came and went in a gap, on the address of one being remade' : undefined;
}

/** One pod has the address and shows it, nothing else did for a while, and the watch was up. */
function isClear(truth: Truth, holds: readonly Hold[], { atMs, askedMs }: Question): boolean {
  const marginMs = 1_400 + truth.delayMs;
  const shown = holds.filter(
    (hold) => hold.shownMs - marginMs < atMs + marginMs && hold.hiddenMs + marginMs > atMs - marginMs,
  );
  const [only] = shown;
  if (shown.length !== 1 || only === undefined) return false;
  const lookedAway = truth.gaps.some(
    (gap) => (gap.doubtedSinceMs ?? gap.sinceMs) - marginMs < atMs && atMs < gap.untilMs + marginMs,
  );
  const settled = only.shownMs + marginMs < atMs && atMs < Math.min(only.untilMs, only.hiddenMs) - marginMs;
  // One that shows it later may have had it then, as far as the API tells.
  const contested = holds.some(
    (hold) => hold !== only && hold.possibleFromMs <= atMs && hold.shownMs < askedMs && hold.shownMs > only.shownMs,
  );
  // As far as the API tells, it may have ended long before the node's object went, and another one come and gone.
  // In the API it had all the time what it got back.
  const own = holds.filter(({ uid }) => uid === only.uid);
  const firstShownMs = Math.min(...own.map(({ shownMs }) => shownMs));
  const lost =
    own.some(({ isOnLostNode }) => isOnLostNode) &&
    truth.gaps.some((gap) => gap.untilMs >= firstShownMs && gap.sinceMs <= atMs);
  return settled && !lookedAway && !contested && !lost;
}

function wasRemadeInGap(truth: Truth, holds: readonly Hold[], uid: string): boolean {
  return holds.some((hold) => hold.uid === uid && hold.isRemade && inGap(truth, hold.shownMs));
}

function near({ toleranceMs }: Truth, hold: Hold, atMs: number): boolean {
  return hold.fromMs - toleranceMs <= atMs && atMs < hold.untilMs + toleranceMs;
}

/** Away from both edges, where the slack cannot reach. */
function isWellInside({ toleranceMs }: Truth, hold: Hold, atMs: number): boolean {
  return hold.fromMs + toleranceMs <= atMs && atMs < hold.untilMs - toleranceMs;
}

function inApi({ toleranceMs, delayMs }: Truth, holds: readonly Hold[], uid: string, atMs: number): boolean {
  return holds.some(
    (hold) =>
      hold.uid === uid &&
      atMs >= hold.fromMs - RESOLUTION_MS - toleranceMs &&
      atMs < hold.hiddenMs + RESOLUTION_MS + Math.max(toleranceMs, delayMs),
  );
}

function inGap(truth: Truth, atMs: number): boolean {
  return truth.gaps.some((gap) => gap.sinceMs <= atMs && atMs < gap.untilMs + truth.delayMs);
}

/** What happened a little before a gap may have been reported in it. */
function inDoubt(truth: Truth, atMs: number): boolean {
  return truth.gaps.some(
    (gap) => (gap.doubtedSinceMs ?? gap.sinceMs) - REPORT_MS <= atMs && atMs < gap.untilMs + truth.delayMs,
  );
}
