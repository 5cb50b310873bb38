// All sources together: what a token says about them, and where a token of another process can be continued.
//
// Entities are a function of the records, so the moments of all sources name a state, in whatever order they were
// reached. Another replica went through them in an order of its own, so it starts before the first change in its log
// that is beyond the token for its own source, and tells everything from there; see `subscriptions/resumption.ts`.

import type { ChangeBatch } from '../../model/changes.ts';
import { compareResourceVersions } from '../../model/kubernetes/resource-version.ts';
import type { ResetReason } from '../../wire/frame.ts';
import { type MomentRange, NO_SOURCES, sourceSet, type TokenSources } from './token-sources.ts';
import { SourceHistory } from './source-history.ts';

export type ResumeAnswer =
  | { readonly answer: 'from'; readonly sequence: number }
  | { readonly answer: 'behind' }
  | { readonly answer: 'reset'; readonly reason: ResetReason };

/** Of one source; about 100 bytes each. 200 s at 500 changes a second. */
const MAX_STEPS = 100_000;

/**
 * All watches end with a restore, and are listed again within the longest backoff (30 s) and the time that a list
 * takes. Later it is another one: to tell a restore twice costs a snapshot, not to tell one would leave tokens that
 * lie.
 */
const RESTORE_MS = 120_000;

export class Sources {
  readonly #histories = new Map<string, SourceHistory>();
  /** Names of all of them, and the histories in the order of their names: as tokens have them. */
  #set = '';
  #ordered: readonly SourceHistory[] = [];
  /** Lists that were begun before anything was known of their source. */
  readonly #unborn = new Set<string>();
  /**
   * Sources that have not told yet whether a restore that is known concerns them too, and until when a list that goes
   * backwards is put down to that restore.
   */
  readonly #suspects = new Map<string, number>();
  /** A source came without a digest: there is nothing to compare. */
  #isBlind = false;
  #now: { readonly head: number; readonly sources: TokenSources } | undefined;

  /** Steps that are kept, of all sources. */
  get steps(): number {
    let steps = 0;
    for (const history of this.#histories.values()) steps += history.size;
    return steps;
  }

  /**
   * A source changed; the log was at `before` and is at `head`. Returns whether the API server's history was rewritten:
   * a list with a version below what was seen before.
   */
  apply({ position, unfinished = false }: ChangeBatch, before: number, head: number, nowMs: number): boolean {
    this.#now = undefined;
    const { resource, resourceVersion: version, digest, listed = false } = position;
    const history = this.#histories.get(resource);
    if (unfinished) {
      if (history === undefined) this.#unborn.add(resource);
      else history.begin(before);
      return false;
    }
    this.#unborn.delete(resource);
    if (digest === undefined || version === '') {
      this.#isBlind ||= digest === undefined;
      return false;
    }
    if (history === undefined) {
      this.#histories.set(resource, new SourceHistory({ version, digest }, head));
      this.#set = sourceSet(this.#histories.keys());
      this.#ordered = [...this.#histories].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
      return false;
    }
    const order = compareResourceVersions(version, history.current.version);
    if (order === undefined || order < 0) {
      history.restart({ version, digest }, head);
      return order !== undefined && listed && this.#isNews(resource, nowMs);
    }
    // It was listed and went on: what it does later has to do with another restore.
    if (listed) this.#suspects.delete(resource);
    history.advance({ ...position, digest }, before, head, nowMs);
    return false;
  }

  /** Of a token for a consumer that had everything up to `floor`. Empty: cannot be told. The log is at `head`. */
  since(floor: number, head: number): TokenSources {
    if (floor === head && this.#now?.head === head) return this.#now.sources;
    const sources = this.#since(floor);
    if (floor === head) this.#now = { head, sources };
    return sources;
  }

  /** Where the log has to be read from for a consumer with these sources. */
  find({ set, ranges }: TokenSources, head: number): ResumeAnswer {
    const isSame = ranges.length === this.#ordered.length && set === this.#set;
    if (ranges.length === 0 || !isSame || this.#isBlind) return { answer: 'reset', reason: 'OTHER_EPOCH' };
    let sequence = head;
    let isBehind = false;
    for (const [index, range] of ranges.entries()) {
      const found = this.#ordered[index]?.find(range, head) ?? { answer: 'skipped' };
      switch (found.answer) {
        case 'from':
          sequence = Math.min(sequence, found.sequence);
          break;
        case 'behind':
          isBehind = true;
          break;
        case 'too-old':
          return { answer: 'reset', reason: found.kept ? 'OTHER_EPOCH' : 'TOKEN_EXPIRED' };
        case 'skipped':
          return { answer: 'reset', reason: 'OTHER_EPOCH' };
        case 'other-history':
          return { answer: 'reset', reason: 'HISTORY_REWRITTEN' };
        default:
          found satisfies never;
      }
    }
    return isBehind ? { answer: 'behind' } : { answer: 'from', sequence };
  }

  forget(oldestMs: number, oldestSequence: number): void {
    for (const history of this.#histories.values()) history.forget(oldestMs, oldestSequence, MAX_STEPS);
  }

  #since(floor: number): TokenSources {
    if (this.#isBlind || this.#unborn.size > 0) return NO_SOURCES;
    const ranges: MomentRange[] = [];
    for (const history of this.#ordered) {
      const range = history.rangeSince(floor);
      if (range === undefined) return NO_SOURCES;
      ranges.push(range);
    }
    return { set: this.#set, ranges };
  }

  /** A restored storage shows in every source, one after the other; it is told once. */
  #isNews(resource: string, nowMs: number): boolean {
    const untilMs = this.#suspects.get(resource);
    this.#suspects.delete(resource);
    if (untilMs !== undefined && nowMs < untilMs) return false;
    for (const other of this.#histories.keys()) if (other !== resource) this.#suspects.set(other, nowMs + RESTORE_MS);
    return true;
  }
}
