// The keyed change log: every entity has one place in it, at the sequence of its last change.
//
// A change moves its entity to the end and leaves a hole where it was; holes are squeezed out when they outnumber the
// rest. So the log is bounded by the live entities plus the removals that are still kept, whoever reads it and however
// slowly, and a reader that is behind meets each entity once, at its newest state. Reading from 0 is a snapshot.
//
// What makes conflation safe. A reader stands at a cursor c: it has passed every entry up to c. The states that went
// past it before they reached the reader are lost, so an entry remembers two moments of its entity's life:
//   bornAt    the entity came. bornAt > c: the reader cannot hold it.
//   labelsAt, nodeAt   its labels, its node changed last. Tells whether an older state may have passed a filter that
//             the newest one does not pass (see `projection.ts` for the rule).
// Removals are dropped by age and by number; `forgotten` is the newest sequence of a dropped one.

import type { EntityChange } from '../model/changes.ts';
import type { Entity } from '../model/entities.ts';
import { encodeRemoval, removalKey } from '../wire/frame.ts';
import { labelsOf } from '../wire/labels.ts';
import type { FilterFacts } from './filter.ts';

interface EntryPlace {
  readonly sequence: number;
  readonly bornAt: number;
  readonly labelsAt: number;
  readonly nodeAt: number;
}

/** The entity lives, and is itself what a filter looks at. */
export interface PresentEntry extends EntryPlace {
  readonly state: 'present';
  readonly facts: Entity;
}

/** The entity is gone. Its bytes are not kept; `facts` has a copy of its last labels. */
export interface RemovedEntry extends EntryPlace {
  readonly state: 'removed';
  readonly removedAtMs: number;
  readonly uid: string;
  /** An encoded `digger.v1.Removal`. */
  readonly removal: Uint8Array;
  readonly facts: FilterFacts;
}

export type LogEntry = PresentEntry | RemovedEntry;

export interface ChangeLogOptions {
  /** Removals older than this are dropped. At least twice the longest heartbeat, or resuming would hardly ever work. */
  readonly removalRetentionMs: number;
  /** Beyond this many, the oldest removals are dropped whatever their age. About 0.6 kB each. */
  readonly maxRemovals: number;
}

// Holes cost 16 bytes each and a moment in passing; squeezing costs a walk over everything.
const MIN_HOLES_TO_SQUEEZE = 1024;

export class ChangeLog {
  readonly #options: ChangeLogOptions;
  // Parallel and sorted by sequence; `undefined` is a hole.
  #sequences: number[] = [];
  #entries: (LogEntry | undefined)[] = [];
  readonly #byUid = new Map<string, LogEntry>();
  /** Oldest first (a Map iterates in insertion order), by sequence. */
  readonly #removals = new Map<number, RemovedEntry>();
  #head = 0;
  #forgotten = 0;

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /** The newest sequence; 0 before the first change. */
  get head(): number {
    return this.#head;
  }

  /** The newest sequence of a removal that is not kept any more; 0 while none was dropped. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Entities and kept removals. */
  get size(): number {
    return this.#byUid.size;
  }

  get removals(): number {
    return this.#removals.size;
  }

  /** The entry of a live entity. */
  present(uid: string): PresentEntry | undefined {
    const entry = this.#byUid.get(uid);
    return entry?.state === 'present' ? entry : undefined;
  }

  /** Places in memory, holes included. */
  get slots(): number {
    return this.#entries.length;
  }

  /** `nowMs`: monotonic. Throws when a sequence is left out: that would be a lost change. */
  append(change: EntityChange, nowMs: number): void {
    if (change.sequence !== this.#head + 1) {
      throw new Error(`change ${change.sequence} follows change ${this.#head}: sequences must be dense`);
    }
    this.#head = change.sequence;
    const { before, after } = change;
    const uid = (after ?? before)?.uid ?? '';
    const previous = this.#byUid.get(uid);
    if (previous !== undefined) this.#vacate(previous);
    const sequence = change.sequence;
    const bornAt = previous?.bornAt ?? sequence;
    if (after !== undefined) {
      const labelsAt = previous !== undefined && sameLabels(previous.facts, after) ? previous.labelsAt : sequence;
      const nodeAt = previous !== undefined && keepsNode(previous.facts, after) ? previous.nodeAt : sequence;
      this.#place({ state: 'present', sequence, bornAt, labelsAt, nodeAt, facts: after });
    } else if (before !== undefined) {
      const { labelsAt = sequence, nodeAt = sequence } = previous ?? {};
      this.#place({
        state: 'removed',
        sequence,
        bornAt,
        labelsAt,
        nodeAt,
        removedAtMs: nowMs,
        uid,
        ...epitaph(before),
      });
    }
    this.expire(nowMs);
  }

  /** Drops the removals that are past their time or too many. */
  expire(nowMs: number): void {
    for (const [sequence, entry] of this.#removals) {
      const tooOld = nowMs - entry.removedAtMs >= this.#options.removalRetentionMs;
      if (!tooOld && this.#removals.size <= this.#options.maxRemovals) break;
      this.#vacate(entry);
      this.#byUid.delete(entry.uid);
      this.#forgotten = sequence;
    }
    this.#squeeze();
  }

  /**
   * Hands over the entries behind `after`, oldest first, until `visit` says stop by returning false (that entry counts as
   * not visited) or `maxVisits` places were looked at. Returns the new cursor: everything up to it was passed.
   */
  read(after: number, maxVisits: number, visit: (entry: LogEntry) => boolean): number {
    const start = this.#firstBehind(after);
    const end = Math.min(this.#entries.length, start + maxVisits);
    let cursor = after;
    for (let index = start; index < end; index++) {
      const entry = this.#entries[index];
      if (entry !== undefined && !visit(entry)) return cursor;
      cursor = this.#sequences[index] ?? cursor;
    }
    return end === this.#entries.length ? this.#head : cursor;
  }

  #place(entry: LogEntry): void {
    this.#sequences.push(entry.sequence);
    this.#entries.push(entry);
    this.#byUid.set(entry.state === 'present' ? entry.facts.uid : entry.uid, entry);
    if (entry.state === 'removed') this.#removals.set(entry.sequence, entry);
  }

  #vacate(entry: LogEntry): void {
    const index = this.#firstBehind(entry.sequence - 1);
    this.#entries[index] = undefined;
    this.#removals.delete(entry.sequence);
  }

  #squeeze(): void {
    const holes = this.#entries.length - this.#byUid.size;
    if (holes < MIN_HOLES_TO_SQUEEZE || holes < this.#byUid.size) return;
    const kept = this.#entries.filter((entry) => entry !== undefined);
    this.#entries = kept;
    this.#sequences = kept.map((entry) => entry.sequence);
  }

  /** Index of the first place with a sequence beyond `sequence`. */
  #firstBehind(sequence: number): number {
    let low = 0;
    let high = this.#sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sequences[middle] ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * What is kept of an entity. The removal is in memory of its own: small Buffers share slabs of 64 KiB, and a few bytes
 * that stay for minutes would keep a whole slab of frames alive.
 */
function epitaph(entity: Entity): Pick<RemovedEntry, 'removal' | 'facts'> {
  const { kind, namespace, name, values } = entity;
  const nodeName = entity.kind === 'Pod' ? entity.nodeName : '';
  return {
    removal: new Uint8Array(encodeRemoval(removalKey(entity))),
    facts: { kind, namespace, name, nodeName, values: labelsOf(values) },
  };
}

function sameLabels(a: FilterFacts, b: FilterFacts): boolean {
  return a.values === b.values || labelsOf(a.values) === labelsOf(b.values);
}

/** A pod gets its node once. Before that it passes no filter by node, so that getting it cannot end its passing. */
function keepsNode(before: FilterFacts, after: FilterFacts): boolean {
  return (before.nodeName ?? '') === '' || before.nodeName === after.nodeName;
}
