// What this process saw of one source (a watched resource), step by step, and where in the log each step begins.
//
// A step is a change of the source's records: its version, the digest of all records after it, and the sequences that
// it caused. Steps are kept for as long as a token may ask for them; what was before is `#base`. The question is
// always the same: from which sequence on does the log hold everything that happened to this source after the moment
// that a token names? Answered by version, and never without the digest: a version that was reached over a gap, or
// in another history of the API server (its storage was restored), has another digest.

import type { SourcePosition } from '../../model/observation.ts';
import { compareResourceVersions } from '../../model/kubernetes/resource-version.ts';
import type { MomentRange, SourceMoment } from './token-sources.ts';

interface Step extends SourceMoment {
  /** The head of the log before and after it. */
  readonly before: number;
  readonly after: number;
  readonly listed: boolean;
  readonly atMs: number;
}

export type SourceAnswer =
  /** Everything that happened after `low` is behind this sequence. */
  | { readonly answer: 'from'; readonly sequence: number }
  /** `high` is ahead of this process. */
  | { readonly answer: 'behind' }
  /** Steps that are not kept any more, or from before this process began. */
  | { readonly answer: 'too-old'; readonly kept: boolean }
  /** Between the steps: this process went over the moment by a list. */
  | { readonly answer: 'skipped' }
  /** This process was at that version too, with other records. */
  | { readonly answer: 'other-history' };

export class SourceHistory {
  /** The oldest moment that is known; every step came after it. */
  #base: Pick<Step, 'version' | 'digest' | 'after'>;
  /** Steps were dropped: `#base` is not where this process began. */
  #dropped = false;
  #steps: Step[] = [];
  #first = 0;
  /** Numbers of the steps that were reached by a list; a step's number is its index and `#offset`. */
  #listed: number[] = [];
  #offset = 0;
  #current: SourceMoment;
  /** The head of the log before a list that is being applied piece by piece. */
  #pendingSince: number | undefined;

  constructor(position: SourceMoment, head: number) {
    this.#base = { ...position, after: head };
    this.#current = position;
  }

  get current(): SourceMoment {
    return this.#current;
  }

  /** A list is being applied: the records are at no moment. */
  get isPending(): boolean {
    return this.#pendingSince !== undefined;
  }

  /** Steps that are kept. */
  get size(): number {
    return this.#steps.length - this.#first;
  }

  /** Part of a list was applied; `before`: the head of the log before that. */
  begin(before: number): void {
    this.#pendingSince ??= before;
  }

  /** The source is at this position now, and the log at `head`; it was at `before` before. */
  advance(position: SourcePosition & { readonly digest: number }, before: number, head: number, nowMs: number): void {
    const { resourceVersion: version, digest, listed = false } = position;
    const since = this.#pendingSince ?? before;
    this.#pendingSince = undefined;
    // A list that found no difference is a step too: what happened before it was not seen.
    const isStep = digest !== this.#current.digest || head !== since || listed;
    this.#current = { version, digest };
    if (!isStep) return;
    if (listed) this.#listed.push(this.#offset + this.#steps.length);
    this.#steps.push({ version, digest, before: since, after: head, listed, atMs: nowMs });
  }

  /** The past does not count any more: the server's history is another one now. */
  restart(position: SourceMoment, head: number): void {
    this.#base = { ...position, after: head };
    this.#current = position;
    this.#steps = [];
    this.#first = 0;
    this.#listed = [];
    this.#offset = 0;
    this.#pendingSince = undefined;
  }

  /** Drops steps that are beyond `maxSteps`, from before `oldestMs`, or begin before what the log still holds. */
  forget(oldestMs: number, oldestSequence: number, maxSteps: number): void {
    for (let step = this.#steps[this.#first]; step !== undefined; step = this.#steps[this.#first]) {
      if (step.atMs >= oldestMs && step.before >= oldestSequence && this.size <= maxSteps) break;
      this.#base = step;
      this.#dropped = true;
      this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#steps.length) {
      this.#steps = this.#steps.slice(this.#first);
      this.#offset += this.#first;
      this.#first = 0;
      this.#listed = this.#listed.filter((number) => number >= this.#offset);
    }
  }

  /**
   * The moments between which everything lies that a reader holds who had everything up to `floor` and may have newer
   * states. `undefined`: cannot be told.
   */
  rangeSince(floor: number): MomentRange | undefined {
    if (this.isPending) return undefined;
    const high = this.#current;
    const index = this.#lastIndex((step) => step.after <= floor);
    const low = index < this.#first ? this.#base : this.#steps[index];
    if (low === undefined || low.after > floor) return undefined;
    if (index === this.#steps.length - 1) return { low: high, high };
    // While a list is applied, there are states that the server never had.
    if (this.#nextListed(index) !== undefined) return undefined;
    // The last change, not the last bookmark: another process has to have seen it, and gets bookmarks of its own.
    return { low: momentOf(low), high: momentOf(this.#steps.at(-1) ?? high) };
  }

  /** Where to start for a consumer that holds states of this range. `head`: of the log. */
  find({ low, high }: MomentRange, head: number): SourceAnswer {
    const isOneMoment = low.version === high.version && low.digest === high.digest;
    // A consumer with one state is level with a process that has the same. One with states from a range is not: the
    // records may have changed back, and what they were in between, which the consumer may hold, was not seen here.
    if (!isOneMoment || high.digest !== this.#current.digest) {
      const ahead = compareResourceVersions(high.version, this.#current.version);
      if (ahead === undefined) return { answer: 'other-history' };
      if (ahead > 0) return { answer: 'behind' };
    }
    const last = this.#lastIndex((step) => isUpTo(step.version, low.version));
    const isAfterBase = last >= this.#first || isUpTo(this.#base.version, low.version);
    const index = this.#sameVersion(last, low.digest);
    const at = index < this.#first ? this.#base : this.#steps[index];
    if (isAfterBase && at?.digest === low.digest) {
      if (!isOneMoment && this.#isSkipped(index, high)) return { answer: 'skipped' };
      return { answer: 'from', sequence: this.#sequenceAfter(index, head) };
    }
    // Nothing happened from there to the next moment that is known.
    const nextIndex = isAfterBase ? last + 1 : this.#first - 1;
    const next = isAfterBase ? this.#steps[nextIndex] : this.#base;
    if (isOneMoment && next?.digest === low.digest) {
      return { answer: 'from', sequence: this.#sequenceAfter(nextIndex, head) };
    }
    if (!isAfterBase) return { answer: 'too-old', kept: !this.#dropped };
    return { answer: this.#steps[nextIndex]?.listed ? 'skipped' : 'other-history' };
  }

  /** Of several steps at one version (the events that came while a streamed list did) the one with this digest. */
  #sameVersion(last: number, digest: number): number {
    for (let index = last; index >= this.#first; index--) {
      const step = this.#steps[index];
      if (step?.digest === digest) return index;
      if (this.#steps[index - 1]?.version !== step?.version) break;
    }
    return last;
  }

  /** Behind the step with this index the range reaches into a stretch that was not seen step by step. */
  #isSkipped(index: number, high: SourceMoment): boolean {
    const at = this.#nextListed(index);
    if (at === undefined) return false;
    const before = at === this.#first ? this.#base : this.#steps[at - 1];
    return before !== undefined && !isUpTo(high.version, before.version);
  }

  /** Index of the first step behind `index` that was reached by a list. */
  #nextListed(index: number): number | undefined {
    const number = this.#listed[countUpTo(this.#listed, this.#offset + index)];
    return number === undefined ? undefined : number - this.#offset;
  }

  /** The head of the log when the first change after this step had not been applied. */
  #sequenceAfter(index: number, head: number): number {
    return this.#steps[index + 1]?.before ?? this.#pendingSince ?? head;
  }

  /** Index of the last step that fulfils what all steps before it do as well; one before the first if none does. */
  #lastIndex(fulfils: (step: Step) => boolean): number {
    let low = this.#first;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const step = this.#steps[middle];
      if (step !== undefined && fulfils(step)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** How many of these ascending numbers are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of a step: what goes into a token. */
function momentOf({ version, digest }: SourceMoment): SourceMoment {
  return { version, digest };
}

function isUpTo(a: string, b: string): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}
