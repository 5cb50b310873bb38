// Entities that were looked at again and came out the same, or were not found, each with where the log stood
// when that happened last.
//
// Needed by consumers that come from another replica: there, in another order of the same source changes, the entity
// may have been different in between. An entity that changes afterwards needs no entry: its change is in the log. But
// for one whose object is told to be absent under another key: a reader that was cut off after it passed the change is
// told again that the object is not there under that key, and those who hold objects by uid would take that for its
// end.
//
// There are at most as many entries as objects; they are dropped by age and number, as removals are. Readers go through
// them in order, some at a time; an entry that is touched again while a reader is on its way moves ahead of it.

import { wideMap } from '../../collections/wide-map.ts';
import type { Entity, ObjectReference } from '../../model/entities.ts';
import { keyOf, keyOfWorkload } from '../../model/entity-key.ts';
import { identityOf } from './log-entry.ts';

export interface TouchedKey {
  /** Of `model/entity-key.ts`. */
  readonly key: string;
  /** The workload that is not there; unset for an entity that is. */
  readonly absent: ObjectReference | undefined;
}

interface Touch extends TouchedKey {
  /** Ascending in the list. */
  readonly number: number;
  readonly identity: string;
  /** The head of the log before the batch that touched it; ascending too. */
  readonly at: number;
  readonly atMs: number;
  /** It was touched again, changed or went. */
  isOver: boolean;
}

/** Dropped in one call: 1 ms. */
const MAX_DROPPED_AT_ONCE = 2_000;
const MIN_OVER_TO_SQUEEZE = 1_024;

export class TouchedKeys {
  readonly #byIdentity = wideMap<Touch>();
  /** Objects that are absent under a key, by uid, with how many keys that is. */
  readonly #absent = new Map<string, number>();
  /** In order; those that are over are taken out when they outnumber the rest. */
  #touches: Touch[] = [];
  /** Index of the first that was not dropped. */
  #first = 0;
  #number = 0;
  #forgotten = -1;
  #forgottenNumber = 0;

  get size(): number {
    return this.#byIdentity.size;
  }

  /** Where the log stood when the newest of those that were dropped was touched; -1: none was dropped. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** `at`: the head of the log before the batch that touched it. */
  touch(touched: Entity | ObjectReference, at: number, nowMs: number): void {
    const absent = 'own' in touched ? undefined : touched;
    const key = 'own' in touched ? keyOf(touched) : keyOfWorkload(touched);
    const identity = identityOf(key, touched.uid);
    this.#end(identity);
    const touch: Touch = { number: ++this.#number, key, identity, absent, at, atMs: nowMs, isOver: false };
    this.#byIdentity.set(identity, touch);
    if (absent !== undefined) this.#absent.set(absent.uid, (this.#absent.get(absent.uid) ?? 0) + 1);
    this.#touches.push(touch);
    this.#squeeze();
  }

  /** It came or changed; as `touch`. */
  change(entity: Entity, at: number, nowMs: number): void {
    if (this.#absent.has(entity.uid)) this.touch(entity, at, nowMs);
    else this.drop(entity);
  }

  /** It went, or its change is all that has to be told. */
  drop(entity: Entity): void {
    if (this.#byIdentity.size > 0) this.#end(identityOf(keyOf(entity), entity.uid));
  }

  /** Drops those from before `oldestMs` and those beyond `maxKeys`, a number of them at once. */
  forget(oldestMs: number, maxKeys: number): void {
    for (let left = MAX_DROPPED_AT_ONCE; left > 0; left--) {
      const touch = this.#touches[this.#first];
      if (touch === undefined) break;
      if (!touch.isOver) {
        if (touch.atMs >= oldestMs && this.#byIdentity.size <= maxKeys) break;
        this.#end(touch.identity);
        this.#forgotten = touch.at;
        this.#forgottenNumber = touch.number;
      }
      this.#first += 1;
    }
    this.#squeeze();
  }

  /** Reads those that were touched when the log stood at `sequence` or later. */
  since(sequence: number): TouchedReader {
    const first = this.#touches[this.#firstIndex((touch) => touch.at >= sequence)];
    let next = first?.number ?? this.#number + 1;
    return {
      isLost: () => this.#forgottenNumber >= next,
      read: (maxVisits, visit) => {
        const start = this.#firstIndex((touch) => touch.number >= next);
        const end = Math.min(this.#touches.length, start + maxVisits);
        for (let index = start; index < end; index++) {
          const touch = this.#touches[index];
          if (touch === undefined) continue;
          if (!touch.isOver && !visit(touch)) return false;
          next = touch.number + 1;
        }
        return end === this.#touches.length;
      },
    };
  }

  #end(identity: string): void {
    const touch = this.#byIdentity.get(identity);
    if (touch === undefined) return;
    touch.isOver = true;
    this.#byIdentity.delete(identity);
    if (touch.absent === undefined) return;
    const { uid } = touch.absent;
    const left = (this.#absent.get(uid) ?? 0) - 1;
    if (left > 0) this.#absent.set(uid, left);
    else this.#absent.delete(uid);
  }

  #squeeze(): void {
    const over = this.#touches.length - this.#byIdentity.size;
    if (over < MIN_OVER_TO_SQUEEZE || over < this.#byIdentity.size) return;
    this.#touches = this.#touches.filter((touch) => !touch.isOver);
    this.#first = 0;
  }

  /** Index of the first touch that fulfils what all touches behind it do as well. */
  #firstIndex(fulfils: (touch: Touch) => boolean): number {
    let low = this.#first;
    let high = this.#touches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const touch = this.#touches[middle];
      if (touch !== undefined && fulfils(touch)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** How far a consumer from elsewhere has been told of touched entities. */
export interface TouchedReader {
  /** Some that it has not read yet were dropped. */
  isLost(): boolean;
  /**
   * Hands over the next ones until `visit` returns false (that one counts as not visited) or `maxVisits` were looked
   * at. Returns whether all were read.
   */
  read(maxVisits: number, visit: (key: TouchedKey) => boolean): boolean;
}
