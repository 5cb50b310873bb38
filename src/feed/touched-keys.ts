// Entities that were looked at again and came out the same, or were looked for in vain, each with where the log stood
// when that happened last.
//
// Needed by those who come from another replica: there, in another order of the same source changes, the entity may have
// been different in between. An entity that changes afterwards needs no entry: its change is in the log. So there are at
// most as many entries as entities; they are dropped by age and number, as removals are.

import type { ObjectReference } from '../model/entities.ts';

export interface TouchedKey {
  readonly uid: string;
  /** The workload that is not there; unset for an entity that is. */
  readonly absent: ObjectReference | undefined;
}

interface Touch extends TouchedKey {
  readonly at: number;
  readonly atMs: number;
}

export class TouchedKeys {
  /** By uid; oldest first (a Map iterates in insertion order). */
  readonly #keys = new Map<string, Touch>();
  #forgotten = -1;

  get size(): number {
    return this.#keys.size;
  }

  /** Where the log stood when the newest of those that were dropped was touched; -1: none was dropped. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** `at`: the head of the log before the batch that touched it. */
  touch({ uid, absent }: TouchedKey, at: number, nowMs: number): void {
    this.#keys.delete(uid);
    this.#keys.set(uid, { uid, absent, at, atMs: nowMs });
  }

  /** It changed or went. */
  drop(uid: string): void {
    this.#keys.delete(uid);
  }

  forget(oldestMs: number, maxKeys: number): void {
    for (const [uid, { at, atMs }] of this.#keys) {
      if (atMs >= oldestMs && this.#keys.size <= maxKeys) break;
      this.#keys.delete(uid);
      this.#forgotten = at;
    }
  }

  /** Those that were touched when the log stood at `sequence` or later. */
  since(sequence: number): readonly TouchedKey[] {
    const keys: TouchedKey[] = [];
    for (const key of this.#keys.values()) if (key.at >= sequence) keys.push(key);
    return keys;
  }
}
