// Who holds which address, now and in the recent past: the claims of all entities, opened and closed by entity changes
// alone, and looked up by address, port and moment.
//
// Promises: an answer is right for the asked moment or says that it is ambiguous, uncertain or unknown; a lookup costs
// the claims that overlap at the moment, not the past holders; memory is bounded by the live claims plus the retention.
// Ports of nodes are kept by node name and by port, not per address: a NodePort service would otherwise claim every
// address of every node.

import type { ChangeBatch } from '../model/changes.ts';
import type { Entity } from '../model/entities.ts';
import type { Observation } from '../model/observation.ts';
import { resourceOf } from '../model/source.ts';
import { BlindMoments } from './blind-moments.ts';
import {
  Claim,
  type ClaimPlace,
  type ClaimRole,
  claimKey,
  coverageAt,
  type DerivedClaim,
  distanceTo,
  endClaim,
  type HolderEntity,
  newestFirst,
  openClaim,
  REPORT_DELAY_MS,
  renewEntity,
} from './claim.ts';
import { apiEndOf, deriveClaims, sameClaims } from './derive-claims.ts';
import { EndedClaims, type EndedClaimsOptions } from './ended-claims.ts';
import { type JudgeContext, judge, rememberSuccession, toHolder } from './judge.ts';
import { ClusterRanges } from './ranges.ts';
import { ServiceRanges } from './service-ranges.ts';
import type { AddressAnswer, AddressQuestion, AddressReader, Holder } from './reader.ts';
import { Timelines } from './timelines.ts';
import { AddressWaiters } from './waiters.ts';

export interface AddressBookOptions extends EndedClaimsOptions {
  /** Our clock, ms since the epoch. */
  readonly now: () => number;
  /** How far outside a claim a moment may lie before the answer is nobody, ms. */
  readonly slackMs: number;
  /** Callers that may wait at once. */
  readonly maxWaiters: number;
  /** Address ranges that belong to the cluster, beside those of the nodes: `10.0.0.0/8`. */
  readonly clusterRanges: readonly string[];
  /** Only some namespaces are watched, so that nobody known is not nobody. Default: false. */
  readonly partial?: boolean;
  /** Since when one of `CLAIMING_RESOURCES` may be out of date; `undefined` while their watches are healthy. Ms since the epoch. */
  readonly blindSinceMs: () => number | undefined;
}

export interface AddressBookSize {
  readonly open: number;
  readonly ended: number;
  readonly endedBytes: number;
  readonly waiters: number;
  readonly waitersRefused: number;
}

/** Host-network pods that a node's answer lists at most; a node runs 110 pods by default, few of them there. */
const MAX_ALTERNATIVES = 100;

export class AddressBook implements AddressReader {
  /** Where ServiceCIDR objects go. */
  readonly serviceRanges: ServiceRanges;
  readonly #options: AddressBookOptions;
  readonly #timelines = new Timelines();
  /** Nearly always one claim, which then stands there by itself. */
  readonly #openByHolder = new Map<string, Claim | readonly Claim[]>();
  readonly #nodeUids = new Map<string, string>();
  readonly #ended: EndedClaims;
  readonly #blind = new BlindMoments();
  readonly #ranges: ClusterRanges;
  readonly #waiters: AddressWaiters;
  #openCount = 0;
  #sawNodes = false;
  #startedMs = Number.POSITIVE_INFINITY;

  constructor(options: AddressBookOptions) {
    this.#options = options;
    this.#ended = new EndedClaims(options);
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
      open: this.#openCount,
      ended: this.#ended.count,
      endedBytes: this.#ended.bytes,
      waiters: this.#waiters.count,
      waitersRefused: this.#waiters.refused,
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

  #forgetEnded(nowMs: number): void {
    for (const claim of this.#ended.expire(nowMs)) {
      rememberSuccession(claim, this.#timelines.forget(placeKey(claim.place), claim));
    }
  }

  waitForHolder(addresses: readonly string[], signal: AbortSignal): Promise<boolean> | undefined {
    return this.#waiters.wait(addresses, signal);
  }

  resolve(question: AddressQuestion): AddressAnswer {
    const nowMs = this.#options.now();
    const atMs = Math.min(question.atMs ?? nowMs, nowMs);
    const { historySinceMs } = this;
    // The present can always be told, even in the first millisecond.
    if (atMs < historySinceMs && question.atMs !== undefined) return { outcome: 'UNKNOWN', historySinceMs };

    const claims = this.#around(question.address, atMs);
    if (question.port !== undefined) {
      const nodeNames = this.#nodesBehind(claims, atMs);
      if (nodeNames.size > 0) claims.push(...this.#portClaims(question, question.port, nodeNames, atMs));
    }
    const context: JudgeContext = {
      atMs,
      slackMs: this.#options.slackMs,
      nodeExists: (name) => this.#nodeExists(name),
      wasBlind: (sinceMs, untilMs) => this.#blind.mayHaveHidden(sinceMs, untilMs),
    };
    const holders = judge(claims, context);
    const [best] = holders;
    if (best === undefined) return { outcome: this.#nobody(question.address, atMs), historySinceMs };
    if (holders.length > 1) return { outcome: 'AMBIGUOUS', candidates: holders, historySinceMs };
    if (best.entity.kind !== 'Node') return { outcome: 'RESOLVED', holder: best, alternatives: [], historySinceMs };
    // Whoever is asked for a port falls back on the node because no pod has it, which nobody can know in a gap, or of the
    // namespaces that are not watched.
    const isBlind = this.#options.partial === true || this.#mayHaveMissed(atMs);
    const uncertain = best.uncertain || (question.port !== undefined && isBlind);
    const alternatives = this.#hostNetworkPods(best.entity.name, context);
    return { outcome: 'RESOLVED', holder: { ...best, uncertain }, alternatives, historySinceMs };
  }

  #nodeExists(name: string): boolean {
    return !this.#sawNodes || this.#nodeUids.has(name);
  }

  #nobody(address: string, atMs: number): 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' {
    // Somebody of another namespace may have it, inside and outside of the ranges.
    if (this.#options.partial === true) return 'UNKNOWN';
    // Whatever the ranges say: where pods, nodes and services had addresses a moment ago is the cluster.
    const wasInside = this.#timelines.some(address, ({ role }) => ROLES_OF_THE_CLUSTER.has(role));
    switch (wasInside ? 'inside' : this.#ranges.verdict(address)) {
      case 'unknown':
        return 'UNKNOWN';
      case 'outside':
        return 'EXTERNAL';
      case 'inside': {
        const blindSinceMs = this.#options.blindSinceMs();
        const isBlind = blindSinceMs !== undefined && atMs + REPORT_DELAY_MS >= blindSinceMs;
        return isBlind || this.#mayHaveMissed(atMs) ? 'UNKNOWN' : 'UNASSIGNED';
      }
    }
  }

  /** Whether somebody who was there at the moment may have come and gone unheard of, given that reports take time. */
  #mayHaveMissed(atMs: number): boolean {
    return this.#blind.overlap(atMs, atMs + REPORT_DELAY_MS);
  }

  #around(key: string, atMs: number): Claim[] {
    return this.#timelines.around(key, atMs, this.#options.slackMs);
  }

  /** Names of the nodes that have the address at the moment. */
  #nodesBehind(onAddress: readonly Claim[], atMs: number): Set<string> {
    const names = new Set<string>();
    for (const claim of onAddress) {
      if (distanceTo(claim, atMs) > this.#options.slackMs) continue;
      if (claim.role === 'NODE_ADDRESS') names.add(claim.entity.name);
      else if (claim.role === 'HOST_ADDRESS' && claim.entity.kind === 'Pod') names.add(claim.entity.nodeName);
    }
    return names;
  }

  #portClaims(question: AddressQuestion, port: number, nodeNames: Set<string>, atMs: number): Claim[] {
    const claims = this.#around(`p ${port}`, atMs);
    for (const name of nodeNames) claims.push(...this.#around(`h ${name} ${port}`, atMs));
    return claims.filter(({ place }) => {
      if (typeof place === 'string' || place.on === 'node') return false;
      if (question.protocol !== undefined && place.protocol !== question.protocol) return false;
      return place.on === 'every-node-port' || place.address === undefined || place.address === question.address;
    });
  }

  #hostNetworkPods(nodeName: string, context: JudgeContext): Holder[] {
    return this.#around(`n ${nodeName}`, context.atMs)
      .filter((claim) => coverageAt(claim, context.atMs) !== 'none')
      .sort(newestFirst)
      .slice(0, MAX_ALTERNATIVES)
      .map((claim) => toHolder(claim, context));
  }

  #update(before: HolderEntity | undefined, after: HolderEntity | undefined, seen: Observation): void {
    if (before !== undefined && after !== undefined && sameClaims(before, after)) {
      for (const claim of this.#openClaims(after.uid) ?? []) renewEntity(claim, after, seen);
    } else {
      const entity = after ?? before;
      if (entity !== undefined) this.#exchange(entity, after, seen);
    }
    if (before?.kind === 'Node' || after?.kind === 'Node') this.#updateNode(before, after, seen);
  }

  /** Ends the claims that the entity does not make any more and opens those that are new. */
  #exchange(entity: HolderEntity, after: HolderEntity | undefined, seen: Observation): void {
    const { uid } = entity;
    const open = this.#openClaims(uid);
    const derived = after === undefined ? [] : deriveClaims(after, open === undefined);
    const wanted = new Map(derived.map((claim) => [claimKey(claim), claim]));
    const kept: Claim[] = [];
    for (const claim of open ?? []) {
      // A removal keeps the last state that was seen alive; an update hands over the newest, which says how it ended.
      if (after !== undefined) renewEntity(claim, after, seen);
      if (wanted.delete(claimKey(claim))) kept.push(claim);
      else this.#end(claim, seen, apiEndOf(claim.place, entity));
    }
    const opened = after === undefined ? [] : [...wanted.values()].map((claim) => this.#open(claim, after, seen));
    // A pod that finished keeps its place here, empty: an address it would get now is not its first one.
    if (after === undefined) this.#openByHolder.delete(uid);
    else if (kept.length + opened.length > 0 || open !== undefined) {
      // An array of exactly this length: one that grew by `push` holds room for 16 more.
      const all = kept.concat(opened);
      const [only] = all;
      this.#openByHolder.set(uid, only !== undefined && all.length === 1 ? only : all);
    }
    for (const { place } of opened) if (typeof place === 'string') this.#waiters.wake(place);
  }

  /** `undefined`: it never had one. */
  #openClaims(uid: string): readonly Claim[] | undefined {
    const open = this.#openByHolder.get(uid);
    return open instanceof Claim ? [open] : open;
  }

  #open(derived: DerivedClaim, entity: HolderEntity, seen: Observation): Claim {
    const isListed = seen.relisted === true || this.#startedMs === Number.POSITIVE_INFINITY;
    const claim = openClaim(derived, entity, seen, isListed);
    this.#timelines.add(placeKey(claim.place), claim);
    this.#openCount++;
    return claim;
  }

  #end(claim: Claim, seen: Observation, apiEndMs: number | undefined): void {
    endClaim(claim, seen, apiEndMs);
    if (claim.entity.kind === 'Pod' && !this.#nodeExists(claim.entity.nodeName))
      claim.leavingSeenMs = claim.knownFromMs;
    this.#timelines.end(placeKey(claim.place), claim);
    this.#openCount--;
    this.#ended.add(claim, seen.atMs);
  }

  #updateNode(before: HolderEntity | undefined, after: HolderEntity | undefined, seen: Observation): void {
    this.#sawNodes = true;
    if (after?.kind === 'Node') {
      this.#nodeUids.set(after.name, after.uid);
      this.#ranges.hold('pods', after.uid, after.podRanges, seen.atMs);
    } else if (before?.kind === 'Node' && this.#nodeUids.get(before.name) === before.uid) {
      this.#nodeUids.delete(before.name);
    }
    if (before?.kind === 'Node') {
      const kept = after?.kind === 'Node' ? after.podRanges : [];
      const released = before.podRanges.filter((range) => !kept.includes(range));
      this.#ranges.release('pods', before.uid, released, seen.atMs);
    }
  }
}

/** What claims are made of. A gap in the others (owners) hides nobody's address. */
export const CLAIMING_RESOURCES: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'nodes',
]);

/** Who has an address in one of these has it from the cluster's own ranges, known or not; others bring their own. */
const ROLES_OF_THE_CLUSTER: ReadonlySet<ClaimRole> = new Set(['POD_IP', 'CLUSTER_IP', 'NODE_ADDRESS', 'HOST_ADDRESS']);

function asHolder(entity: Entity | undefined): HolderEntity | undefined {
  return entity === undefined || entity.kind === 'Workload' ? undefined : entity;
}

/** Names a timeline. An address stands for itself: it has no space, the other names do, and its text is there already. */
function placeKey(place: ClaimPlace): string {
  if (typeof place === 'string') return place;
  switch (place.on) {
    case 'node-port':
      return `h ${place.nodeName} ${place.port}`;
    case 'every-node-port':
      return `p ${place.port}`;
    case 'node':
      return `n ${place.nodeName}`;
  }
}
