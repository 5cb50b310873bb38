// The claims that are in force, by the entity that makes them: a change of the entity opens those that are new and ends
// those that it does not make any more.
//
// Costs what changed, plus a comparison with what stayed: of a service with thousands of endpoints the claims that stay
// are passed over in order, without touching any of them, and where nothing else of it changed, without deriving any.

import { wideMap } from '../../collections/wide-map.ts';
import type { ServiceEntity } from '../../model/entities.ts';
import type { Observation } from '../../model/observation.ts';
import { Claim, type HolderEntity, renewEntity, SharedEntity } from './claim.ts';
import { claimKey, type DerivedClaim } from './derived-claim.ts';
import {
  type Acquaintance,
  apiEndOf,
  deriveClaims,
  endpointClaim,
  sameButEndpoints,
  sameClaims,
} from './derive-claims.ts';
import { isSpecialAddress } from '../../timelines/special-addresses.ts';
import { samePorts, type ServicePorts } from './service-ports.ts';

export interface OpenClaimsListener {
  /** Makes a claim of what was derived. */
  opened(derived: DerivedClaim, entity: HolderEntity | SharedEntity): Claim;
  /** `apiEndMs`: the API's own time of the end. */
  ended(claim: Claim, apiEndMs: number | undefined): void;
}

export class OpenClaims {
  readonly #isTaken: Acquaintance['isTaken'];
  /** Nearly always one claim, which then stands there by itself; else in the order in which they are derived. */
  readonly #byHolder = wideMap<Claim | readonly Claim[]>();
  /** Of services that claim some, by uid. */
  readonly #endpoints = new Map<string, OpenEndpoints>();
  #count = 0;

  constructor(isTaken: Acquaintance['isTaken']) {
    this.#isTaken = isTaken;
  }

  get count(): number {
    return this.#count;
  }

  /** The open claims of an entity. */
  of(uid: string): readonly Claim[] {
    return this.#of(uid) ?? NONE;
  }

  /** All of them. */
  *all(): Generator<Claim> {
    for (const open of this.#byHolder.values()) {
      if (open instanceof Claim) yield open;
      else yield* open;
    }
  }

  /** An entity that is there claimed something before this process began: what it claims now is not its first. */
  remember(uid: string): void {
    if (!this.#byHolder.has(uid)) this.#byHolder.set(uid, NONE);
  }

  /** An entity came (`before` unset), changed, or went (`after` unset). */
  update(
    before: HolderEntity | undefined,
    after: HolderEntity | undefined,
    seen: Observation,
    listener: OpenClaimsListener,
  ): void {
    if (after === undefined) {
      if (before !== undefined) this.#close(before, listener);
      return;
    }
    const open = this.#of(after.uid);
    // The newest state says how a claim ended, too.
    for (const claim of ownOf(open ?? NONE)) renewEntity(claim, after, seen);
    const endpoints = this.#endpoints.get(after.uid);
    if (endpoints !== undefined) endpoints.shared.now = after;
    if (before !== undefined && sameClaims(before, after)) return;
    const areEndpoints = open !== undefined && before?.kind === 'Service' && after.kind === 'Service';
    if (areEndpoints && sameButEndpoints(before, after)) {
      this.#keep(after.uid, this.#exchangeEndpoints(open, after, listener));
      return;
    }
    this.#derive(after, before === undefined, listener);
  }

  /** Something else changed that decides what the entity claims. */
  deriveAgain(entity: HolderEntity, listener: OpenClaimsListener): void {
    this.#derive(entity, false, listener);
  }

  #derive(after: HolderEntity, isFirstSight: boolean, listener: OpenClaimsListener): void {
    const open = this.#of(after.uid);
    const isFirstClaim = open === undefined;
    const derived = deriveClaims(after, { isFirstClaim, isFirstSight, isTaken: this.#isTaken });
    // A pod that finished keeps its place here, empty: an address it would get now is not its first one.
    if (derived.length === 0 && open === undefined) return;
    if (after.kind === 'Service')
      this.#keepEndpoints(
        after,
        derived.flatMap(({ role, place }) => endpointsOf(role, place)),
      );
    this.#keep(after.uid, this.#exchange(open ?? NONE, derived, after, listener));
  }

  /** A removal brings the last state that was seen alive. */
  #close(entity: HolderEntity, listener: OpenClaimsListener): void {
    for (const claim of this.#of(entity.uid) ?? NONE) this.#end(claim, entity, listener);
    this.#byHolder.delete(entity.uid);
    this.#endpoints.delete(entity.uid);
  }

  /** The claims that are open from now on. */
  #exchange(
    open: readonly Claim[],
    derived: readonly DerivedClaim[],
    entity: HolderEntity,
    listener: OpenClaimsListener,
  ): readonly Claim[] {
    const shorter = Math.min(open.length, derived.length);
    let first = 0;
    while (first < shorter && isOf(open[first], derived[first])) first++;
    let last = 0;
    while (last < shorter - first && isOf(open[open.length - 1 - last], derived[derived.length - 1 - last])) last++;
    const between = { from: first, to: open.length - last };
    return this.#exchangeBetween(open, between, derived.slice(first, derived.length - last), entity, listener);
  }

  /**
   * The same where only endpoints of a service came or went; they stand behind its other claims, in their order. What
   * stays is passed over as text, side by side in both lists, and its claims are not touched.
   */
  #exchangeEndpoints(open: readonly Claim[], service: ServiceEntity, listener: OpenClaimsListener): readonly Claim[] {
    const held = this.#endpoints.get(service.uid)?.addresses ?? NO_ADDRESSES;
    const wanted = service.externalName ? NO_ADDRESSES : claimable(service.manualEndpoints, held);
    const others = open.length - held.length;
    const shorter = Math.min(held.length, wanted.length);
    let first = 0;
    while (first < shorter && held[first] === wanted[first]) first += 1;
    let last = 0;
    while (last < shorter - first && held.at(-1 - last) === wanted.at(-1 - last)) last += 1;
    const [heldEnd, wantedEnd] = [held.length - last, wanted.length - last];
    /** Claims that stay, and addresses of those that are to be opened; where those are. */
    const made: (Claim | string)[] = [];
    const come: number[] = [];
    const gone = new Map<string, Claim>();
    const leave = (at: number): void => void gone.set(held[at] as string, open[others + at] as Claim);
    let at = first;
    for (const address of wanted.slice(first, wantedEnd)) {
      for (; at < heldEnd && (held[at] as string) < address; at += 1) leave(at);
      if (at < heldEnd && held[at] === address) {
        made.push(open[others + at] as Claim);
        at += 1;
      } else {
        come.push(made.length);
        made.push(address);
      }
    }
    for (; at < heldEnd; at += 1) leave(at);
    // Both lists are in order; where one were not, what stays may look as if it went and came.
    for (const place of come) {
      const address = made[place] as string;
      made[place] = gone.get(address) ?? address;
      gone.delete(address);
    }
    this.#keepEndpoints(service, wanted);
    for (const claim of gone.values()) this.#end(claim, service, listener);
    for (const place of come) {
      const address = made[place];
      if (typeof address === 'string') made[place] = this.#begin(endpointClaim(address), service, listener);
    }
    return open.slice(0, others + first).concat(made as Claim[], open.slice(others + heldEnd));
  }

  /** What is open in between is replaced by what is derived; ends come before beginnings. */
  #exchangeBetween(
    open: readonly Claim[],
    { from, to }: { readonly from: number; readonly to: number },
    derived: readonly DerivedClaim[],
    entity: HolderEntity,
    listener: OpenClaimsListener,
  ): Claim[] {
    const before = new Map<string, Claim>();
    for (const claim of open.slice(from, to)) before.set(claimKey(claim.derivedRole, claim.place), claim);
    const made = derived.map((wanted): Claim | DerivedClaim => {
      const key = claimKey(wanted.role, wanted.place);
      const claim = before.get(key);
      if (!isOf(claim, wanted)) return wanted;
      before.delete(key);
      return claim ?? wanted;
    });
    for (const claim of before.values()) this.#end(claim, entity, listener);
    const between = made.map((each) => (each instanceof Claim ? each : this.#begin(each, entity, listener)));
    return open.slice(0, from).concat(between, open.slice(to));
  }

  #begin(derived: DerivedClaim, entity: HolderEntity, listener: OpenClaimsListener): Claim {
    this.#count++;
    const shared = derived.role === 'ENDPOINT' ? this.#endpoints.get(entity.uid)?.shared : undefined;
    return listener.opened(derived, shared ?? entity);
  }

  #end(claim: Claim, entity: HolderEntity, listener: OpenClaimsListener): void {
    this.#count--;
    // From now on it is as it was, whatever becomes of those that go on.
    if (claim.isShared) claim.entity = entity;
    listener.ended(claim, apiEndOf(claim.place, entity));
  }

  /** What it claims is about to be these: in the order of its claims, behind all others. */
  #keepEndpoints(service: ServiceEntity, addresses: readonly string[]): void {
    const shared = this.#endpoints.get(service.uid)?.shared ?? new SharedEntity(service);
    if (addresses.length === 0) this.#endpoints.delete(service.uid);
    else this.#endpoints.set(service.uid, { shared, addresses });
  }

  /** `undefined`: it never had one. */
  #of(uid: string): readonly Claim[] | undefined {
    const open = this.#byHolder.get(uid);
    return open instanceof Claim ? [open] : open;
  }

  #keep(uid: string, claims: readonly Claim[]): void {
    const [only] = claims;
    this.#byHolder.set(uid, only !== undefined && claims.length === 1 ? only : claims);
  }
}

const NONE: readonly Claim[] = Object.freeze([]);
const NO_ADDRESSES: readonly string[] = Object.freeze([]);

interface OpenEndpoints {
  readonly shared: SharedEntity;
  /** Those of its last open claims, in their order. */
  readonly addresses: readonly string[];
}

/** Claims but for those of a service's endpoints, which are last and have their state from one place. */
export function* ownOf(claims: readonly Claim[]): Generator<Claim> {
  for (const claim of claims) {
    if (claim.isShared) return;
    yield claim;
  }
}

/** Endpoints but for addresses that nothing may claim, of which `held` has none. The same list where there are none. */
function claimable(endpoints: readonly string[], held: readonly string[]): readonly string[] {
  let [at, special] = [0, 0];
  for (const address of endpoints) {
    while (at < held.length && (held[at] as string) < address) at += 1;
    if (held[at] === address) at += 1;
    else if (isSpecialAddress(address)) special += 1;
  }
  return special === 0 ? endpoints : endpoints.filter((address) => !isSpecialAddress(address));
}

function endpointsOf(role: DerivedClaim['role'], place: DerivedClaim['place']): readonly string[] {
  return role === 'ENDPOINT' && typeof place === 'object' && place.on === 'services' ? [place.address] : NO_ADDRESSES;
}

/** Whether this is the claim that is derived. Other ports of a service are another claim. */
function isOf(claim: Claim | undefined, derived: DerivedClaim | undefined): boolean {
  if (claim === undefined || derived === undefined || claim.derivedRole !== derived.role) return false;
  const [is, wanted] = [claim.place, derived.place];
  if (typeof is === 'string' || typeof wanted === 'string') return is === wanted;
  if (is.on === 'services' && wanted.on === 'services') {
    return is.address === wanted.address && (is.ports === wanted.ports || samePorts(portsOf(is), portsOf(wanted)));
  }
  return claimKey(claim.derivedRole, is) === claimKey(derived.role, wanted);
}

function portsOf({ ports }: { readonly ports: ServicePorts | undefined }): ServicePorts['list'] {
  return ports?.list ?? NO_PORTS;
}

const NO_PORTS: ServicePorts['list'] = Object.freeze([]);
