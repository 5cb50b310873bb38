// Which pods and which outside addresses the EndpointSlices give to which service.
//
// Traffic follows addresses, so addresses are what is compared:
//   1. A target that is here and has the listed address is the member, in whatever namespace it is.
//   2. Otherwise every live pod with that address is (not those in their node's network, who share it).
//   3. An address of a node is the node's.
//   4. A target that is here, in the slice's own namespace, is a member at a further address of its own (a secondary
//      network's, say).
//   5. What is left is an endpoint outside the cluster's pods and nodes.
// A target without an address is a member when it is in the slice's namespace; see `slice-state.ts`.
//
// All of it follows from the present records, in whatever order they came. A change costs what lists the changed
// object; a slice that changes, what it lists more and less than before, a part of that at a time (`proceed`). Several
// slices may list the same: memberships are counted. Readiness is not looked at: an endpoint that is not ready still
// belongs to its service.

import { hashOfText, WideMap } from '../../collections/wide-map.ts';
import type { NodeEntity, PodEntity } from '../../model/entities.ts';
import { type Listing, type Meaning, MEANS_NOTHING } from '../entities/listing.ts';
import { NO_SERVICES, type PodState } from '../entities/pod-state.ts';
import { compareText } from '../records/rows.ts';
import { ListChange } from './list-change.ts';
import { isSameList, Listings, type ListingsOptions } from './listings.ts';
import type { ServiceState } from '../entities/service-state.ts';
import { type Listed, NO_LISTINGS, type SliceDraft, type SliceState } from '../entities/slice-state.ts';

export interface MembershipOptions extends ListingsOptions {
  /** The state of a service, created if missing. */
  readonly service: (namespace: string, name: string) => ServiceState;
  /** The last slice of this service may be gone. */
  readonly release: (service: ServiceState) => void;
  /** The pod became a member of the service (1), or is one no more (-1), or is so in one more or one less way (0). */
  readonly member: (service: ServiceState, pod: PodState, by: 1 | 0 | -1) => void;
  /** The outside addresses of this service changed. */
  readonly outside: (service: ServiceState) => void;
  /** The further addresses of this pod changed. */
  readonly further: (pod: PodState) => void;
  /** It was looked at again what this service's slices mean. */
  readonly looked: (service: ServiceState) => void;
}

/** What the slices of one service list, and whom that makes its members. */
interface Endpoints {
  /** Each with the number of slices that list it. */
  readonly listings: WideMap<Listing, number>;
  /** Each with the number of listings that mean it. */
  readonly members: WideMap<PodState, number>;
}

export class Membership {
  readonly #services = new Map<ServiceState, Endpoints>();
  readonly #listings: Listings;
  /** Slices that are being applied in parts, those that came first in front. */
  readonly #behind = new Map<SliceState, Iterator<undefined>>();
  readonly #options: MembershipOptions;
  /** Listings whose meaning was worked out and memberships that were counted, ever: what a change costs. */
  visits = 0;
  /** Services of a pod, in order; services of a listing, as they came. */
  readonly #joined = new ListChange<ServiceState>((all, one) => (all.length === 0 ? one.alone : inserted(all, one)));
  readonly #left = new ListChange<ServiceState>((all, one) => (all.length === 1 ? NO_SERVICES : without(all, one)));
  readonly #listed = new ListChange<ServiceState>((all, one) => (all.length === 0 ? one.alone : [...all, one]));
  readonly #unlisted = new ListChange<ServiceState>(without);

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#listings = new Listings(options);
  }

  /** Members of the service, in no particular order. */
  membersOf(service: ServiceState): Iterator<PodState> {
    return this.#services.get(service)?.members.keys() ?? NO_PODS.values();
  }

  /** Elements of lists that were copied, ever. */
  get copies(): number {
    return this.#joined.copies + this.#left.copies + this.#listed.copies + this.#unlisted.copies;
  }

  /** Slices were changed of which a part is still to be applied. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  /** The slice now says what the draft says; `undefined`: it is gone. At most `limit` listings of that are applied. */
  update(slice: SliceState, draft: SliceDraft | undefined, limit: number): void {
    // A slice that changes again while it is applied: what it said before is brought to its end first.
    const before = this.#behind.get(slice);
    if (before !== undefined) this.#advance(slice, before, Number.POSITIVE_INFINITY);
    this.#advance(slice, this.#change(slice, draft), limit);
  }

  /** Goes on with what was left, by at most so many listings. */
  proceed(limit: number): void {
    let left = limit;
    for (const [slice, change] of this.#behind) {
      left = this.#advance(slice, change, left);
      if (left === 0) return;
    }
  }

  /** Returns what is left of the limit. */
  #advance(slice: SliceState, change: Iterator<undefined>, limit: number): number {
    for (let left = limit; left > 0; left -= 1) {
      if (change.next().done !== true) continue;
      this.#behind.delete(slice);
      return left - 1;
    }
    this.#behind.set(slice, change);
    return 0;
  }

  /** First adds, then takes away: what stays is not touched, and what is listed otherwise is never gone in between. */
  *#change(slice: SliceState, draft: SliceDraft | undefined): Generator<undefined> {
    const { service: oldService, listings: oldListings } = slice;
    const named = draft !== undefined && draft.serviceName !== '' ? draft : undefined;
    const service = named && this.#options.service(named.namespace, named.serviceName);
    slice.wanted = draft;
    for (const each of [oldService, service]) if (each !== undefined) this.#options.looked(each);
    const unlisted = new Map(oldListings.map((listing) => [listing.key, listing]));
    const listings: Listing[] = [];
    if (service !== undefined) {
      service.slices += 1;
      if (!this.#services.has(service)) this.#services.set(service, noEndpoints());
      for (const listed of named?.listed ?? []) {
        const kept = service === oldService ? unlisted.get(listed.key) : undefined;
        if (kept !== undefined && kept.address === listed.address) {
          unlisted.delete(listed.key);
          listings.push(kept);
          continue;
        }
        listings.push(this.#list(service, listed));
        yield;
      }
    }
    if (oldService !== undefined) {
      for (const listing of unlisted.values()) {
        this.#unlist(oldService, listing);
        yield;
      }
      oldService.slices -= 1;
    }
    slice.service = service;
    slice.listings = listings.length === 0 ? NO_LISTINGS : listings;
    slice.wanted = undefined;
    for (const each of [oldService, service]) if (each !== undefined) this.#options.looked(each);
    if (oldService === undefined || oldService.slices > 0) return;
    this.#services.delete(oldService);
    this.#options.release(oldService);
  }

  /** To be called when the pod can be found by uid and name. */
  podAdded(pod: PodState): void {
    this.#review(this.#listings.podChanged(pod, undefined, pod.row));
  }

  podChanged(pod: PodState, before: PodEntity): void {
    this.#review(this.#listings.podChanged(pod, before, pod.row));
  }

  /** To be called when the pod cannot be found any more. */
  podRemoved(pod: PodState): void {
    this.#review(this.#listings.podChanged(pod, pod.row, undefined));
  }

  nodeChanged(before: NodeEntity | undefined, after: NodeEntity | undefined): void {
    this.#review(this.#listings.nodeChanged(before, after));
  }

  #review(listings: Iterable<Listing>): void {
    for (const listing of listings) {
      this.#mean(listing, this.#listings.meaningOf(listing));
      for (const service of listing.services) this.#options.looked(service);
    }
  }

  #list(service: ServiceState, listed: Listed): Listing {
    const listing = this.#listings.take(listed, service.namespace);
    if (listing.services.length === 0) this.#mean(listing, this.#listings.meaningOf(listing));
    const listings = this.#services.get(service)?.listings;
    const count = (listings?.get(listing) ?? 0) + 1;
    listings?.set(listing, count);
    if (count > 1) return listing;
    listing.services = this.#listed.of(listing.services, service);
    this.#count(service, listing, listing.meaning, 1);
    return listing;
  }

  #unlist(service: ServiceState, listing: Listing): void {
    const listings = this.#services.get(service)?.listings;
    const count = (listings?.get(listing) ?? 0) - 1;
    if (count > 0) {
      listings?.set(listing, count);
      return;
    }
    listings?.delete(listing);
    listing.services = this.#unlisted.of(listing.services, service);
    this.#count(service, listing, listing.meaning, -1);
    if (listing.services.length > 0) return;
    this.#mean(listing, MEANS_NOTHING);
    this.#listings.drop(listing);
  }

  #mean(listing: Listing, after: Meaning): void {
    const before = listing.meaning;
    this.visits += 1;
    if (before.outside === after.outside && isSameList(before.pods, after.pods)) return;
    listing.meaning = after;
    for (const service of listing.services) {
      this.#count(service, listing, after, 1);
      this.#count(service, listing, before, -1);
    }
    this.#countFurther(listing, after, 1);
    this.#countFurther(listing, before, -1);
  }

  #count(service: ServiceState, { address }: Listing, { pods, outside }: Meaning, by: 1 | -1): void {
    for (const pod of pods) {
      // Whatever namespace the slice says: a target alone is a member of services beside it only.
      if (address !== undefined || pod.row.namespace === service.namespace) this.#countMember(service, pod, by);
    }
    if (outside === 'endpoint' && address !== undefined && service.manual.count(address, by)) {
      this.#options.outside(service);
    }
  }

  #countMember(service: ServiceState, pod: PodState, by: 1 | -1): void {
    this.visits += 1;
    const members = this.#services.get(service)?.members;
    const count = (members?.get(pod) ?? 0) + by;
    if (count === 0) {
      members?.delete(pod);
      pod.memberOf = this.#left.of(pod.memberOf, service);
      this.#options.member(service, pod, -1);
      return;
    }
    members?.set(pod, count);
    if (count > 1 || by === -1) {
      this.#options.member(service, pod, 0);
      return;
    }
    pod.memberOf = this.#joined.of(pod.memberOf, service);
    this.#options.member(service, pod, 1);
  }

  #countFurther({ address }: Listing, { pods, outside }: Meaning, by: 1 | -1): void {
    const [pod] = pods;
    if (outside !== 'further' || address === undefined || pod === undefined) return;
    pod.further ??= new Map();
    const count = (pod.further.get(address) ?? 0) + by;
    if (count > 0) pod.further.set(address, count);
    else pod.further.delete(address);
    if (pod.further.size === 0) pod.further = undefined;
    this.#options.further(pod);
  }
}

function noEndpoints(): Endpoints {
  return {
    listings: new WideMap(({ key }) => hashOfText(key)),
    members: new WideMap(({ uid }) => hashOfText(uid)),
  };
}

const NO_PODS: readonly PodState[] = Object.freeze([]);

function without(services: readonly ServiceState[], removed: ServiceState): readonly ServiceState[] {
  return services.filter((each) => each !== removed);
}

/** A copy with the service in its place by namespace and name. */
function inserted(services: readonly ServiceState[], added: ServiceState): readonly ServiceState[] {
  let low = 0;
  let high = services.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = services[middle];
    if (at === undefined || compareServices(at, added) < 0) low = middle + 1;
    else high = middle;
  }
  return services.toSpliced(low, 0, added);
}

function compareServices(a: ServiceState, b: ServiceState): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}
