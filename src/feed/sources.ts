// All sources together: what a token says about them, and where a token of another process can be continued.
//
// Entities are a function of the records, so the moments of all sources name a state, in whatever order they were
// reached. Another replica went through them in an order of its own, so it starts before the first change in its log that
// is beyond the token for its own source, and tells everything from there; see `ChangeFeed`.

import type { ChangeBatch } from '../model/changes.ts';
import { compareResourceVersions } from '../model/resource-version.ts';
import type { ResetReason } from '../wire/frame.ts';
import { sourceId, type TokenSource } from './resume-token.ts';
import { SourceHistory } from './source-history.ts';

export type ResumeAnswer =
  | { readonly answer: 'from'; readonly sequence: number }
  | { readonly answer: 'behind' }
  | { readonly answer: 'reset'; readonly reason: ResetReason };

/** Of one source; about 100 bytes each. 200 s at 500 changes a second. */
const MAX_STEPS = 100_000;

const UNKNOWN: readonly TokenSource[] = Object.freeze([]);

export class Sources {
  readonly #histories = new Map<string, SourceHistory>();
  /** Lists that were begun before anything was known of their source. */
  readonly #unborn = new Set<string>();
  readonly #ids = new Map<string, string>();
  /** Sources that have not told yet whether their history is another one too. */
  readonly #suspects = new Set<string>();
  /** A source came without a digest: there is nothing to compare. */
  #isBlind = false;
  #now: { readonly head: number; readonly sources: readonly TokenSource[] } | undefined;

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
    const history = this.#histories.get(this.#id(resource));
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
      this.#histories.set(this.#id(resource), new SourceHistory({ version, digest }, head));
      return false;
    }
    const order = compareResourceVersions(version, history.current.version);
    if (order === undefined || order < 0) {
      history.restart({ version, digest }, head);
      return order !== undefined && listed && this.#isNews(this.#id(resource));
    }
    history.advance({ ...position, digest }, before, head, nowMs);
    return false;
  }

  /** Of a token for somebody who had everything up to `floor`. Empty: cannot be told. The log is at `head`. */
  since(floor: number, head: number): readonly TokenSource[] {
    if (floor === head && this.#now?.head === head) return this.#now.sources;
    const sources = this.#since(floor);
    if (floor === head) this.#now = { head, sources };
    return sources;
  }

  /** Where the log has to be read from for somebody with these sources. */
  find(sources: readonly TokenSource[], head: number): ResumeAnswer {
    const isSame = sources.length === this.#histories.size && sources.every(({ id }) => this.#histories.has(id));
    if (sources.length === 0 || !isSame || this.#isBlind) return { answer: 'reset', reason: 'OTHER_EPOCH' };
    let sequence = head;
    let isBehind = false;
    for (const { id, ...range } of sources) {
      const found = this.#histories.get(id)?.find(range, head) ?? { answer: 'skipped' };
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

  #since(floor: number): readonly TokenSource[] {
    if (this.#isBlind || this.#unborn.size > 0) return UNKNOWN;
    const sources: TokenSource[] = [];
    for (const [id, history] of this.#histories) {
      const range = history.rangeSince(floor);
      if (range === undefined) return UNKNOWN;
      sources.push({ id, ...range });
    }
    return sources;
  }

  /** A restored storage shows in every source, one after the other; it is told once. */
  #isNews(id: string): boolean {
    if (this.#suspects.delete(id)) return false;
    for (const other of this.#histories.keys()) if (other !== id) this.#suspects.add(other);
    return true;
  }

  #id(resource: string): string {
    let id = this.#ids.get(resource);
    if (id === undefined) this.#ids.set(resource, (id = sourceId(resource)));
    return id;
  }
}
