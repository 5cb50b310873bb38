// Owners that are gone and stay known for a while, whether or not a pod refers to them: two watches have no common
// order, and a controller with a stale cache makes pods after the delete, so a pod may be seen after its owner went.
//
// Each keeps itself and what was above it. Bounded by time and count; at the count the oldest go first. The clock is
// that of the writes: what is due goes with the next one.

import type { OwnerLink } from './owner-links.ts';

export interface FormerOwnersOptions {
  /** 0: none is kept. */
  readonly retentionMs: number;
  readonly maxOwners: number;
}

interface Former {
  readonly held: readonly OwnerLink[];
  /** Unset until the write that it went with is complete. */
  goneAtMs: number | undefined;
}

/** With every write: more than it can add, and little work. */
const RELEASED_WITH_A_WRITE = 64;

export class FormerOwners {
  readonly #options: FormerOwnersOptions;
  /** Oldest first (a Map iterates in insertion order). */
  readonly #formers = new Map<OwnerLink, Former>();
  /** The newest ones that have no time yet. */
  #untimed: Former[] = [];

  constructor(options: FormerOwnersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#formers.size;
  }

  has(link: OwnerLink): boolean {
    return this.#formers.has(link);
  }

  /** It went; `held`: itself and what is above it. Returns whether it is kept. */
  add(link: OwnerLink, held: readonly OwnerLink[]): boolean {
    const { retentionMs, maxOwners } = this.#options;
    if (retentionMs === 0 || maxOwners === 0) return false;
    const former: Former = { held, goneAtMs: undefined };
    this.#formers.set(link, former);
    this.#untimed.push(former);
    return true;
  }

  /** When it went; `undefined`: it is not kept here. One that went with a write that is not complete went now. */
  goneAtMs(link: OwnerLink, nowMs: number): number | undefined {
    const former = this.#formers.get(link);
    return former && (former.goneAtMs ?? nowMs);
  }

  /** Whether one that went then would be kept. */
  isRecent(goneAtMs: number, nowMs: number): boolean {
    const { retentionMs, maxOwners } = this.#options;
    return maxOwners > 0 && nowMs - goneAtMs < retentionMs;
  }

  /** Those that would be kept beside the ones that are, of many the newest. */
  newest<F extends { readonly goneAtMs: number | undefined }>(formers: readonly F[], nowMs: number): readonly F[] {
    const whenOf = ({ goneAtMs = Number.NEGATIVE_INFINITY }: F): number => goneAtMs;
    const recent = formers.filter((each) => this.isRecent(whenOf(each), nowMs)).sort((a, b) => whenOf(b) - whenOf(a));
    return recent.slice(0, Math.max(0, this.#options.maxOwners - this.#formers.size));
  }

  /** These went before this process knew of them; as in `add`. What is over the count goes with the writes to come. */
  inherit(formers: Iterable<readonly [link: OwnerLink, held: readonly OwnerLink[], goneAtMs: number]>): void {
    const all: [OwnerLink, Former][] = [...this.#formers];
    for (const [link, held, goneAtMs] of formers) all.push([link, { held, goneAtMs }]);
    const whenOf = ([, { goneAtMs = Number.MAX_SAFE_INTEGER }]: [OwnerLink, Former]): number => goneAtMs;
    all.sort((a, b) => whenOf(a) - whenOf(b));
    this.#formers.clear();
    for (const [link, former] of all) this.#formers.set(link, former);
  }

  /** It is there again, or is not to be kept any longer. Returns what it held. */
  delete(link: OwnerLink): readonly OwnerLink[] {
    const held = this.#formers.get(link)?.held ?? [];
    this.#formers.delete(link);
    return held;
  }

  /** A write is complete at this moment. Returns those that are due, some at once. */
  tick(atMs: number): readonly OwnerLink[] {
    for (const former of this.#untimed) former.goneAtMs = atMs;
    if (this.#untimed.length > 0) this.#untimed = [];
    const due: OwnerLink[] = [];
    const { retentionMs, maxOwners } = this.#options;
    for (const [link, { goneAtMs = atMs }] of this.#formers) {
      const isTooMany = this.#formers.size - due.length > maxOwners;
      if (due.length === RELEASED_WITH_A_WRITE || (!isTooMany && atMs - goneAtMs < retentionMs)) break;
      due.push(link);
    }
    return due;
  }
}
