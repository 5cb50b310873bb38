// Answers as programs get them: plain objects, made of what reading found.

import type { IntervalVerdict } from '../timelines/interval.ts';
import type { Outcome as Found, Verdict } from '../timelines/resolve.ts';
import { type AddressRole, MAX_CANDIDATES } from '../timelines/timeline.ts';
import type { ReplicaHolder, ToldReference } from './holder-message.ts';

/** HIDDEN: an object of a namespace that the server does not publish holds it, and that is all that is known. */
export type Outcome = Found | 'HIDDEN';

/** An object that holds, or may hold, an address. Moments are ms since the epoch. */
export interface Holder {
  readonly kind: 'Pod' | 'Service' | 'Node';
  /** Empty for nodes. */
  readonly namespace: string;
  readonly name: string;
  /** Of a hidden one what tells it apart from others, and is no uid. */
  readonly uid: string;
  /** In a namespace that the server does not publish: without namespace, name and workload. */
  readonly hidden: boolean;
  /** How it holds the address. ENDPOINT with kind Service: an endpoint that only this service knows. */
  readonly role: AddressRole;
  readonly validFrom: number;
  /** Unset: it lasts. */
  readonly validTo: number | undefined;
  /** Another object may have held the address. */
  readonly uncertain: boolean;
  /** The one workload behind it; unset when there is not exactly one. */
  readonly workload: ToldReference | undefined;
}

/** The answer for one address, as `digger.v1.Resolution` has it. */
export interface Answer {
  readonly outcome: Outcome;
  /** Unset unless RESOLVED or HIDDEN. */
  readonly holder: Holder | undefined;
  /** The workload of the holder; for AMBIGUOUS, when all candidates share it. */
  readonly workload: ToldReference | undefined;
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
  found: Found,
  holders: readonly Holder[],
  historySince: number,
  staleness: number | undefined,
  others: readonly Holder[] | undefined,
): Answer {
  const holder = found === 'RESOLVED' ? holders[0] : undefined;
  const outcome = holder?.hidden === true ? 'HIDDEN' : found;
  const isAmbiguous = outcome === 'AMBIGUOUS';
  return {
    outcome,
    holder,
    workload: published(isAmbiguous ? sharedWorkload(holders) : holder?.workload),
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
  const { kind, namespace, name, uid, isHidden: hidden, role, validFromMs, validToMs, workload } = holder;
  return { kind, namespace, name, uid, hidden, role, validFrom: validFromMs, validTo: validToMs, uncertain, workload };
}

/** Of a hidden workload nothing is known but of which candidate it is. */
function published(workload: ToldReference | undefined): ToldReference | undefined {
  return workload?.hidden === true ? undefined : workload;
}

function sharedWorkload(holders: readonly Holder[]): ToldReference | undefined {
  // There are others, which are not looked at.
  if (holders.length > MAX_CANDIDATES) return undefined;
  const [first] = holders;
  const isShared = holders.every(({ workload }) => workload !== undefined && workload.uid === first?.workload?.uid);
  return isShared ? first?.workload : undefined;
}
