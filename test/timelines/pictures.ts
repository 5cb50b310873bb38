// Small pictures for tests of reading: timelines in a store, with facts and ranges.

import type { AddressFacts } from '../../src/timelines/facts.ts';
import { type Question, resolve, Verdict } from '../../src/timelines/resolve.ts';
import type { TimelineSource } from '../../src/timelines/source.ts';
import { TimelineStore } from '../../src/timelines/store.ts';
import {
  CERTAIN,
  type Doubt,
  type Span,
  type Timeline,
  type TimelineHolder,
  type TimelinePlace,
} from '../../src/timelines/timeline.ts';

export const NOW = 1_000_000;

export function holder(name: string, facts: Partial<TimelineHolder> = {}): TimelineHolder {
  return {
    kind: 'Pod',
    uid: `uid-${name}`,
    name,
    role: 'POD_IP',
    validFromMs: 0,
    validToMs: undefined,
    doubtedFromMs: undefined,
    startedMs: 0,
    seenMs: 0,
    createdMs: 0,
    ...facts,
  };
}

export function span(
  fromMs: number,
  toMs: number,
  holders: readonly TimelineHolder[],
  facts: Partial<Span<TimelineHolder>> = {},
): Span<TimelineHolder> {
  const doubts: readonly Doubt[] = holders.map(() => CERTAIN);
  return { fromMs, toMs, is: 'holds', holders, doubts, nearMs: 0, hasMore: false, ...facts };
}

export class Picture implements TimelineSource<TimelineHolder> {
  facts: AddressFacts = {
    beganMs: 0,
    historyMs: 600_000,
    blind: [],
    blindSinceMs: undefined,
    unknownUntilMs: 0,
    incompleteUntilMs: Number.NEGATIVE_INFINITY,
    reportDelayMs: 2_000,
    isPartial: false,
  };
  isComplete = true;
  range = '10.';
  readonly #store = new TimelineStore<TimelineHolder>();

  set(
    place: TimelinePlace,
    spans: readonly Span<TimelineHolder>[],
    facts: Partial<Timeline<TimelineHolder>> = {},
  ): this {
    this.#store.set(place, { spans, nodes: [], isInCluster: true, cutAtMs: Number.NEGATIVE_INFINITY, ...facts });
    return this;
  }

  /** Outcome or names; `?` marks an uncertain one. */
  who(question: Question): string {
    const verdict = new Verdict<TimelineHolder>();
    resolve(this, question, NOW, verdict);
    if (verdict.holders.length === 0) return verdict.outcome;
    return verdict.holders.map(({ name }, i) => `${name}${verdict.isUncertain(i) ? '?' : ''}`).join('|');
  }

  readonly ofAddress = (address: string) => this.#store.ofAddress(address);
  readonly hasPorts = (address: string) => this.#store.hasPorts(address);
  readonly ofPort: TimelineSource<TimelineHolder>['ofPort'] = (...asked) => this.#store.ofPort(...asked);
  readonly ofPorts = (address: string) => this.#store.ofPorts(address);
  readonly ofNodePort: TimelineSource<TimelineHolder>['ofNodePort'] = (...asked) => this.#store.ofNodePort(...asked);
  readonly ofEveryNodePort: TimelineSource<TimelineHolder>['ofEveryNodePort'] = (...asked) =>
    this.#store.ofEveryNodePort(...asked);
  readonly ofNode = (node: string) => this.#store.ofNode(node);
  readonly isInRange = (address: string) => address.startsWith(this.range);
  readonly areRangesComplete = () => this.isComplete;
}
