// A claim: an entity holds an address, from–to.
//
// Both ends are intervals, because nothing tells them exactly: Kubernetes writes times in whole seconds (truncated,
// metav1.Time), by other clocks, and after a watch gap we only know that something happened in it.
// So a claim starts somewhere in [startEarliestMs, startLatestMs] and, once ended, ended somewhere in [endEarliestMs,
// endLatestMs]. Between startLatest and endEarliest it certainly holds; in the outer intervals it possibly does.
//
// Only the address book changes a claim, and only when the entity changes. An ended claim is never opened again.

import type { NodeEntity, ObjectReference, PodEntity, Protocol, ServiceEntity } from '../../model/entities.ts';
import type { Observation } from '../../model/observation.ts';
import type { AddressRole, PortRange, TimelineHolder } from '../../timelines/timeline.ts';
import { workloadOf } from '../holder-workload.ts';
import type { ServicePorts } from './service-ports.ts';

export type HolderEntity = PodEntity | ServiceEntity | NodeEntity;

/** Kubernetes truncates times to the second, so the true moment lies up to this much later than written. */
const API_TIME_RESOLUTION_MS = 1_000;

/** A kubelet reports a change of a pod's status within a second or two, so it was true that much earlier. */
export const REPORT_DELAY_MS = 2_000;

/**
 * Where a claim lives: on an address as a whole, which is just that (on a secondary network as `networkAddress` names
 * it); on the ports of a service at an address that the
 * service may share; on a port of a node, at every address of that node; on a port of all nodes; or, for the pods in a
 * node's network, on the node without a port.
 */
export type ClaimPlace =
  | string
  | {
      readonly on: 'services';
      readonly address: string;
      /** `undefined`: an endpoint, of which only the address is known. */
      readonly ports: ServicePorts | undefined;
    }
  | {
      readonly on: 'node-port';
      readonly nodeName: string;
      readonly port: number;
      readonly protocol: Protocol;
      /** Only at this address of the node; `undefined`: at all of them. */
      readonly address: string | undefined;
    }
  | { readonly on: 'every-node-port'; readonly port: number; readonly protocol: Protocol }
  | { readonly on: 'node'; readonly nodeName: string };

/**
 * Roles as published, and three more. `HOST_ADDRESS`: a pod's `hostIPs` tie an address to a node's name even when Node
 * objects may not be read. It leads to the ports of that node and never answers by itself. `POD_RANGE`: the first
 * addresses of a node's pod range, which network plugins give to the node itself; told as NODE_ADDRESS, never for
 * certain. `NETWORK_IP`: a pod's address on a secondary network, told as POD_IP.
 */
export type ClaimRole = AddressRole | 'HOST_ADDRESS' | 'POD_RANGE' | 'NETWORK_IP';

/** The API's own word on when a claim started: in whole seconds, by another clock. */
export interface ApiStart {
  readonly ms: number;
  /** `at`: within that second. `after`: that is when it became possible, and it took until we saw it at most. */
  readonly meaning: 'at' | 'after';
}

/** What an entity claims at present. */
export interface DerivedClaim {
  readonly role: ClaimRole;
  readonly place: ClaimPlace;
  /** `undefined`: only our observation tells. */
  readonly apiStart: ApiStart | undefined;
}

/**
 * The state of a service as all claims of its endpoints have it while they are open: there may be ten thousand, and with
 * each part of them that comes or goes the service has another state.
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

/** Opens a claim. The start is never later than our first sight of it. `isListed`: that came with a list. */
export function openClaim(
  derived: DerivedClaim,
  entity: HolderEntity | SharedEntity,
  seen: Observation,
  isListed: boolean,
): Claim {
  let earliest = seen.sinceMs ?? seen.atMs;
  let latest = seen.atMs;
  const { apiStart } = derived;
  if (apiStart !== undefined) {
    if (apiStart.meaning === 'at') {
      earliest = Math.min(apiStart.ms, seen.atMs);
      latest = Math.min(apiStart.ms + API_TIME_RESOLUTION_MS - 1, seen.atMs);
    } else {
      // Before the gap it was not held, or we would have been told by then.
      const toldMs = seen.sinceMs === undefined ? apiStart.ms : seen.sinceMs - REPORT_DELAY_MS;
      earliest = Math.min(Math.max(apiStart.ms, toldMs), seen.atMs);
    }
  }
  return new Claim(derived, entity, { earliestMs: earliest, latestMs: latest }, seen, isListed);
}

/** The newest state of the entity, under which the claim stands or ends. */
export function renewEntity(claim: Claim, entity: HolderEntity, seen: Observation): void {
  claim.entity = entity;
  if (claim.leavingSeenMs === undefined && isLeaving(entity)) claim.leavingSeenMs = seen.atMs;
}

function isLeaving(entity: HolderEntity): boolean {
  return entity.kind !== 'Service' && entity.deletionTimeMs !== undefined;
}

/**
 * Ends a claim. `apiEndMs` is the API's own time of the end, where it has one; it narrows what we saw. An end is never
 * before the start.
 */
export function endClaim(claim: Claim, seen: Observation, apiEndMs: number | undefined): void {
  let earliest = seen.sinceMs ?? seen.atMs;
  let latest = seen.atMs;
  if (apiEndMs !== undefined) {
    earliest = Math.min(apiEndMs, seen.atMs);
    latest = Math.min(apiEndMs + API_TIME_RESOLUTION_MS - 1, seen.atMs);
  }
  claim.endEarliestMs = Math.max(earliest, claim.startEarliestMs);
  claim.endLatestMs = Math.max(latest, claim.startLatestMs);
}

/** Whether the claim can have been in force at a moment. */
export type Coverage = 'certain' | 'possible' | 'none';

export function coverageAt(claim: Claim, atMs: number): Coverage {
  if (atMs < claim.startEarliestMs) return 'none';
  if (claim.endLatestMs !== undefined && atMs >= claim.endLatestMs) return 'none';
  if (atMs < claim.startLatestMs) return 'possible';
  if (claim.endEarliestMs !== undefined && atMs >= claim.endEarliestMs) return 'possible';
  return 'certain';
}

/**
 * How far the moment lies outside the claim, in ms; 0 when the claim covers it. Measured from the moments between which
 * the claim is certain: an interval that already reaches that far back needs no slack on top.
 */
export function distanceTo(claim: Claim, atMs: number): number {
  if (atMs < claim.startEarliestMs) return claim.startLatestMs - atMs;
  if (claim.endEarliestMs !== undefined && claim.endLatestMs !== undefined && atMs >= claim.endLatestMs) {
    return atMs - claim.endEarliestMs + 1;
  }
  return 0;
}

/**
 * Orders claims by start, later ones first: by the latest moment at which they can have started, then by our own first
 * sight, then by the creation of the object, then by uid. The latest moment, because a start that is only bounded from
 * below (`after`) says nothing about who came first; uids last, because they are random and only make the order total.
 */
export function newestFirst(a: Claim, b: Claim): number {
  if (a.startLatestMs !== b.startLatestMs) return b.startLatestMs - a.startLatestMs;
  if (a.firstSeenMs !== b.firstSeenMs) return b.firstSeenMs - a.firstSeenMs;
  const created = (b.entity.creationTimeMs ?? 0) - (a.entity.creationTimeMs ?? 0);
  if (created !== 0) return created;
  return a.entity.uid < b.entity.uid ? 1 : a.entity.uid > b.entity.uid ? -1 : 0;
}

/** Names a claim among the open claims of one entity. */
export function claimKey(role: ClaimRole, place: ClaimPlace): string {
  if (typeof place === 'string') return `${role} ${place}`;
  switch (place.on) {
    case 'services':
      return `${role} ${place.address}`;
    case 'node-port':
      return `${role} ${place.nodeName} ${place.port}/${place.protocol} ${place.address ?? ''}`;
    case 'every-node-port':
      return `${role} ${place.port}/${place.protocol}`;
    case 'node':
      return `${role} ${place.nodeName}`;
  }
}
