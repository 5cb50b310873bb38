// Answers as programs get them: plain objects, made of what reading found.

import type { ObjectReference } from '../model/entities.ts';
import type { IntervalVerdict } from '../timelines/interval.ts';
import type { Outcome, Verdict } from '../timelines/resolve.ts';
import { type AddressRole, MAX_CANDIDATES } from '../timelines/timeline.ts';
import type { ReplicaHolder } from './holder-message.ts';

/** An object that holds, or may hold, an address. Moments are ms since the epoch. */
export interface Holder {
  readonly kind: 'Pod' | 'Service' | 'Node';
  /** Empty for nodes. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** How it holds the address. ENDPOINT with kind Service: an endpoint that only this service knows. */
  readonly role: AddressRole;
  readonly validFrom: number;
  /** Unset: it lasts. */
  readonly validTo: number | undefined;
  /** Another object may have held the address. */
  readonly uncertain: boolean;
  /** The one workload behind it; unset when there is not exactly one. */
  readonly workload: ObjectReference | undefined;
}

/** The answer for one address, as `digger.v1.Resolution` has it. */
export interface Answer {
  readonly outcome: Outcome;
  /** Unset unless RESOLVED. */
  readonly holder: Holder | undefined;
  /** The workload of the holder; for AMBIGUOUS, when all candidates share it. */
  readonly workload: ObjectReference | undefined;
  /** AMBIGUOUS: at least two, best first. RESOLVED to a node: the pods in its network that could be meant too. */
  readonly candidates: readonly Holder[];
  /** For AMBIGUOUS: every candidate is. */
  readonly uncertain: boolean;
  /** Moments before it cannot be told. */
  readonly historySince: number;
  /** How much the picture may be behind, ms; unset while it is followed. */
  readonly staleness: number | undefined;
  /** Why nothing can be told; unset: the outcome says what is known. */
  readonly unready: 'NOT_READY' | undefined;
}

const NO_HOLDERS: readonly Holder[] = Object.freeze([]);

/** No picture is complete yet: whatever was asked, it is not known. */
export function unreadyAnswer(): Answer {
  return {
    outcome: 'UNKNOWN',
    holder: undefined,
    workload: undefined,
    candidates: NO_HOLDERS,
    uncertain: false,
    historySince: Number.POSITIVE_INFINITY,
    staleness: undefined,
    unready: 'NOT_READY',
  };
}

/** `others` when the answer is a node; unset: there are none. */
export function momentAnswer(
  verdict: Verdict<ReplicaHolder>,
  others: Verdict<ReplicaHolder> | undefined,
  staleness: number | undefined,
): Answer {
  const holders = holdersOf(verdict);
  return answer(verdict.outcome, holders, verdict.historySinceMs, staleness, others && holdersOf(others));
}

export function intervalAnswer(
  verdict: IntervalVerdict<ReplicaHolder>,
  others: Verdict<ReplicaHolder> | undefined,
  staleness: number | undefined,
): Answer {
  const { outcome, runs, historySinceMs } = verdict;
  const holders = runs.map(({ holder, fromMs, toMs, isUncertain }) => ({
    ...holderOf(holder, isUncertain),
    validFrom: fromMs,
    validTo: toMs,
  }));
  return answer(outcome, holders, historySinceMs, staleness, others && holdersOf(others));
}

function answer(
  outcome: Outcome,
  holders: readonly Holder[],
  historySince: number,
  staleness: number | undefined,
  others: readonly Holder[] | undefined,
): Answer {
  const holder = outcome === 'RESOLVED' ? holders[0] : undefined;
  const isAmbiguous = outcome === 'AMBIGUOUS';
  return {
    outcome,
    holder,
    workload: isAmbiguous ? sharedWorkload(holders) : holder?.workload,
    candidates: isAmbiguous ? holders.slice(0, MAX_CANDIDATES) : (others ?? NO_HOLDERS),
    uncertain: isAmbiguous ? holders.every(({ uncertain }) => uncertain) : holder?.uncertain === true,
    historySince,
    staleness,
    unready: undefined,
  };
}

function holdersOf(verdict: Verdict<ReplicaHolder>): readonly Holder[] {
  return verdict.holders.map((holder, index) => holderOf(holder, verdict.isUncertain(index)));
}

function holderOf(holder: ReplicaHolder, uncertain: boolean): Holder {
  const { kind, namespace, name, uid, role, validFromMs, validToMs, workload } = holder;
  return { kind, namespace, name, uid, role, validFrom: validFromMs, validTo: validToMs, uncertain, workload };
}

function sharedWorkload(holders: readonly Holder[]): ObjectReference | undefined {
  // There are others, which are not looked at.
  if (holders.length > MAX_CANDIDATES) return undefined;
  const [first] = holders;
  const isShared = holders.every(({ workload }) => workload !== undefined && workload.uid === first?.workload?.uid);
  return isShared ? first?.workload : undefined;
}
