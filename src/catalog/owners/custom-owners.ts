// Owners of pods of which only the reference is known, because their kind is not watched: custom kinds that digger may
// not read, or does not know. They are published all the same, marked incomplete, so that a follower of the feed has an
// entity for every workload that a pod refers to.
//
// Counted by pods: an owner is published while a pod has it at the top of its chain. A kind that is watched is left
// out, however unknown the object: its own record says what it is, and may say that it is only a link of a chain.
//
// Consumers hold one workload by its key. Where several owners have one (an owner made anew under its name while pods
// of the one before are still going), a record comes first, and of owners without one that with the smallest uid.

import type { ObjectReference, WorkloadEntity } from '../../model/entities.ts';
import { keyOfWorkload } from '../../model/entity-key.ts';
import { groupOf } from '../../model/kubernetes/api-version.ts';
import type { ControllerReference } from '../../model/kubernetes/records.ts';
import { encodeReferredWorkload } from '../../wire/encode-workload.ts';
import { MultiMap } from '../../collections/multi-map.ts';
import { MAX_TOLD } from './owner-links.ts';
import { compareReferences, compareText, NO_REFERENCES } from '../records/rows.ts';

/** Tells whether objects of this kind come as records. */
export type IsWatchedKind = (apiVersion: string, kind: string) => boolean;

export interface CustomOwnersOptions {
  readonly isWatchedKind: IsWatchedKind;
  /** A record stands for this uid. */
  readonly isRecord: (uid: string) => boolean;
  /** A record of a top-level owner has the key of this reference. */
  readonly isTaken: (reference: ObjectReference) => boolean;
}

/** How some dependants refer to an owner. */
export interface TellingEdge {
  readonly namespace: string;
  readonly controller: ControllerReference;
}

interface CustomOwner {
  readonly uid: string;
  /** Pods by the reference that they use; one reference unless a change of it is being joined. */
  readonly pods: Map<ObjectReference, number>;
  /** The first of them in order, and its key. */
  reference: ObjectReference | undefined;
  key: string;
}

/** What consumers hold, or may hold, under one key. */
interface Place {
  readonly owners: Set<CustomOwner>;
  published: WorkloadEntity | undefined;
}

export class CustomOwners {
  readonly #byUid = new Map<string, CustomOwner>();
  readonly #byKey = new Map<string, Place>();
  /** What is published, by namespace and name. */
  readonly #byName = new MultiMap<WorkloadEntity>();
  readonly #dirtyOwners = new Set<CustomOwner>();
  readonly #dirtyKeys = new Set<string>();
  /** Keys under which consumers hold owners whose records came after all, until these are told. */
  readonly #handedOver = new Set<string>();
  /** Looked at since the last call, whether there is such an owner or not. By key and uid. */
  readonly #touched = new Map<string, ObjectReference>();
  readonly #options: CustomOwnersOptions;

  constructor(options: CustomOwnersOptions) {
    this.#options = options;
  }

  get isDirty(): boolean {
    return this.#dirtyOwners.size + this.#dirtyKeys.size > 0;
  }

  /** Something was touched since it was drained last. */
  get hasTouched(): boolean {
    return this.#touched.size > 0;
  }

  *published(): Iterable<WorkloadEntity> {
    for (const { published } of this.#byKey.values()) if (published !== undefined) yield published;
  }

  /** What is published of the owner with this uid. */
  publishedAs(uid: string): WorkloadEntity | undefined {
    const published = this.#byKey.get(this.#byUid.get(uid)?.key ?? '')?.published;
    return published?.uid === uid ? published : undefined;
  }

  /** Published owners with this name: several only in different API versions, in the order of those. */
  named(apiGroup: string, kind: string, namespace: string, name: string): readonly WorkloadEntity[] {
    return this.#byName
      .get(nameKey(namespace, name))
      .filter((each) => each.name === name && each.namespace === namespace && each.workloadKind === kind)
      .filter((each) => groupOf(each.apiVersion) === apiGroup)
      .sort((a, b) => compareText(a.apiVersion, b.apiVersion));
  }

  /** The pod's workload was one and is another now; either may be unset. */
  move(from: ObjectReference | undefined, to: ObjectReference | undefined): void {
    if (from === to) return;
    if (to !== undefined && this.#concerns(to)) this.#count(to, 1);
    if (from !== undefined && this.#concerns(from)) this.#count(from, -1);
  }

  /** Something that would lead pods to this owner came, changed or went. */
  touch(reference: ObjectReference): void {
    if (this.#concerns(reference)) this.#touch(keyOfWorkload(reference), reference);
  }

  /**
   * Something came, changed or went on which it depends how this owner is told: its record, or what refers to it.
   * Another replica, which saw that in another order, may have published it as any of these references told; consumers
   * that come from there hold it under their keys, which this replica may never have published.
   */
  touchTold(uid: string, edges: Iterable<TellingEdge>): void {
    let left = MAX_TOLD;
    for (const { namespace, controller } of edges) {
      if (this.#options.isWatchedKind(controller.apiVersion, controller.kind)) continue;
      const { apiVersion, kind, name } = controller;
      // In the namespace of its dependants, or cluster-scoped.
      for (const each of namespace === '' ? [''] : [namespace, '']) {
        const reference = { apiVersion, kind, namespace: each, name, uid, incomplete: true };
        this.#touch(keyOfWorkload(reference), reference);
      }
      left -= 1;
      if (left === 0) return;
    }
  }

  /** What was touched since the last call, whether there is such an owner or not. */
  *drainTouched(): Generator<ObjectReference> {
    for (const [identity, reference] of this.#touched) {
      this.#touched.delete(identity);
      yield reference;
    }
  }

  /** A record of it came after all: what was published so far is the record's to change. */
  handOver(uid: string): WorkloadEntity | undefined {
    const owner = this.#byUid.get(uid);
    if (owner === undefined) return undefined;
    const place = this.#byKey.get(owner.key);
    const published = place?.published;
    if (place === undefined || published?.uid !== uid) return undefined;
    this.#publish(place, undefined);
    // The record may have another name or namespace than the references to it said.
    this.#handedOver.add(owner.key);
    return published;
  }

  /** What was published of a record is told anew, or goes first of all: its key may be another's from now on. */
  recordTold(published: WorkloadEntity): void {
    const { apiVersion, workloadKind: kind, namespace, name, uid } = published;
    const reference = { apiVersion, kind, namespace, name, uid, incomplete: false };
    this.#handedOver.delete(keyOfWorkload(reference));
    this.recordChanged(reference);
  }

  /** A record with this reference came, changed or went. */
  recordChanged(reference: ObjectReference): void {
    if (this.#byUid.size === 0) return;
    const key = keyOfWorkload(reference);
    if (this.#byKey.has(key)) this.#dirtyKeys.add(key);
    const owner = this.#byUid.get(reference.uid);
    if (owner !== undefined) this.#dirtyKeys.add(owner.key);
  }

  /** Owners that are published no more. Before anything else is published under their keys. */
  *drainRemovals(): Generator<WorkloadEntity> {
    this.#placeOwners();
    for (const key of this.#dirtyKeys) {
      const place = this.#byKey.get(key);
      const published = place?.published;
      const holder = place && this.#holderOf(place);
      if (place !== undefined && published !== undefined && published.uid !== holder?.uid) {
        this.#publish(place, undefined);
        yield published;
      }
      if (holder !== undefined) continue;
      this.#dirtyKeys.delete(key);
      if (place?.owners.size === 0) this.#byKey.delete(key);
    }
  }

  /** Owners that are published now, and were not before. After what had their keys is gone. */
  *drainCreations(): Generator<WorkloadEntity> {
    for (const key of this.#dirtyKeys) {
      this.#dirtyKeys.delete(key);
      const place = this.#byKey.get(key);
      const reference = place && this.#holderOf(place)?.reference;
      if (place === undefined || place.published !== undefined || reference === undefined) continue;
      const entity = toWorkload(reference);
      this.#publish(place, entity);
      yield entity;
    }
  }

  #publish(place: Place, entity: WorkloadEntity | undefined): void {
    const { published: before } = place;
    if (before !== undefined) this.#byName.delete(nameKey(before.namespace, before.name), before);
    if (entity !== undefined) this.#byName.add(nameKey(entity.namespace, entity.name), entity);
    place.published = entity;
  }

  #placeOwners(): void {
    for (const owner of this.#dirtyOwners) {
      this.#dirtyOwners.delete(owner);
      const [reference] = [...owner.pods.keys()].sort(compareReferences);
      if (owner.reference !== undefined) {
        this.#byKey.get(owner.key)?.owners.delete(owner);
        this.#dirtyKeys.add(owner.key);
      }
      owner.reference = reference;
      if (reference === undefined) {
        this.#byUid.delete(owner.uid);
        continue;
      }
      owner.key = keyOfWorkload(reference);
      let place = this.#byKey.get(owner.key);
      if (place === undefined) this.#byKey.set(owner.key, (place = { owners: new Set(), published: undefined }));
      place.owners.add(owner);
      this.#dirtyKeys.add(owner.key);
    }
  }

  #holderOf({ owners }: Place): CustomOwner | undefined {
    let holder: CustomOwner | undefined;
    for (const owner of owners) {
      if (this.#handedOver.has(owner.key)) return undefined;
      if (this.#options.isRecord(owner.uid)) continue;
      if (owner.reference !== undefined && this.#options.isTaken(owner.reference)) return undefined;
      if (holder === undefined || owner.uid < holder.uid) holder = owner;
    }
    return holder;
  }

  #touch(key: string, reference: ObjectReference): void {
    this.#touched.set(`${key}\n${reference.uid}`, reference);
  }

  #concerns(reference: ObjectReference): boolean {
    return reference.incomplete && !this.#options.isWatchedKind(reference.apiVersion, reference.kind);
  }

  #count(reference: ObjectReference, by: 1 | -1): void {
    let owner = this.#byUid.get(reference.uid);
    if (owner === undefined) {
      owner = { uid: reference.uid, pods: new Map(), reference: undefined, key: '' };
      this.#byUid.set(reference.uid, owner);
    }
    const count = (owner.pods.get(reference) ?? 0) + by;
    if (count === 0) owner.pods.delete(reference);
    else owner.pods.set(reference, count);
    if (count === 0 || (by === 1 && count === 1)) this.#dirtyOwners.add(owner);
    this.#touch(keyOfWorkload(reference), reference);
  }
}

/** Narrows the search only: names in references may contain anything. */
function nameKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
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
