// What slices list, found by address and by target, and what each of it means, given the pods and nodes that there are.
//
// It answers which listings have to be looked at again when a pod or a node comes, changes or goes; that costs what
// lists the object. Who is in which service is counted by its caller, see `membership.ts`, which also has the rules.

import { wideMap } from '../../collections/wide-map.ts';
import type { NodeEntity, PodEntity } from '../../model/entities.ts';
import { MultiMap } from '../../collections/multi-map.ts';
import { Listing, type Meaning, MEANS_NOTHING } from '../entities/listing.ts';
import type { PodState } from '../entities/pod-state.ts';
import { type Listed, targetKey } from '../entities/slice-state.ts';

export interface ListingsOptions {
  readonly podByUid: (uid: string) => PodState | undefined;
  readonly podByName: (namespace: string, name: string) => PodState | undefined;
}

export class Listings {
  /** Where an address is listed, and where a target alone is. */
  readonly #listings = wideMap<Listing>();
  readonly #targets = wideMap<Listing>();
  readonly #byAddress = new MultiMap<Listing>();
  readonly #byTarget = new MultiMap<Listing>();
  /** Live pods with an address of their own. */
  readonly #pods = new MultiMap<PodState>();
  readonly #nodes = new Map<string, number>();
  readonly #options: ListingsOptions;

  constructor(options: ListingsOptions) {
    this.#options = options;
  }

  /** The one that is there, or a new one that means nothing yet. */
  take({ key, address, target }: Listed, namespace: string): Listing {
    const listings = address === undefined ? this.#targets : this.#listings;
    let listing = listings.get(key);
    if (listing === undefined) {
      listing = new Listing(key, namespace, address, target);
      listings.set(key, listing);
      if (address !== undefined) this.#byAddress.add(address, listing);
      if (target !== undefined) this.#byTarget.add(target, listing);
    }
    return listing;
  }

  /** No service lists it any more. */
  drop(listing: Listing): void {
    (listing.address === undefined ? this.#targets : this.#listings).delete(listing.key);
    if (listing.address !== undefined) this.#byAddress.delete(listing.address, listing);
    if (listing.target !== undefined) this.#byTarget.delete(listing.target, listing);
  }

  /** The pod is now as it is, or gone; `before` and `after` are unset where it was not there. What may mean another. */
  podChanged(pod: PodState, before: PodEntity | undefined, after: PodEntity | undefined): Iterable<Listing> {
    const [old, now] = [heldAddresses(before), heldAddresses(after)];
    const [listed, listedNow] = [before?.addresses ?? NO_ADDRESSES, after?.addresses ?? NO_ADDRESSES];
    const isThere = before !== undefined && after !== undefined;
    if (isThere && isSameList(old, now) && isSameList(listed, listedNow)) return [];
    for (const address of old) this.#pods.delete(address, pod);
    for (const address of now) this.#pods.add(address, pod);
    return this.#ofPod(pod, listed.length === 0 ? listedNow : new Set([...listed, ...listedNow]));
  }

  /** What may mean another since the node came, changed or went. */
  *nodeChanged(before: NodeEntity | undefined, after: NodeEntity | undefined): Generator<Listing> {
    const [old, now] = [before?.addresses ?? NO_ADDRESSES, after?.addresses ?? NO_ADDRESSES];
    if (isSameList(old, now)) return;
    for (const address of now) this.#nodes.set(address, (this.#nodes.get(address) ?? 0) + 1);
    for (const address of old) {
      const count = (this.#nodes.get(address) ?? 0) - 1;
      if (count > 0) this.#nodes.set(address, count);
      else this.#nodes.delete(address);
    }
    for (const address of new Set([...old, ...now])) yield* this.#byAddress.get(address);
  }

  meaningOf({ address, target, namespace }: Listing): Meaning {
    const named = target === undefined ? undefined : this.#podOf(target);
    if (address === undefined) return named === undefined ? MEANS_NOTHING : { pods: [named], outside: undefined };
    if (named?.row.addresses.includes(address) === true) return { pods: [named], outside: undefined };
    const holders = this.#pods.get(address);
    if (holders.length > 0) return { pods: holders, outside: undefined };
    if (this.#nodes.has(address)) return MEANS_NOTHING;
    if (named?.row.namespace === namespace) return { pods: [named], outside: 'further' };
    return { pods: MEANS_NOTHING.pods, outside: 'endpoint' };
  }

  /** All that lists the pod or one of these addresses. */
  *#ofPod(pod: PodState, addresses: Iterable<string>): Generator<Listing> {
    const { uid, namespace, name } = pod.row;
    yield* this.#byTarget.get(uid);
    yield* this.#byTarget.get(targetKey(namespace, name));
    if (this.#byAddress.size === 0) return;
    for (const address of addresses) yield* this.#byAddress.get(address);
  }

  #podOf(target: string): PodState | undefined {
    if (!target.startsWith('/')) return this.#options.podByUid(target);
    const [, namespace = '', name = ''] = target.split('/');
    return this.#options.podByName(namespace, name);
  }
}

const NO_ADDRESSES: readonly string[] = Object.freeze([]);

/** Addresses that are this pod's alone. A finished pod's are history, and one in its node's network has the node's. */
function heldAddresses(pod: PodEntity | undefined): readonly string[] {
  return pod === undefined || pod.terminal || pod.hostNetwork ? NO_ADDRESSES : pod.addresses;
}

export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element, at) => element === b[at]));
}
