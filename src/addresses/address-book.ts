// Who holds which address, now and in the recent past: the claims of all entities, opened and closed by entity changes
// alone, and the timelines that are written from them.
//
// Promises: an answer is right for the asked moment or says that it is ambiguous, uncertain or unknown; a lookup costs
// a search in the timelines that it concerns; memory is bounded by the live claims plus the retention. This file is
// the writing side; what is answered is in answers.ts.

import type { ChangeBatch } from '../model/changes.ts';
import type { Entity, NodeEntity, PodEntity, ServiceEntity } from '../model/entities.ts';
import type { Observation } from '../model/observation.ts';
import { resourceOf } from '../model/source.ts';
import type { AddressFacts } from '../timelines/facts.ts';
import type { TimelineSource } from '../timelines/source.ts';
import { AddressAnswers } from './answers.ts';
import { BlindMoments } from './judging/blind-moments.ts';
import { ClaimPlaces } from './claims/claim-places.ts';
import type { Claim, HolderEntity, SharedEntity } from './claims/claim.ts';
import { endClaim, openClaim, REPORT_DELAY_MS } from './claims/claim-times.ts';
import type { DerivedClaim } from './claims/derived-claim.ts';
import { Heritage } from './heritage/heritage.ts';
import { EndedClaims, type EndedClaimsOptions } from './claims/ended-claims.ts';
import { KnownNodes } from './claims/known-nodes.ts';
import { OpenClaims, type OpenClaimsListener, ownOf } from './claims/open-claims.ts';
import { PlainHolders } from './plain-holders.ts';
import { PodsOnNodes } from './claims/pods-on-nodes.ts';
import { ProxiedAddresses } from './claims/proxied-addresses.ts';
import { ClusterRanges } from './ranges/ranges.ts';
import type { AddressAnswer, AddressHistory, AddressQuestion, AddressReader, HolderWait } from './reader.ts';
import { ServiceRanges } from './ranges/service-ranges.ts';
import { areToldApart, nameOf } from './claims/told-of-holders.ts';
import { AddressWaiters } from './waiters.ts';
import { WrittenTimelines } from './judging/written-timelines.ts';

export interface AddressBookOptions extends EndedClaimsOptions {
  /** Our clock, ms since the epoch. */
  readonly now: () => number;
  /** How far outside a claim a moment may lie before it does not count, ms. */
  readonly slackMs: number;
  /** Callers that may wait at once. */
  readonly maxWaiters: number;
  /** Address ranges that belong to the cluster, beside those of the nodes: `10.0.0.0/8`. */
  readonly clusterRanges: readonly string[];
  /** Only some namespaces are watched, so that an address without a known holder may have one. Default: false. */
  readonly partial?: boolean;
  /**
   * Since when one of `CLAIMING_RESOURCES` may be out of date; `undefined` while their watches are healthy. Ms since
   * the epoch.
   */
  readonly blindSinceMs: () => number | undefined;
}

export interface AddressBookSize {
  readonly open: number;
  readonly ended: number;
  readonly endedBytes: number;
  /** Ended claims that were forgotten because their object had more of them than its share. */
  readonly shareDrops: number;
  readonly waiters: number;
  readonly waitersRefused: number;
  /** Addresses of pods outside every range that pods are known to have, at most. */
  readonly podsOutsideRanges: number;
  readonly timelines: number;
  /** Places whose timelines have to be written yet. */
  readonly unwritten: number;
}

export class AddressBook implements AddressReader {
  /** Where ServiceCIDR objects go. */
  readonly serviceRanges: ServiceRanges;
  /** What timelines are written from; models in tests judge by it on their own. */
  readonly claims: ClaimPlaces;
  readonly nodes = new KnownNodes();
  readonly timelines: WrittenTimelines;
  /** What a sibling may take over of the past, and what was taken over from one. */
  readonly heritage: Heritage;
  /** What questions are answered from. */
  readonly source: TimelineSource<Claim>;
  readonly plain: PlainHolders;
  readonly #options: AddressBookOptions;
  readonly #open: OpenClaims;
  readonly #proxied = new ProxiedAddresses();
  readonly #ended: EndedClaims;
  readonly #podsOnNodes = new PodsOnNodes();
  readonly #blind: BlindMoments;
  readonly #ranges: ClusterRanges;
  readonly #waiters: AddressWaiters;
  #startedMs = Number.POSITIVE_INFINITY;
  readonly #answers: AddressAnswers;
  #unnamed: (uid: string) => void = () => undefined;
  #lastName: { readonly of: ServiceEntity; readonly name: ServiceEntity } | undefined;

  constructor(options: AddressBookOptions) {
    this.#options = options;
    this.claims = new ClaimPlaces(options);
    this.#open = new OpenClaims((address) => this.claims.isTaken(address));
    this.#ended = new EndedClaims(options);
    this.#blind = new BlindMoments();
    this.#ranges = new ClusterRanges({ configured: options.clusterRanges, retentionMs: options.retentionMs });
    this.serviceRanges = new ServiceRanges(this.#ranges);
    this.#waiters = new AddressWaiters(options);
    this.timelines = new WrittenTimelines({
      places: this.claims,
      nodes: this.nodes,
      slackMs: options.slackMs,
      sinceMs: () => options.now() - options.retentionMs,
    });
    this.source = this.#createSource();
    this.heritage = new Heritage({
      now: options.now,
      claims: this.claims,
      nodes: this.nodes,
      timelines: this.timelines,
      open: this.#open,
      ended: this.#ended,
      blind: this.#blind,
      ranges: this.#ranges,
      facts: () => this.#facts(),
      forget: (claim) => this.#forget(claim),
      isNamed: (uid) => this.isNamed(uid),
      nodeIsLeaving: (name) => {
        for (const uid of this.#podsOnNodes.on(name)) this.#markClaims(uid);
      },
      beganEarlier: (ms) => (this.#startedMs = Math.min(this.#startedMs, ms)),
    });
    this.plain = new PlainHolders(this.source, options.now);
    this.#answers = new AddressAnswers({
      source: this.source,
      now: options.now,
      historySinceMs: () => this.historySinceMs,
    });
    this.timelines.onMarked((address) => this.plain.addressChanged(address));
  }

  /** The picture is complete from now on; before this moment nothing can be told. */
  open(): void {
    this.#startedMs = this.#options.now();
    this.#blind.begin(this.#startedMs);
  }

  get historySinceMs(): number {
    return Math.max(
      this.#startedMs,
      this.#options.now() - this.#options.retentionMs,
      this.#ended.forgottenUntilMs + this.#options.slackMs,
    );
  }

  /** Sizes, for metrics. */
  get size(): AddressBookSize {
    return {
      open: this.#open.count,
      ended: this.#ended.count,
      endedBytes: this.#ended.bytes,
      shareDrops: this.#ended.shareDrops,
      waiters: this.#waiters.count,
      waitersRefused: this.#waiters.refused,
      podsOutsideRanges: this.#ranges.podsOutside.count,
      timelines: this.timelines.size,
      unwritten: this.timelines.marked,
    };
  }

  /** Takes the entity changes of one source change. */
  apply(batch: ChangeBatch): void {
    const { seen } = batch;
    const mayHaveMissed = seen.relisted === true && CLAIMING_RESOURCES.has(resourceOf(batch.position.resource));
    if (mayHaveMissed && seen.sinceMs !== undefined) this.#blind.add(seen.sinceMs, seen.atMs);
    for (const { before, after } of batch.changes) this.#update(asHolder(before), asHolder(after), seen);
    for (const service of this.#proxied.takeDue()) this.#open.deriveAgain(service, this.#listener(seen));
    let forgotten = 0;
    this.#forgetEnded(this.#options.now(), () => ++forgotten >= FORGOTTEN_WITH_A_CHANGE);
  }

  /**
   * Forgets what is past its time, until `isDue`; returns whether that is all. To be called every few seconds; counts
   * and bytes are bounded at every change.
   */
  expire(isDue: () => boolean = () => false): boolean {
    const nowMs = this.#options.now();
    this.#ranges.expire(nowMs);
    this.#blind.expire(nowMs - this.#options.retentionMs);
    return this.#forgetEnded(nowMs, isDue);
  }

  /** Whether timelines name the object, or will when they are written. */
  isNamed(uid: string): boolean {
    return this.#open.of(uid).length > 0 || this.#ended.has(uid);
  }

  /** Pods that are gone, or about to be, of which the history tells; some in several states, the last one last. */
  *endedPods(): Generator<PodEntity> {
    for (const entity of this.#ended.entities()) if (entity.kind === 'Pod') yield entity;
  }

  /** The last state of one of them. */
  endedPod(uid: string): PodEntity | undefined {
    let last: PodEntity | undefined;
    for (const { entity } of this.#ended.of(uid)) if (entity.kind === 'Pod') last = entity;
    return last;
  }

  /** Called with the uid of an object that timelines do not name any more. */
  onUnnamed(listener: (uid: string) => void): void {
    this.#unnamed = listener;
  }

  /** Called with every range that is known, now and from now on, and with those that are known no longer. */
  onRange(listener: (range: string, isKnown: boolean) => void): void {
    this.#ranges.onKnown(listener);
  }

  /** Something is known of the object otherwise that timelines do not tell, but decides who gets them. */
  touch(uid: string): void {
    for (const claim of this.#open.of(uid)) this.timelines.touchClaim(claim);
    for (const claim of this.#ended.of(uid)) this.timelines.touchClaim(claim);
  }

  waitForHolder(addresses: readonly string[], signal: AbortSignal): HolderWait | undefined {
    return this.#waiters.open(addresses, signal);
  }

  resolve(question: AddressQuestion): AddressAnswer {
    return this.#answers.resolve(question);
  }

  history(question: Omit<AddressQuestion, 'atMs' | 'untilMs'>, limit: number): AddressHistory {
    return this.#answers.history(question, limit);
  }

  #createSource(): TimelineSource<Claim> {
    const { timelines } = this;
    const facts = () => this.#facts();
    return {
      get facts() {
        return facts();
      },
      ofAddress: (address) => timelines.ofAddress(address),
      hasPorts: (address) => timelines.hasPorts(address),
      ofPort: (address, port, protocol) => timelines.ofPort(address, port, protocol),
      ofPorts: (address) => timelines.ofPorts(address),
      ofNodePort: (node, address, port, protocol) => timelines.ofNodePort(node, address, port, protocol),
      ofEveryNodePort: (port, protocol) => timelines.ofEveryNodePort(port, protocol),
      ofNode: (node) => timelines.ofNode(node),
      isInRange: (address) => this.#ranges.contain(address),
      areRangesComplete: (family) => this.#ranges.areComplete(family),
    };
  }

  #facts(): AddressFacts {
    const { retentionMs, slackMs, partial = false, blindSinceMs } = this.#options;
    return {
      beganMs: Math.max(this.#startedMs, this.#ended.forgottenUntilMs + slackMs),
      historyMs: retentionMs,
      blind: this.#blind.gaps,
      blindSinceMs: blindSinceMs(),
      unknownUntilMs: this.#blind.unknownUntilMs,
      incompleteUntilMs: this.#ended.incompleteUntilMs + slackMs,
      reportDelayMs: REPORT_DELAY_MS,
      isPartial: partial,
    };
  }

  #update(before: HolderEntity | undefined, after: HolderEntity | undefined, seen: Observation): void {
    if (before?.kind === 'Node' || after?.kind === 'Node') this.#updateNode(asNode(before), asNode(after), seen);
    const hadClaims = before !== undefined && this.#open.of(before.uid).length > 0;
    if (after?.kind === 'Service') this.#proxied.put(after);
    else if (before?.kind === 'Service') this.#proxied.delete(before.uid);
    this.#open.update(before, after, seen, this.#listener(seen));
    // An endpoint of a service is no plain holder.
    if (after !== undefined) for (const claim of ownOf(this.#open.of(after.uid))) this.plain.holderChanged(claim);
    const subject = after ?? before;
    if (subject?.kind === 'Pod') {
      if (before?.kind === 'Pod' && before.nodeName !== subject.nodeName) this.#podsOnNodes.delete(before);
      if (this.#open.of(subject.uid).length > 0) this.#podsOnNodes.add(subject);
      else this.#podsOnNodes.delete(subject);
    }
    if (hadClaims && after !== undefined && areToldApart(before, after)) this.#markClaims(after.uid);
  }

  #listener(seen: Observation): OpenClaimsListener {
    return {
      opened: (derived, entity) => this.#openClaim(derived, entity, seen),
      ended: (claim, apiEndMs) => this.#endClaim(claim, seen, apiEndMs),
    };
  }

  /** What is known of the object changed, and with it what its claims tell. */
  #markClaims(uid: string): void {
    for (const claim of this.#open.of(uid)) this.timelines.markClaim(claim);
  }

  #openClaim(derived: DerivedClaim, entity: HolderEntity | SharedEntity, seen: Observation): Claim {
    const isListed = seen.relisted === true || this.#startedMs === Number.POSITIVE_INFINITY;
    const claim = openClaim(derived, entity, seen, isListed);
    const { role, place } = derived;
    this.claims.open(claim);
    this.timelines.markClaim(claim);
    if (typeof place === 'string') {
      if (role === 'POD_IP') this.#ranges.podsOutside.add(place);
      this.#waiters.wake(place);
      this.#proxied.touch(place);
    } else if (place.on === 'services') this.#waiters.wake(place.address);
    return claim;
  }

  #endClaim(claim: Claim, seen: Observation, apiEndMs: number | undefined): void {
    endClaim(claim, seen, apiEndMs);
    const { entity } = claim;
    if (entity.kind === 'Pod') {
      if (!this.nodes.exists(entity.nodeName)) claim.leavingSeenMs = claim.knownFromMs;
      else claim.leavingSeenMs ??= this.nodes.leavingSeenMs(entity.nodeName);
    } else if (entity.kind === 'Service' && claim.role === 'ENDPOINT') claim.entity = this.#nameOf(entity);
    this.claims.end(claim);
    this.timelines.markClaim(claim);
    if (typeof claim.place === 'string') this.#proxied.touch(claim.place);
    for (const dropped of this.#ended.add(claim, seen.atMs)) this.#forget(dropped);
  }

  /** One for all endpoints that end with one state of a service. */
  #nameOf(service: ServiceEntity): ServiceEntity {
    if (this.#lastName?.of !== service) this.#lastName = { of: service, name: nameOf(service) };
    return this.#lastName.name;
  }

  /** What is over the bounds goes in any case. */
  #forgetEnded(nowMs: number, isDue: () => boolean): boolean {
    for (const claim of this.#ended.expire(nowMs)) {
      this.#forget(claim);
      if (isDue() && !this.#ended.isOverBounds) return false;
    }
    return true;
  }

  #forget(claim: Claim): void {
    const mark = this.timelines.markForgotten(claim);
    this.claims.forget(claim, this.nodes);
    mark();
    if (claim.derivedRole === 'POD_IP' && typeof claim.place === 'string') this.#ranges.podsOutside.forget(claim.place);
    if (!this.isNamed(claim.uid)) this.#unnamed(claim.uid);
  }

  #updateNode(before: NodeEntity | undefined, after: NodeEntity | undefined, seen: Observation): void {
    const name = (after ?? before)?.name ?? '';
    const { isFollowed } = this.nodes;
    const existed = this.nodes.exists(name);
    const leavingMs = this.nodes.leavingSeenMs(name);
    this.nodes.update(before, after, seen);
    // The first node that is seen tells of all others that they are not there.
    if (!isFollowed) for (const uid of this.#podsOnNodes.all()) this.#markClaims(uid);
    else if (existed !== this.nodes.exists(name) || leavingMs !== this.nodes.leavingSeenMs(name)) {
      for (const uid of this.#podsOnNodes.on(name)) this.#markClaims(uid);
    }
    if (after !== undefined) this.#ranges.hold('pods', after.uid, after.podRanges, seen.atMs);
    if (before === undefined) return;
    const released = before.podRanges.filter((range) => after?.podRanges.includes(range) !== true);
    this.#ranges.release('pods', before.uid, released, seen.atMs);
  }
}

/** More than end with nearly every change: what ended with one list would otherwise be forgotten in one turn too. */
const FORGOTTEN_WITH_A_CHANGE = 16;

/** What claims are made of. A gap in the others (owners) hides no address. */
export const CLAIMING_RESOURCES: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'nodes',
]);

function asHolder(entity: Entity | undefined): HolderEntity | undefined {
  return entity === undefined || entity.kind === 'Workload' || entity.kind === 'Namespace' ? undefined : entity;
}

function asNode(entity: HolderEntity | undefined): NodeEntity | undefined {
  return entity?.kind === 'Node' ? entity : undefined;
}
