// Owners of pods of which only the reference is known, because nobody watches their kind: custom kinds that digger may
// not read, or does not know. They are published all the same, marked incomplete, so that whoever follows the feed has
// an entity for every workload that a pod refers to.
//
// Counted by pods: an owner is published while a pod has it at the top of its chain. A kind that is watched is left out,
// however unknown the object: its own record says what it is, and may say that it is only a link of a chain.

import type { ObjectReference, WorkloadEntity } from '../model/entities.ts';
import { encodeReferredWorkload } from '../wire/encode-workload.ts';
import { compareReferences, NO_REFERENCES } from './rows.ts';

/** Tells whether objects of this kind come as records. */
export type IsWatchedKind = (apiVersion: string, kind: string) => boolean;

export interface CustomOwnerChange {
  readonly before: WorkloadEntity | undefined;
  readonly after: WorkloadEntity | undefined;
}

interface CustomOwner {
  /** Pods by the reference that they use; one reference unless pods disagree. */
  readonly pods: Map<ObjectReference, number>;
  published: WorkloadEntity | undefined;
}

export class CustomOwners {
  readonly #byUid = new Map<string, CustomOwner>();
  readonly #dirty = new Set<string>();
  /** Looked at since the last call, whether there is such an owner or not. */
  readonly #touched = new Map<string, ObjectReference>();
  readonly #isWatchedKind: IsWatchedKind;

  constructor(isWatchedKind: IsWatchedKind) {
    this.#isWatchedKind = isWatchedKind;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  *published(): Iterable<WorkloadEntity> {
    for (const { published } of this.#byUid.values()) if (published !== undefined) yield published;
  }

  /** The pod's workload was one and is another now; either may be unset. */
  move(from: ObjectReference | undefined, to: ObjectReference | undefined): void {
    if (from === to) return;
    if (to !== undefined && this.#concerns(to)) this.#count(to, 1);
    if (from !== undefined && this.#concerns(from)) this.#count(from, -1);
  }

  /** Something that would lead pods to this owner came, changed or went. */
  touch(reference: ObjectReference): void {
    if (this.#concerns(reference)) this.#touched.set(reference.uid, reference);
  }

  /** What was touched since the last call; `entity` unset: there is no such owner. */
  *drainTouched(): Generator<{ readonly reference: ObjectReference; readonly entity: WorkloadEntity | undefined }> {
    for (const [uid, reference] of this.#touched) {
      this.#touched.delete(uid);
      yield { reference, entity: this.#byUid.get(uid)?.published };
    }
  }

  /** A record of it came after all: what was published so far is the record's to change. */
  handOver(uid: string): WorkloadEntity | undefined {
    const owner = this.#byUid.get(uid);
    const published = owner?.published;
    if (owner !== undefined) owner.published = undefined;
    return published;
  }

  /** Changes since the last call. `isKnown`: a record stands for this uid. */
  *drain(isKnown: (uid: string) => boolean): Generator<CustomOwnerChange> {
    for (const uid of this.#dirty) {
      this.#dirty.delete(uid);
      const owner = this.#byUid.get(uid);
      if (owner === undefined) continue;
      const before = owner.published;
      const [reference] = [...owner.pods.keys()].sort(compareReferences);
      if (reference === undefined) this.#byUid.delete(uid);
      if (isKnown(uid)) continue;
      if (reference !== undefined && before !== undefined && before.name === reference.name) continue;
      owner.published = reference === undefined ? undefined : toWorkload(reference);
      if (before !== undefined || owner.published !== undefined) yield { before, after: owner.published };
    }
  }

  #concerns(reference: ObjectReference): boolean {
    return reference.incomplete && !this.#isWatchedKind(reference.apiVersion, reference.kind);
  }

  #count(reference: ObjectReference, by: 1 | -1): void {
    let owner = this.#byUid.get(reference.uid);
    if (owner === undefined) {
      owner = { pods: new Map(), published: undefined };
      this.#byUid.set(reference.uid, owner);
    }
    const count = (owner.pods.get(reference) ?? 0) + by;
    if (count === 0) owner.pods.delete(reference);
    else owner.pods.set(reference, count);
    if (count === 0 || (by === 1 && count === 1)) this.#dirty.add(reference.uid);
    this.#touched.set(reference.uid, reference);
  }
}

function toWorkload(reference: ObjectReference): WorkloadEntity {
  const { apiVersion, kind, namespace, name, uid } = reference;
  return {
    kind: 'Workload',
    uid,
    namespace,
    name,
    creationTimeMs: undefined,
    apiVersion,
    workloadKind: kind,
    ownerChain: NO_REFERENCES,
    topLevel: true,
    ...encodeReferredWorkload(reference, NO_REFERENCES),
  };
}
