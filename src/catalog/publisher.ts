// Tells listeners what the join comes to: one batch for each source change, with changes numbered densely from 1.
//
// A write that touches more than MAX_AT_ONCE entities or addresses is told in slices, with turns of the event loop in
// between, so that lookups and other writes go on: its batches are unfinished, as those of a relist are, until the last
// of it is told. What is written meanwhile does not wait behind it. Readers and listeners see the same at every moment:
// the part that is told as it is now, and the rest as it was before the write.
//
// Consumers hold entities by the key of `entity-key.ts`. An entity whose key changes under its uid is told as a removal
// and a creation, and removals come first, so that a key is free before another entity takes it.

import type { ChangeBatch, EntityChange } from '../model/changes.ts';
import type { Entity, EntityKind, ObjectReference } from '../model/entities.ts';
import { haveOneKey } from '../model/entity-key.ts';
import type { Observation, SourcePosition } from '../model/observation.ts';
import type { Join } from './joining/join.ts';
import type { JoinedChange, JoinedTouch } from './joining/joined.ts';
import type { Pacer } from './pacer.ts';
import type { ChangeListener } from './reader.ts';
import { ToldCounts } from './told-counts.ts';

/**
 * Joining, claiming and encoding take 5 µs an entity, or 20 µs where the code is cold or the machine is busy, and no
 * turn should take 10 ms. How many slices one turn takes is measured by the clock.
 */
export const MAX_AT_ONCE = 128;

export interface PublisherOptions {
  readonly join: Join;
  readonly pacer: Pacer;
  readonly changed: (kind: EntityKind) => void;
  /** Entities and addresses that are told at once. */
  readonly sliceSize: number;
}

/** Where a source stands. */
interface Reached {
  readonly position: SourcePosition;
  readonly seen: Observation;
  readonly unfinished: boolean;
}

export class Publisher {
  readonly counts = new ToldCounts();
  readonly #options: PublisherOptions;
  readonly #listeners = new Set<ChangeListener>();
  readonly #positions = new Map<string, Reached>();
  /** Sources of writes of which a part is still to be told. */
  readonly #pending = new Map<string, Reached>();
  #phase: 'collecting' | 'opening' | 'open' = 'collecting';
  #sequence = 0;
  #settling: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get isCollecting(): boolean {
    return this.#phase === 'collecting';
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Adds a listener; the function that this returns takes it away again. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** A part of what was written is still to be told. */
  get isBehind(): boolean {
    return this.#settling !== undefined;
  }

  /** Resolves when everything that was written is told. */
  async settled(): Promise<void> {
    while (this.#settling !== undefined) await this.#settling;
  }

  /** Joins and tells all that was collected, in slices. */
  async open(): Promise<void> {
    const { join, pacer } = this.#options;
    this.#phase = 'opening';
    const slice = pacer.begin();
    while (join.hasMore) {
      // Each slice begins anew, because what is written between two of them is due too, and its removals come first:
      // a pod that was told and is replaced meanwhile leaves its key before its successor takes it.
      for (const change of join.drain()) {
        if (!('touched' in change)) this.#emit([change], this.#reachedBy(change));
        if (slice.due()) break;
      }
      if (join.hasMore) await slice.pause();
    }
    this.#phase = 'open';
    for (const reached of this.#positions.values()) this.#emit([], reached);
  }

  /** One source change is applied. */
  publish(position: SourcePosition, seen: Observation, unfinished: boolean): void {
    this.#reach({ position, seen, unfinished });
  }

  /** Something that no source tells was learned: what follows from it goes where the first of them stands. */
  publishAgain(seen: Observation): void {
    const [reached] = this.#positions.values();
    if (reached === undefined) return;
    // No list tells it.
    const { listed: _, ...position } = reached.position;
    this.#reach({ ...reached, position, seen });
  }

  /** The source moved on, and nothing was touched: the moment of the last write stands. */
  advance(position: SourcePosition): void {
    const seen = this.#positions.get(position.resource)?.seen ?? NEVER;
    this.#reach({ position, seen, unfinished: false });
  }

  /** An entity that no source has a record of (an owner that only pods name) goes under one that will be finished. */
  #reachedBy({ resource, before }: JoinedChange): Reached {
    const at = this.#positions.get(resource) ?? this.#positions.values().next().value;
    const position = at?.position ?? { resource, resourceVersion: '' };
    const seen = at?.seen ?? NEVER;
    // What the last write was seen after says nothing of all the others: they may have been there for long. Of what has
    // been told already it does.
    return { position, seen: before === undefined ? { atMs: seen.atMs } : seen, unfinished: true };
  }

  #reach(reached: Reached): void {
    const { resource } = reached.position;
    this.#positions.set(resource, reached);
    if (this.#phase !== 'open') return;
    const { join, sliceSize } = this.#options;
    const changes = taking(join.drain(), sliceSize);
    const before = this.#pending.get(resource);
    if (join.hasMore || before !== undefined) {
      // What is pending of a list that was finished makes the position one that a list reached.
      const listed = before?.position.listed === true ? { listed: true as const } : undefined;
      this.#pending.set(resource, { ...reached, position: { ...reached.position, ...listed } });
      if (join.hasMore) join.putAside();
      if (changes.length > 0) this.#emit(changes, { ...reached, unfinished: true });
      this.#settling ??= this.#settle();
      return;
    }
    // A record that touched no entity: the end of its relist will tell the position.
    if (changes.length === 0 && reached.unfinished) return;
    this.#emit(changes, reached);
  }

  /** Tells what was put aside, a share of each turn, and then the positions that are reached with it. */
  async #settle(): Promise<void> {
    const { join, pacer, sliceSize } = this.#options;
    while (join.hasAside) {
      await pacer.pause();
      do {
        // One after the other: an entity may change in the first and go in the second.
        let left = sliceSize;
        for (const work of [join.drainAside(), join.drain()]) {
          const changes = left > 0 ? taking(work, left) : [];
          if (changes.length > 0) this.#emit(changes, ofSeveral([...this.#pending.values()]));
          for (const change of changes) left -= sizeOf(change);
        }
        if (join.hasMore) join.putAside();
      } while (join.hasAside && !pacer.due());
    }
    this.#settling = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const reached of pending) if (!reached.unfinished) this.#emit([], reached);
  }

  #emit(joined: readonly (JoinedChange | JoinedTouch)[], { position, seen, unfinished }: Reached): void {
    const touched: (Entity | ObjectReference)[] = [];
    const changes: EntityChange[] = [];
    for (const each of joined) {
      if ('touched' in each) {
        touched.push(each.touched);
        if (each.held !== undefined) touched.push(each.held);
      } else if (each.before !== undefined && (each.after === undefined || !haveOneKey(each.before, each.after))) {
        changes.push(this.#numbered(each.before, undefined));
      }
    }
    for (const each of joined) {
      if ('touched' in each || each.after === undefined) continue;
      const { before, after } = each;
      changes.push(this.#numbered(before !== undefined && haveOneKey(before, after) ? before : undefined, after));
    }
    const batch: ChangeBatch = {
      changes,
      seen,
      position,
      ...(touched.length > 0 ? { touched } : undefined),
      ...(unfinished ? { unfinished } : undefined),
    };
    for (const listener of this.#listeners) listener(batch);
  }

  #numbered(before: Entity, after: undefined): EntityChange;
  #numbered(before: Entity | undefined, after: Entity): EntityChange;
  #numbered(before: Entity | undefined, after: Entity | undefined): EntityChange {
    this.#sequence += 1;
    this.counts.tell(before, after);
    const kind = (after ?? before)?.kind;
    if (kind !== undefined) this.#options.changed(kind);
    return { sequence: this.#sequence, before, after } as EntityChange;
  }
}

/** No write was seen yet. */
const NEVER: Observation = { atMs: 0 };

/**
 * Which of the pending writes a change comes from is not known: it was seen with the last of them, and happened after
 * the first of them was seen, or may have.
 */
function ofSeveral(pending: readonly Reached[]): Reached {
  const [first] = pending;
  if (first === undefined) throw new Error('something was put aside that no write left to do');
  const atMs = Math.max(...pending.map(({ seen }) => seen.atMs));
  const sinceMs = Math.min(...pending.map(({ seen }) => seen.sinceMs ?? seen.atMs));
  const relisted = pending.some(({ seen }) => seen.relisted === true) ? { relisted: true as const } : undefined;
  const seen = { atMs, ...(sinceMs < atMs ? { sinceMs } : undefined), ...relisted };
  return { position: first.position, seen, unfinished: true };
}

/** The first of them; the rest is not begun. */
function taking(all: Iterable<JoinedChange | JoinedTouch>, limit: number): (JoinedChange | JoinedTouch)[] {
  const found: (JoinedChange | JoinedTouch)[] = [];
  let taken = 0;
  for (const each of all) {
    found.push(each);
    taken += sizeOf(each);
    if (taken >= limit) break;
  }
  return found;
}

function sizeOf(each: JoinedChange | JoinedTouch): number {
  return 1 + ('touched' in each ? 0 : (each.addresses ?? 0));
}
