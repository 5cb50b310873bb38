// The claims that are in force, by the entity that makes them: a change of the entity opens those that are new and ends
// those that it does not make any more.
//
// Costs what changed, plus a comparison with what stayed: of a service with thousands of endpoints the claims before
// and after those that changed are passed over in order, without looking any of them up, and where nothing else of it
// changed, without deriving any of them.

import type { ServiceEntity } from '../../model/entities.ts';
import type { Observation } from '../../model/observation.ts';
import { Claim, claimKey, type DerivedClaim, type HolderEntity, renewEntity } from './claim.ts';
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
  opened(derived: DerivedClaim, entity: HolderEntity): Claim;
  /** `apiEndMs`: the API's own time of the end. */
  ended(claim: Claim, apiEndMs: number | undefined): void;
}

export class OpenClaims {
  readonly #isTaken: Acquaintance['isTaken'];
  /** Nearly always one claim, which then stands there by itself; else in the order in which they are derived. */
  readonly #byHolder = new Map<string, Claim | readonly Claim[]>();
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
    for (const claim of open ?? NONE) renewEntity(claim, after, seen);
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
    this.#keep(after.uid, this.#exchange(open ?? NONE, derived, after, listener));
  }

  /** A removal brings the last state that was seen alive. */
  #close(entity: HolderEntity, listener: OpenClaimsListener): void {
    for (const claim of this.#of(entity.uid) ?? NONE) this.#end(claim, entity, listener);
    this.#byHolder.delete(entity.uid);
  }

  /** The claims that are open from now on. */
  #exchange(
    open: readonly Claim[],
    derived: readonly DerivedClaim[],
    entity: HolderEntity,
    listener: OpenClaimsListener,
  ): Claim[] {
    const shorter = Math.min(open.length, derived.length);
    let first = 0;
    while (first < shorter && isOf(open[first], derived[first])) first++;
    let last = 0;
    while (last < shorter - first && isOf(open[open.length - 1 - last], derived[derived.length - 1 - last])) last++;
    const between = { from: first, to: open.length - last };
    return this.#exchangeBetween(open, between, derived.slice(first, derived.length - last), entity, listener);
  }

  /** The same where only endpoints of a service came or went; they stand behind its other claims, in their order. */
  #exchangeEndpoints(open: readonly Claim[], service: ServiceEntity, listener: OpenClaimsListener): Claim[] {
    const wanted = service.externalName ? NO_ADDRESSES : service.manualEndpoints;
    let from = open.findIndex((claim) => endpointOf(claim) !== undefined);
    if (from === -1) from = open.length;
    let to = open.length;
    let [first, end] = [0, wanted.length];
    for (let address = wanted[first]; address !== undefined && first < end; address = wanted[first]) {
      if (from < to && endpointOf(open[from]) === address) from += 1;
      else if (!isSpecialAddress(address)) break;
      first += 1;
    }
    for (let address = wanted[end - 1]; address !== undefined && first < end; address = wanted[end - 1]) {
      if (from < to && endpointOf(open[to - 1]) === address) to -= 1;
      else if (!isSpecialAddress(address)) break;
      end -= 1;
    }
    const made: DerivedClaim[] = [];
    for (const address of wanted.slice(first, end)) if (!isSpecialAddress(address)) made.push(endpointClaim(address));
    return this.#exchangeBetween(open, { from, to }, made, service, listener);
  }

  /** What is open in between gives way to what is derived; ends come before beginnings. */
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
    const between = made.map((each) => {
      if (each instanceof Claim) return each;
      this.#count++;
      return listener.opened(each, entity);
    });
    return open.slice(0, from).concat(between, open.slice(to));
  }

  #end(claim: Claim, entity: HolderEntity, listener: OpenClaimsListener): void {
    this.#count--;
    listener.ended(claim, apiEndOf(claim.place, entity));
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

/** The address, of an endpoint of a service. */
function endpointOf(claim: Claim | undefined): string | undefined {
  const place = claim?.place;
  if (typeof place !== 'object' || place.on !== 'services' || place.ports !== undefined) return undefined;
  return place.address;
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
