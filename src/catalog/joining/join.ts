// What is due, joined: `drain` makes the entities that writes have marked, and yields one change for each that really
// differs. Removals come first, then nodes, namespaces, workloads, pods, and services last, because the workloads
// behind a service follow from its pods. What is not taken from one drain is in the next. Nothing here knows of
// sequences, listeners or time.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import { MAX_LISTED, MAX_LISTED_ENDPOINTS, type ObjectReference } from '../../model/entities.ts';
import { keyOf, keyOfWorkload } from '../../model/entity-key.ts';
import { HIDDEN_REFERENCE, isHidden } from '../../model/namespaces/published-namespaces.ts';
import { concatBytes } from '../../wire/encoded-entity.ts';
import { encodePodEndpoints, encodePodOwners } from '../../wire/encode-pod.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { FormerOwnersOptions } from '../owners/former-owners.ts';
import { CustomOwners, type IsWatchedKind } from '../owners/custom-owners.ts';
import type { JoinedChange, JoinedTouch } from './joined.ts';
import { Marks, taken } from './marks.ts';
import { OwnerLink } from '../owners/owner-links.ts';
import type { OwnerState } from '../entities/owner-state.ts';
import { Picture } from '../entities/picture.ts';
import type { PodRow, PodState } from '../entities/pod-state.ts';
import { isSameButJoined, NO_REFERENCES } from '../records/rows.ts';
import { nextStep } from './service-join.ts';
import type { ServiceState } from '../entities/service-state.ts';
import { Shelves } from './shelves.ts';

export interface JoinOptions {
  readonly policy: ValuePolicy;
  readonly isWatchedKind: IsWatchedKind;
  /** Finds a pod by name for endpoints that name no uid. */
  readonly podNamed: (namespace: string, name: string) => PodState | undefined;
  /** Owners with this name, of all kinds. */
  readonly ownersNamed: (namespace: string, name: string) => Iterable<OwnerState>;
  /** Addresses of endpoints that may come and go at once. */
  readonly sliceSize: () => number;
  /** How long owners that are gone stay known; unset: as long as pods refer to them. */
  readonly former?: FormerOwnersOptions;
}

export class Join {
  readonly picture = new Picture();
  readonly customOwners: CustomOwners;
  readonly shelves: Shelves;
  readonly #marks = new Marks();
  readonly #aside = new Marks();
  /** Services with more addresses to come or go than one turn may take. */
  readonly #unfinished = new Set<ServiceState>();
  readonly #sliceSize: () => number;
  readonly #references = new ServiceReferences();
  /** Uids of entities whose lists were longer than an entity lists when they were joined. */
  readonly #cut = new Set<string>();
  /** Entities that were joined or went, ever: what a change costs. */
  joins = 0;

  constructor({ policy, isWatchedKind, podNamed, ownersNamed, sliceSize, former }: JoinOptions) {
    this.#sliceSize = sliceSize;
    this.customOwners = new CustomOwners({
      isWatchedKind,
      isRecord: (uid) => this.picture.owners.has(uid),
      isTaken: (reference) => {
        const { apiVersion, kind, namespace, name } = reference;
        for (const { row, link, published } of ownersNamed(namespace, name)) {
          if (row.workloadKind === kind && row.apiVersion === apiVersion && link.edge === undefined) return true;
          // It is one no more, and consumers are still to be told.
          if (published !== undefined && keyOf(published) === keyOfWorkload(reference)) return true;
        }
        return false;
      },
    });
    const { picture, customOwners } = this;
    this.shelves = new Shelves({
      picture,
      customOwners,
      marks: this.#marks,
      policy,
      podNamed,
      sliceSize,
      ...(former === undefined ? {} : { former }),
    });
  }

  /** Something is due that was not put aside, or not even begun. */
  get hasMore(): boolean {
    const { customOwners, shelves } = this;
    const isLookedAt = this.#marks.lookedAt.size > 0 || customOwners.hasTouched;
    return this.#isDirty || isLookedAt || this.#unfinished.size > 0 || shelves.membership.isBehind;
  }

  get hasAside(): boolean {
    return this.#aside.size + this.#aside.lookedAt.size > 0 || this.hasMore;
  }

  get #isDirty(): boolean {
    return this.#marks.size > 0 || this.customOwners.isDirty;
  }

  /** Entities whose lists are cut at their bounds. */
  get cutEntities(): number {
    return this.#cut.size;
  }

  /** Joins everything that is marked. What is yielded is already the state that readers see. */
  *drain(): Generator<JoinedChange | JoinedTouch> {
    while (this.#isDirty) {
      yield* this.#drainMarks(this.#marks);
      yield* this.#removeCustomOwners();
      for (const after of this.customOwners.drainCreations()) yield { resource: PODS, before: undefined, after };
    }
    yield* this.#drainLookedAt(this.#marks);
    // By reference, also where another owner has its key by now: both are looked at then, and told as they are.
    for (const touched of this.customOwners.drainTouched()) {
      // After its other names, so that those who hold entities by their uids take the removals of those for no more.
      const held = this.picture.owners.get(touched.uid)?.published ?? this.customOwners.publishedAs(touched.uid);
      yield { touched, held };
    }
  }

  /** Puts what is due behind what comes next: the rest of a write that touched more than one turn may take. */
  putAside(): void {
    this.#aside.takeFrom(this.#marks);
    for (const service of this.#unfinished) this.#aside.services.add(service);
    this.#unfinished.clear();
  }

  /** Goes on with what was put aside; what follows from it is due like everything else. */
  *drainAside(): Generator<JoinedChange | JoinedTouch> {
    this.shelves.membership.proceed(this.#sliceSize());
    yield* this.#drainMarks(this.#aside);
    yield* this.#drainLookedAt(this.#aside);
  }

  /** What was put aside may be gone by now. */
  *#drainMarks(marks: Marks): Generator<JoinedChange | JoinedTouch> {
    const { namespaces, nodes, owners, pods } = this.picture;
    for (const removed of taken(marks.removed)) {
      this.joins += 1;
      this.#noteCut(removed.before.uid, false);
      yield { ...removed, after: undefined };
    }
    // A record takes the place of what was known through pods alone.
    yield* this.#removeCustomOwners();
    for (const node of taken(marks.nodes)) {
      if (node.published === node.row || nodes.get(node.uid) !== node) continue;
      this.joins += 1;
      const before = node.published;
      node.published = node.row;
      yield { resource: node.resource, before, after: node.row };
    }
    for (const namespace of taken(marks.namespaces)) {
      const { resource, uid, row: after, published: before } = namespace;
      if (before === after || namespaces.get(uid) !== namespace) continue;
      this.joins += 1;
      namespace.published = after;
      yield { resource, before, after };
    }
    for (const owner of taken(marks.owners)) if (owners.get(owner.uid) === owner) yield* this.#joinOwner(owner);
    for (const [of, left] of marks.crowds) {
      for (let next = left.next(); next.done !== true; next = left.next()) {
        const pod = pods.get(next.value.uid);
        if (pod === undefined) continue;
        if (of instanceof OwnerLink) this.shelves.counts.touchWhatItCountsFor(pod);
        else if (of.namespace !== pod.row.namespace) continue;
        yield* this.#joinPod(pod);
      }
      marks.crowds.delete(of);
    }
    for (const [place, left] of marks.places) {
      for (let next = left.next(); next.done !== true; next = left.next()) {
        if (pods.get(next.value.uid) === next.value) yield* this.#joinPod(next.value);
      }
      marks.places.delete(place);
    }
    for (const pod of taken(marks.pods)) if (pods.get(pod.uid) === pod) yield* this.#joinPod(pod);
    for (const service of taken(marks.services)) yield* this.#joinService(service);
  }

  *#drainLookedAt(marks: Marks): Generator<JoinedTouch> {
    for (const { published } of taken(marks.lookedAt)) if (published !== undefined) yield { touched: published };
  }

  /** They are known through pods alone, so their changes come from the same source. */
  *#removeCustomOwners(): Generator<JoinedChange> {
    for (const before of this.customOwners.drainRemovals()) yield { resource: PODS, before, after: undefined };
  }

  #noteCut(uid: string, isCut: boolean): void {
    if (isCut) this.#cut.add(uid);
    else if (this.#cut.size > 0) this.#cut.delete(uid);
  }

  *#joinOwner(owner: OwnerState): Generator<JoinedChange | JoinedTouch> {
    this.joins += 1;
    const before = owner.published;
    const isTop = owner.link.edge === undefined;
    const entity = isTop ? owner.entity() : undefined;
    // Another may have the key that it had.
    if (before !== undefined) this.customOwners.recordTold(before);
    if (before === entity || (before && entity && before.joined === entity.joined && isSameButJoined(before, entity))) {
      if (before !== undefined) yield { touched: before };
      return;
    }
    owner.published = entity;
    yield { resource: owner.resource, before, after: entity };
  }

  *#joinPod(pod: PodState): Generator<JoinedChange | JoinedTouch> {
    this.joins += 1;
    const { row, published: before } = pod;
    this.#noteCut(row.uid, pod.memberOf.length > MAX_LISTED);
    const lineage = pod.edge?.lineageFor(row.uid);
    const ownerChain = lineage?.chain ?? NO_REFERENCES;
    const workload = lineage?.workload ?? selfReference(row, before);
    const endpointAddresses = pod.further && [...pod.further.keys()].sort().slice(0, MAX_LISTED);
    const endpoints = endpointBytes(pod, endpointAddresses, this.#references, this.shelves.referenceChanges);
    const joined = lineage?.podBytesWith(endpoints) ?? concatBytes(encodePodOwners(workload, ownerChain), endpoints);
    const place = this.shelves.places.bytesOf(row.nodeName);
    this.shelves.counts.countAs(pod, workload);
    const isJoinedAlike = before?.joined === joined && before.place === place;
    if (before !== undefined && isJoinedAlike && (row === before || isSameButJoined(before, row))) {
      // The row goes back to what listeners hold, so that the two share their memory.
      pod.row = before;
      yield { touched: before };
      return;
    }
    // What was not published yet may still be written to.
    const entity = row === before ? { ...row } : row;
    entity.ownerChain = ownerChain;
    entity.workload = workload;
    if (endpointAddresses !== undefined) entity.endpointAddresses = endpointAddresses;
    else if (entity.endpointAddresses !== undefined) delete entity.endpointAddresses;
    entity.joined = joined;
    entity.place = place;
    pod.row = entity;
    pod.published = entity;
    yield { resource: pod.resource, before, after: entity };
  }

  *#joinService(service: ServiceState): Generator<JoinedChange | JoinedTouch> {
    this.joins += 1;
    const { resource, published: before } = service;
    const { after, addresses, left } = nextStep(service, this.#sliceSize());
    if (left === 'addresses') this.#unfinished.add(service);
    if (left === 'another') this.#marks.services.add(service);
    if (before !== undefined && before.uid !== after?.uid) this.#noteCut(before.uid, false);
    const { backends, manual } = service;
    if (after !== undefined) {
      this.#noteCut(after.uid, backends.size > MAX_LISTED || manual.size > MAX_LISTED_ENDPOINTS);
    }
    // What is as it was goes on being one object, so that its memory is shared.
    if (after !== undefined && after.uid === service.row?.uid) service.row = after;
    if (before === after) {
      if (before !== undefined) yield { touched: before };
      return;
    }
    service.published = after;
    if (after === undefined && before !== undefined) {
      this.picture.services.delete(before.uid);
      this.shelves.release(service);
    }
    yield { resource, before, after, addresses };
  }
}

/** Source of what only pods tell. */
const PODS = 'pods';

/**
 * References to the services of a pod, put together. Kept for the next pod, because the pods of one write are mostly in
 * the same services: they have one list of them, and nothing is looked at; with another list of the same, nothing is
 * put together, and all of them have one text.
 */
class ServiceReferences {
  #memberOf: PodState['memberOf'] | undefined;
  #namespace = '';
  #version = 0;
  #parts: readonly ByteString[] = [];
  #bytes: ByteString = NO_BYTES;
  #count = 0;

  /**
   * The first of those in the pod's own namespace, and how many there are. `version`: another one when a service has
   * another reference than before.
   */
  of(
    { memberOf, row: { namespace } }: PodState,
    version: number,
  ): { readonly bytes: ByteString; readonly count: number } {
    if (this.#memberOf === memberOf && this.#namespace === namespace && this.#version === version) {
      return { bytes: this.#bytes, count: this.#count };
    }
    this.#memberOf = memberOf;
    this.#namespace = namespace;
    this.#version = version;
    let count = 0;
    let isSame = true;
    for (const { namespace: at, referenceBytes } of memberOf) {
      if (at !== namespace || referenceBytes === undefined) continue;
      if (count < MAX_LISTED && this.#parts[count] !== referenceBytes) isSame = false;
      count += 1;
    }
    if (!isSame || this.#parts.length !== Math.min(count, MAX_LISTED)) {
      const own = memberOf.filter(({ namespace: at }) => at === namespace);
      const parts = own.flatMap(({ referenceBytes }) => (referenceBytes === undefined ? [] : [referenceBytes]));
      this.#parts = parts.slice(0, MAX_LISTED);
      this.#bytes = concatBytes(...this.#parts);
    }
    this.#count = count;
    return { bytes: this.#bytes, count };
  }
}

/** The fields of a pod that services add. */
function endpointBytes(
  pod: PodState,
  addresses: readonly string[] | undefined,
  references: ServiceReferences,
  version: number,
): ByteString {
  if (pod.memberOf.length === 0 && addresses === undefined) return NO_BYTES;
  const { bytes, count } = references.of(pod, version);
  if (count <= MAX_LISTED && addresses === undefined) return bytes;
  return concatBytes(bytes, encodePodEndpoints(count > MAX_LISTED ? count : 0, addresses ?? []));
}

function selfReference(row: PodRow, before: PodRow | undefined): ObjectReference {
  if (isHidden(row.namespace)) return HIDDEN_REFERENCE;
  if (before?.workload.uid === row.uid && before.workload.kind === 'Pod') return before.workload;
  const { namespace, name, uid } = row;
  return Object.freeze({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid, incomplete: false });
}
