// Who holds which address, now and in the recent past: the claims of all entities, opened and closed by entity changes
// alone, and looked up by address, port and moment.
//
// Promises: an answer is right for the asked moment or says that it is ambiguous, uncertain or unknown; a lookup costs
// the claims that overlap at the moment, not the past holders; memory is bounded by the live claims plus the retention.
// This file is the writing side and what to say where there is no holder; lookup.ts finds holders.

import { NO_BYTES } from '../model/byte-string.ts';
import type { ChangeBatch } from '../model/changes.ts';
import type { Entity, NodeEntity, ServiceEntity } from '../model/entities.ts';
import type { Observation } from '../model/observation.ts';
import { resourceOf } from '../model/source.ts';
import { BlindMoments } from './blind-moments.ts';
import { ClaimPlaces } from './claim-places.ts';
import { type Claim, type DerivedClaim, endClaim, type HolderEntity, openClaim, REPORT_DELAY_MS } from './claim.ts';
import { EndedClaims, type EndedClaimsOptions } from './ended-claims.ts';
import type { JudgeContext } from './judge.ts';
import { KnownNodes } from './known-nodes.ts';
import { findHolders, podsInNetworkOf } from './lookup.ts';
import { OpenClaims } from './open-claims.ts';
import { ClusterRanges } from './ranges.ts';
import type { AddressAnswer, AddressQuestion, AddressReader, AddressRole, Holder } from './reader.ts';
import { ServiceRanges } from './service-ranges.ts';
import { isSpecialAddress } from '../timelines/special-addresses.ts';
import { AddressWaiters } from './waiters.ts';

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
}

export class AddressBook implements AddressReader {
  /** Where ServiceCIDR objects go. */
  readonly serviceRanges: ServiceRanges;
  readonly #options: AddressBookOptions;
  readonly #places: ClaimPlaces;
  readonly #open = new OpenClaims();
  readonly #ended: EndedClaims;
  readonly #nodes = new KnownNodes();
  readonly #blind: BlindMoments;
  readonly #ranges: ClusterRanges;
  readonly #waiters: AddressWaiters;
  #startedMs = Number.POSITIVE_INFINITY;
  #lastName: { readonly of: ServiceEntity; readonly name: ServiceEntity } | undefined;

  constructor(options: AddressBookOptions) {
    this.#options = options;
    this.#places = new ClaimPlaces(options);
    this.#ended = new EndedClaims(options);
    this.#blind = new BlindMoments(options.blindSinceMs);
    this.#ranges = new ClusterRanges({ configured: options.clusterRanges, retentionMs: options.retentionMs });
    this.serviceRanges = new ServiceRanges(this.#ranges);
    this.#waiters = new AddressWaiters(options);
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
    };
  }

  /** Takes the entity changes of one source change. */
  apply(batch: ChangeBatch): void {
    const { seen } = batch;
    const mayHaveMissed = seen.relisted === true && CLAIMING_RESOURCES.has(resourceOf(batch.position.resource));
    if (mayHaveMissed && seen.sinceMs !== undefined) this.#blind.add(seen.sinceMs, seen.atMs);
    for (const { before, after } of batch.changes) this.#update(asHolder(before), asHolder(after), seen);
    this.#forgetEnded(this.#options.now());
  }

  /** Forgets what is past its time. To be called every few seconds; counts and bytes are bounded at every change. */
  expire(): void {
    const nowMs = this.#options.now();
    this.#forgetEnded(nowMs);
    this.#ranges.expire(nowMs);
    this.#blind.expire(nowMs - this.#options.retentionMs);
  }

  waitForHolder(addresses: readonly string[], signal: AbortSignal): Promise<boolean> | undefined {
    return this.#waiters.wait(addresses, signal);
  }

  resolve(question: AddressQuestion): AddressAnswer {
    const nowMs = this.#options.now();
    const atMs = Math.min(question.atMs ?? nowMs, nowMs);
    const { historySinceMs } = this;
    // The present can always be told, even in the first millisecond.
    const isTooOld = atMs < historySinceMs && question.atMs !== undefined;
    if (isTooOld || isSpecialAddress(question.address)) return { outcome: 'UNKNOWN', historySinceMs };

    const context = { atMs, slackMs: this.#options.slackMs, nodes: this.#nodes, blind: this.#blind };
    const { holders, isOfUnknownNode } = findHolders(this.#places, question, context);
    const [best] = holders;
    if (best === undefined) {
      const outcome = isOfUnknownNode ? 'UNKNOWN' : this.#withoutHolder(question.address, atMs);
      return { outcome, historySinceMs };
    }
    const told = this.#isIncompleteAt(atMs) ? holders.map((holder) => withDoubt(holder, question)) : holders;
    return { ...this.#tell(told, question, context), historySinceMs };
  }

  #tell(holders: readonly Holder[], question: AddressQuestion, context: JudgeContext): Told {
    const [holder] = holders;
    if (holder === undefined || holders.length > 1) return { outcome: 'AMBIGUOUS', candidates: holders };
    if (holder.entity.kind !== 'Node') return { outcome: 'RESOLVED', holder, alternatives: [] };
    // A question for a port falls back on the node because no pod has the port, which is not known of moments in a gap,
    // or of namespaces that are not watched.
    const isBlind = this.#options.partial === true || this.#mayHaveMissed(context.atMs);
    const uncertain = holder.uncertain || (question.port !== undefined && isBlind);
    const alternatives = podsInNetworkOf(this.#places, holder.entity.name, context);
    return { outcome: 'RESOLVED', holder: { ...holder, uncertain }, alternatives };
  }

  #withoutHolder(address: string, atMs: number): 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' {
    // An object of another namespace may have it, inside and outside the ranges; one may have come and gone unseen.
    if (this.#options.partial === true || this.#mayHaveMissed(atMs) || this.#isIncompleteAt(atMs)) return 'UNKNOWN';
    // Whatever the ranges say: where pods, nodes and services had addresses a moment ago is the cluster.
    switch (this.#places.wasInCluster(address) ? 'inside' : this.#ranges.verdict(address)) {
      case 'unknown':
        return 'UNKNOWN';
      case 'outside':
        return 'EXTERNAL';
      case 'inside':
        return 'UNASSIGNED';
    }
  }

  /** Whether a holder that was there at the moment may have come and gone unheard of, given that reports take time. */
  #mayHaveMissed(atMs: number): boolean {
    return this.#blind.overlap(atMs, atMs + REPORT_DELAY_MS);
  }

  /** Whether an object had so many claims since then that some are forgotten. */
  #isIncompleteAt(atMs: number): boolean {
    return atMs <= this.#ended.incompleteUntilMs + this.#options.slackMs;
  }

  #update(before: HolderEntity | undefined, after: HolderEntity | undefined, seen: Observation): void {
    this.#open.update(before, after, seen, {
      opened: (derived, entity) => this.#openClaim(derived, entity, seen),
      ended: (claim, apiEndMs) => this.#endClaim(claim, seen, apiEndMs),
    });
    if (before?.kind === 'Node' || after?.kind === 'Node') this.#updateNode(asNode(before), asNode(after), seen);
  }

  #openClaim(derived: DerivedClaim, entity: HolderEntity, seen: Observation): Claim {
    const isListed = seen.relisted === true || this.#startedMs === Number.POSITIVE_INFINITY;
    const claim = openClaim(derived, entity, seen, isListed);
    const { role, place } = derived;
    this.#places.open(claim);
    if (typeof place === 'string') {
      if (role === 'POD_IP') this.#ranges.podsOutside.add(place);
      this.#waiters.wake(place);
    } else if (place.on === 'services') this.#waiters.wake(place.address);
    return claim;
  }

  #endClaim(claim: Claim, seen: Observation, apiEndMs: number | undefined): void {
    endClaim(claim, seen, apiEndMs);
    const { entity } = claim;
    if (entity.kind === 'Pod') {
      if (!this.#nodes.exists(entity.nodeName)) claim.leavingSeenMs = claim.knownFromMs;
      else claim.leavingSeenMs ??= this.#nodes.leavingSeenMs(entity.nodeName);
    } else if (entity.kind === 'Service' && claim.role === 'ENDPOINT') claim.entity = this.#nameOf(entity);
    this.#places.end(claim);
    for (const dropped of this.#ended.add(claim, seen.atMs)) this.#forget(dropped);
  }

  /** One for all endpoints that end with one state of a service. */
  #nameOf(service: ServiceEntity): ServiceEntity {
    if (this.#lastName?.of !== service) this.#lastName = { of: service, name: nameOf(service) };
    return this.#lastName.name;
  }

  #forgetEnded(nowMs: number): void {
    for (const claim of this.#ended.expire(nowMs)) this.#forget(claim);
  }

  #forget(claim: Claim): void {
    this.#places.forget(claim, this.#nodes);
    if (claim.role === 'POD_IP' && typeof claim.place === 'string') this.#ranges.podsOutside.forget(claim.place);
  }

  #updateNode(before: NodeEntity | undefined, after: NodeEntity | undefined, seen: Observation): void {
    this.#nodes.update(before, after, seen);
    if (after !== undefined) this.#ranges.hold('pods', after.uid, after.podRanges, seen.atMs);
    if (before === undefined) return;
    const released = before.podRanges.filter((range) => after?.podRanges.includes(range) !== true);
    this.#ranges.release('pods', before.uid, released, seen.atMs);
  }
}

/** What claims are made of. A gap in the others (owners) hides no address. */
export const CLAIMING_RESOURCES: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'nodes',
]);

type Told =
  | { readonly outcome: 'RESOLVED'; readonly holder: Holder; readonly alternatives: readonly Holder[] }
  | { readonly outcome: 'AMBIGUOUS'; readonly candidates: readonly Holder[] };

/** Those that objects make many of, so that one of them may be missing. */
const CROWDED: ReadonlySet<AddressRole> = new Set(['LOAD_BALANCER', 'EXTERNAL_IP', 'ENDPOINT', 'NODE_PORT']);

/** Forgotten claims may be on the same address, or on the asked port of it. */
function withDoubt(holder: Holder, { port }: AddressQuestion): Holder {
  return port !== undefined || CROWDED.has(holder.role) ? { ...holder, uncertain: true } : holder;
}

/** All that an answer tells of the service of an ended endpoint: the rest of it may be large, and there may be many. */
function nameOf(service: ServiceEntity): ServiceEntity {
  const { uid, namespace, name, creationTimeMs } = service;
  return { ...NAMELESS, uid, namespace, name, creationTimeMs };
}

const NAMELESS: ServiceEntity = Object.freeze({
  kind: 'Service',
  uid: '',
  namespace: '',
  name: '',
  creationTimeMs: undefined,
  clusterAddresses: [],
  loadBalancerAddresses: [],
  externalAddresses: [],
  ports: [],
  nodePorts: [],
  externalName: false,
  manualEndpoints: [],
  workloads: [],
  own: NO_BYTES,
  joined: NO_BYTES,
  values: NO_BYTES,
  rest: NO_BYTES,
});

function asHolder(entity: Entity | undefined): HolderEntity | undefined {
  return entity === undefined || entity.kind === 'Workload' || entity.kind === 'Namespace' ? undefined : entity;
}

function asNode(entity: HolderEntity | undefined): NodeEntity | undefined {
  return entity?.kind === 'Node' ? entity : undefined;
}
