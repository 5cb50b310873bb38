// A claim: an entity holds an address, from–to.
//
// Both ends are intervals, because nothing tells them exactly: Kubernetes writes times in whole seconds (truncated,
// metav1.Time), by other clocks, and after a watch gap we only know that something happened in it.
// So a claim starts somewhere in [startEarliestMs, startLatestMs] and, once ended, ended somewhere in [endEarliestMs,
// endLatestMs]. Between startLatest and endEarliest it certainly holds; in the outer intervals it possibly does.
//
// Only the address book changes a claim, and only when the entity changes. An ended claim is never opened again.

import type { NodeEntity, ObjectReference, PodEntity, ServiceEntity } from '../../model/entities.ts';
import type { Observation } from '../../model/observation.ts';
import type { AddressRole, PortRange, TimelineHolder } from '../../timelines/timeline.ts';
import { workloadOf } from '../holder-workload.ts';
import type { ClaimPlace, ClaimRole, DerivedClaim } from './derived-claim.ts';
import type { ServicePorts } from './service-ports.ts';

export type HolderEntity = PodEntity | ServiceEntity | NodeEntity;

/**
 * The state of a service as all claims of its endpoints have it while they are open: there may be ten thousand, and
 * with each part of them that comes or goes the service has another state.
 */
export class SharedEntity {
  now: HolderEntity;

  constructor(now: HolderEntity) {
    this.now = now;
  }
}

/**
 * There is one for each address of each pod, so what follows from something else is not kept. It is also what timelines
 * name as holder.
 */
export class Claim implements TimelineHolder {
  readonly derivedRole: ClaimRole;
  readonly place: ClaimPlace;
  #entity: HolderEntity | SharedEntity;
  #startEarliestMs: number;
  #startSpanMs: number;
  #isStartObserved: boolean;
  /** Shared with all that was seen at the same moment. */
  #seen: Observation;
  #isListed: boolean;
  /** `undefined` while it is open. */
  endEarliestMs: number | undefined = undefined;
  endLatestMs: number | undefined = undefined;
  /**
   * Since when the pod or node was known to be on its way out, by our clock: when its deletion timestamp was first
   * seen; for a pod that ended after its node was gone, all of it, because it is not known when the node was lost.
   */
  leavingSeenMs: number | undefined;
  /** Successors that were forgotten since, as one; see `succession.ts`. */
  lostTo: { readonly fromMs: number; readonly toMs: number; readonly mayHaveEndedMs: number } | undefined = undefined;
  /** As of the last time that a timeline with the claim was written. */
  doubtedFromMs: number | undefined = undefined;

  constructor(
    { role, place, apiStart }: DerivedClaim,
    entity: HolderEntity | SharedEntity,
    start: { readonly earliestMs: number; readonly latestMs: number },
    seen: Observation,
    isListed: boolean,
  ) {
    this.derivedRole = role;
    this.place = place;
    this.#entity = entity;
    this.#startEarliestMs = start.earliestMs;
    this.#startSpanMs = start.latestMs - start.earliestMs;
    this.#isStartObserved = apiStart === undefined;
    this.#seen = seen;
    this.#isListed = isListed;
    this.leavingSeenMs = isLeaving(this.entity) ? seen.atMs : undefined;
  }

  /** The newest state while the claim is open, then the last one. */
  get entity(): HolderEntity {
    const entity = this.#entity;
    return entity instanceof SharedEntity ? entity.now : entity;
  }

  set entity(entity: HolderEntity) {
    this.#entity = entity;
  }

  /** It has its state from others of the same object: nothing has to be renewed. */
  get isShared(): boolean {
    return this.#entity instanceof SharedEntity;
  }

  get kind(): TimelineHolder['kind'] {
    return this.entity.kind;
  }

  get uid(): string {
    return this.entity.uid;
  }

  get name(): string {
    return this.entity.name;
  }

  get namespace(): string {
    return this.entity.namespace;
  }

  /** As it is while the claim lasts, then as it was. */
  get workload(): ObjectReference | undefined {
    return workloadOf(this);
  }

  /** As published: the first addresses of a node's pod range are addresses of the node. */
  get role(): AddressRole {
    const { derivedRole } = this;
    if (derivedRole === 'NETWORK_IP') return 'POD_IP';
    return derivedRole === 'POD_RANGE' || derivedRole === 'HOST_ADDRESS' ? 'NODE_ADDRESS' : derivedRole;
  }

  get validFromMs(): number {
    return this.#startEarliestMs;
  }

  get validToMs(): number | undefined {
    return this.endLatestMs;
  }

  get startedMs(): number {
    return this.startLatestMs;
  }

  get seenMs(): number {
    return this.firstSeenMs;
  }

  get createdMs(): number {
    return this.entity.creationTimeMs ?? 0;
  }

  get ports(): readonly PortRange[] | undefined {
    return this.#manyPorts?.ranges.list;
  }

  get arePortsInexact(): boolean {
    return this.#manyPorts?.ranges.isInexact ?? false;
  }

  get #manyPorts(): ServicePorts | undefined {
    const { place } = this;
    if (typeof place === 'string' || place.on !== 'services' || place.ports?.areMany !== true) return undefined;
    return place.ports;
  }

  get startEarliestMs(): number {
    return this.#startEarliestMs;
  }

  get startLatestMs(): number {
    return this.#startEarliestMs + this.#startSpanMs;
  }

  /** Our clock: when the claim was first seen. Orders holders whose API times fall into the same second. */
  get firstSeenMs(): number {
    return this.#seen.atMs;
  }

  /**
   * By then it had taken the place for certain. The same as the latest start, but for one that was first seen in a
   * list: its sandbox may have been remade since that time, which need not show.
   */
  get tookPlaceByMs(): number {
    return this.#isListed ? this.#seen.atMs : this.startLatestMs;
  }

  /**
   * From when on we would have heard of the end: when the claim was first seen, or for one that was first seen after a
   * gap its latest start, because it may be over since.
   */
  get knownFromMs(): number {
    return this.#seen.sinceMs === undefined ? this.#seen.atMs : this.startLatestMs;
  }

  /** Only our own observation tells the start, so it may have been earlier by as much as a kubelet reports late. */
  get isStartObserved(): boolean {
    return this.#isStartObserved;
  }

  /** First seen in a list. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** First seen after a gap. */
  get isSeenAfterGap(): boolean {
    return this.#seen.sinceMs !== undefined;
  }

  /** The start as another replica knows it; see `ClaimPlaces.change`. */
  adoptStart({ earliestMs, latestMs, isObserved, seen, isListed }: KnownStart): void {
    this.#startEarliestMs = earliestMs;
    this.#startSpanMs = latestMs - earliestMs;
    this.#isStartObserved = isObserved;
    this.#seen = seen;
    this.#isListed = isListed;
  }
}

/** What is known of the start of a claim. */
export interface KnownStart {
  readonly earliestMs: number;
  readonly latestMs: number;
  /** See `Claim.isStartObserved`. */
  readonly isObserved: boolean;
  readonly seen: Observation;
  readonly isListed: boolean;
}

/** The newest state of the entity, under which the claim stands or ends. */
export function renewEntity(claim: Claim, entity: HolderEntity, seen: Observation): void {
  claim.entity = entity;
  if (claim.leavingSeenMs === undefined && isLeaving(entity)) claim.leavingSeenMs = seen.atMs;
}

function isLeaving(entity: HolderEntity): boolean {
  return entity.kind !== 'Service' && entity.deletionTimeMs !== undefined;
}
