// What is answered about who holds an address, from the timelines: the holders with what is told of them, the other
// pods that an address of a node may stand for, the outcomes through the whole history.
//
// How a question is answered from timelines, src/timelines/ says, for every reader of them; here are the answers of the
// address book, whose holders are claims.

import { historyOf, resolveInterval } from '../timelines/interval.ts';
import { type Outcome, resolve, resolveOthers, Verdict } from '../timelines/resolve.ts';
import type { TimelineSource } from '../timelines/source.ts';
import type { Claim } from './claims/claim.ts';
import type {
  AddressAnswer,
  AddressHistory,
  AddressQuestion,
  AddressReader,
  AddressStretch,
  Holder,
} from './reader.ts';

export interface AddressAnswersOptions {
  readonly source: TimelineSource<Claim>;
  /** Our clock, ms since the epoch. */
  readonly now: () => number;
  /** Of an address that has no history: since when one could be told. */
  readonly historySinceMs: () => number;
}

export class AddressAnswers implements Pick<AddressReader, 'resolve' | 'history'> {
  readonly #source: TimelineSource<Claim>;
  readonly #now: () => number;
  readonly #historySinceMs: () => number;
  /** Used again for every question. */
  readonly #verdict = new Verdict<Claim>();
  readonly #others = new Verdict<Claim>();

  constructor({ source, now, historySinceMs }: AddressAnswersOptions) {
    this.#source = source;
    this.#now = now;
    this.#historySinceMs = historySinceMs;
  }

  resolve(question: AddressQuestion): AddressAnswer {
    const nowMs = this.#now();
    const { atMs, untilMs } = question;
    if (atMs !== undefined && untilMs !== undefined)
      return this.#resolveInterval({ ...question, atMs }, untilMs, nowMs);
    const verdict = this.#verdict;
    resolve(this.#source, question, nowMs, verdict);
    const { outcome, holders, historySinceMs } = verdict;
    switch (outcome) {
      case 'RESOLVED': {
        const [claim] = holders as readonly [Claim];
        const alternatives = claim.kind === 'Node' ? this.#podsInNetworkOf(claim, question.atMs ?? nowMs) : NONE;
        return { outcome, holder: toHolder(claim, verdict.isUncertain(0)), alternatives, historySinceMs };
      }
      case 'AMBIGUOUS': {
        const candidates = holders.map((claim, index) => toHolder(claim, verdict.isUncertain(index)));
        return { outcome, candidates, historySinceMs };
      }
      default:
        return { outcome, historySinceMs };
    }
  }

  history(question: Omit<AddressQuestion, 'atMs' | 'untilMs'>, limit: number): AddressHistory {
    const nowMs = this.#now();
    const found = historyOf(this.#source, question, nowMs, limit);
    const stretches = found.map(({ fromMs, untilMs, outcome, holders }): AddressStretch => {
      const toMs = untilMs > nowMs ? undefined : untilMs;
      return { fromMs, toMs, outcome, holders: holders.map((each) => toHolder(each.holder, each.isUncertain)) };
    });
    return { stretches, historySinceMs: found.at(-1)?.historySinceMs ?? this.#historySinceMs() };
  }

  #resolveInterval(
    question: AddressQuestion & { readonly atMs: number },
    untilMs: number,
    nowMs: number,
  ): AddressAnswer {
    const { outcome, runs, historySinceMs } = resolveInterval(this.#source, question, untilMs, nowMs);
    const holders = runs.map(({ holder, fromMs, toMs, isUncertain }) => ({
      ...toHolder(holder, isUncertain),
      fromMs,
      toMs,
    }));
    const [holder] = holders;
    if (outcome === 'AMBIGUOUS') return { outcome, candidates: holders, historySinceMs };
    if (outcome !== 'RESOLVED' || holder === undefined) return { outcome: notHeld(outcome), historySinceMs };
    const alternatives = runs[0]?.holder.kind === 'Node' ? this.#podsInNetworkOf(runs[0].holder, untilMs) : NONE;
    return { outcome, holder, alternatives, historySinceMs };
  }

  /** The pods in the node's network that could be meant by its address. */
  #podsInNetworkOf(node: Claim, atMs: number): readonly Holder[] {
    const others = this.#others;
    resolveOthers(this.#source, node.name, Math.min(atMs, this.#now()), others);
    return others.holders.map((claim, index) => toHolder(claim, others.isUncertain(index)));
  }
}

const NONE: readonly never[] = Object.freeze([]);

function notHeld(outcome: Outcome): 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' {
  return outcome === 'RESOLVED' || outcome === 'AMBIGUOUS' ? 'UNKNOWN' : outcome;
}

function toHolder(claim: Claim, uncertain: boolean): Holder {
  return { role: claim.role, entity: claim.entity, fromMs: claim.validFromMs, toMs: claim.validToMs, uncertain };
}
