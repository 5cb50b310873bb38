// Load balancers that the API knows by host name only (AWS gives no address): resolves the names, and hands services
// with the addresses on to those who say who holds what.
//
// Entities stay as they are: what a name resolves to is not the API server's word, and two replicas may hear different
// answers. So a service with such addresses exists only for the claims on them, as `proxiedAddresses`: an object
// in the cluster that has the address comes first, because only a name server vouches for the answers. See
// name-lookup.ts for when addresses come and go.
//
// Bounded: names of one service and of all, addresses of a name, questions at once. Off unless configured.

import type { ChangeBatch, EntityChange } from '../model/changes.ts';
import type { Entity, ServiceEntity } from '../model/entities.ts';
import { parseIp } from '../model/ip/ip.ts';
import type { Observation } from '../model/observation.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseHostName } from './host-name.ts';
import { type LookupChange, type NameAnswer, NameLookup } from './name-lookup.ts';

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** Rejects when there is no answer; that a name does not exist is one. */
export type ResolveName = (name: string, family: Family) => Promise<NameAnswer>;

export interface BalancerNamesOptions {
  readonly resolve: ResolveName;
  readonly nowMs: () => number;
  /** Calls back once, after so many ms; returns what takes that back. */
  readonly setTimer: (callback: () => void, ms: number) => () => void;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  readonly count: (outcome: QueryOutcome) => void;
  readonly countCut: (addresses: number) => void;
  /** Services with other addresses than before. */
  readonly changed: (batch: ChangeBatch) => void;
  readonly maxNames?: number;
}

export const QUERY_OUTCOMES = ['answered', 'none', 'failed'] as const;
export type QueryOutcome = (typeof QUERY_OUTCOMES)[number];

export interface BalancerNamesSize {
  readonly names: number;
  readonly addresses: number;
  readonly failing: number;
  readonly leftOut: number;
  /** The last failure, while there is one. */
  readonly problem: string;
}

const MAX_NAMES = 1_000;
/** A load balancer has one; a status with more than that is somebody's attempt to fill the table. */
const MAX_NAMES_OF_SERVICE = 8;
/** Questions that are open at once. */
const MAX_OPEN = 16;
/** Between two looks at what is due. */
const BEAT_MS = 1_000;

interface FollowedName {
  readonly lookups: Readonly<Record<Family, NameLookup>>;
  readonly services: Set<string>;
}

interface FollowedService {
  /** As the catalog has it. */
  readonly entity: ServiceEntity;
  readonly names: readonly string[];
  /** As it was handed on last. */
  shown: ServiceEntity;
}

export class BalancerNames {
  readonly #options: BalancerNamesOptions;
  readonly #names = new Map<string, FollowedName>();
  readonly #services = new Map<string, FollowedService>();
  /** Names for which there is no room, with the services that have them. */
  readonly #leftOut = new Map<string, Set<string>>();
  #cutNames = 0;
  #open = 0;
  /** Before it nothing is due; ms since the epoch. */
  #dueMs = 0;
  #cancel: (() => void) | undefined;
  #problem = '';
  #isClosed = false;

  constructor(options: BalancerNamesOptions) {
    this.#options = options;
  }

  get size(): BalancerNamesSize {
    let [addresses, failing] = [0, 0];
    for (const { lookups } of this.#names.values()) {
      addresses += FAMILIES.reduce((sum, family) => sum + lookups[family].addresses.length, 0);
      if (FAMILIES.some((family) => lookups[family].isFailing)) failing += 1;
    }
    const leftOut = this.#leftOut.size + this.#cutNames;
    return { names: this.#names.size, addresses, failing, leftOut, problem: failing === 0 ? '' : this.#problem };
  }

  /** The batch with services as those who make claims are to see them. */
  show(batch: ChangeBatch): ChangeBatch {
    if (!batch.changes.some((change) => this.#concerns(change))) return batch;
    const changes = batch.changes.map((change): EntityChange => {
      if (!this.#concerns(change)) return change;
      const { before, after } = change;
      const shownBefore = (before && this.#services.get(before.uid)?.shown) ?? before;
      if (after?.kind === 'Service') return { ...change, before: shownBefore, after: this.#put(after) };
      if (before !== undefined) this.#release(before.uid);
      return { ...change, before: shownBefore };
    });
    return { ...batch, changes };
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #concerns({ before, after }: EntityChange): boolean {
    return hasNames(after) || (before?.kind === 'Service' && this.#services.has(before.uid));
  }

  #put(entity: ServiceEntity): ServiceEntity {
    const all = [...new Set((entity.loadBalancerHostnames ?? []).flatMap((text) => parseHostName(text) ?? []))];
    const names = all.slice(0, MAX_NAMES_OF_SERVICE);
    const { uid } = entity;
    const before = this.#services.get(uid);
    this.#cutNames += all.length - names.length - (before === undefined ? 0 : cutOf(before));
    for (const name of before?.names ?? NONE) if (!names.includes(name)) this.#releaseName(name, uid);
    if (names.length === 0) {
      this.#services.delete(uid);
      return entity;
    }
    for (const name of names) this.#follow(name, uid);
    const followed: FollowedService = { entity, names, shown: entity };
    this.#services.set(uid, followed);
    followed.shown = this.#shownOf(followed);
    return followed.shown;
  }

  #release(uid: string): void {
    const service = this.#services.get(uid);
    if (service === undefined) return;
    this.#services.delete(uid);
    this.#cutNames -= cutOf(service);
    for (const name of service.names) this.#releaseName(name, uid);
  }

  #follow(name: string, uid: string): void {
    const followed = this.#names.get(name);
    if (followed !== undefined) followed.services.add(uid);
    else if (this.#names.size >= (this.#options.maxNames ?? MAX_NAMES)) {
      const waiting = this.#leftOut.get(name);
      if (waiting === undefined) this.#leftOut.set(name, new Set([uid]));
      else waiting.add(uid);
    } else this.#begin(name, new Set([uid]));
  }

  #begin(name: string, services: Set<string>): void {
    const nowMs = this.#options.nowMs();
    this.#names.set(name, { lookups: { 4: new NameLookup(nowMs), 6: new NameLookup(nowMs) }, services });
    this.#dueMs = Math.min(this.#dueMs, nowMs);
    this.#schedule(0);
  }

  #releaseName(name: string, uid: string): void {
    const waiting = this.#leftOut.get(name);
    waiting?.delete(uid);
    if (waiting?.size === 0) this.#leftOut.delete(name);
    const followed = this.#names.get(name);
    followed?.services.delete(uid);
    if (followed?.services.size !== 0) return;
    this.#names.delete(name);
    const [next] = this.#leftOut;
    if (next === undefined) return;
    this.#leftOut.delete(next[0]);
    this.#begin(...next);
  }

  #shownOf({ entity, names }: Pick<FollowedService, 'entity' | 'names'>): ServiceEntity {
    const { loadBalancerAddresses, proxiedAddresses = NONE } = entity;
    const found = new Set(proxiedAddresses);
    for (const name of names) {
      const lookups = this.#names.get(name)?.lookups;
      if (lookups === undefined) continue;
      for (const family of FAMILIES) {
        // What the API gives as an address is redirected by nodes, whatever names resolve to.
        for (const each of lookups[family].addresses) if (!loadBalancerAddresses.includes(each)) found.add(each);
      }
    }
    return found.size === 0 ? entity : { ...entity, proxiedAddresses: [...found] };
  }

  #schedule(ms: number): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    this.#cancel = this.#options.setTimer(() => {
      this.#cancel = undefined;
      this.#askDue();
    }, ms);
  }

  /** What is due, as far as there is room; names take turns, so that those with short TTLs keep no other from its own. */
  #askDue(): void {
    if (this.#names.size > 0) this.#schedule(BEAT_MS);
    const nowMs = this.#options.nowMs();
    if (nowMs < this.#dueMs) return;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [name, followed] of this.#names) {
      let isAsked = false;
      for (const family of FAMILIES) {
        const lookup = followed.lookups[family];
        if (lookup.isAsked) continue;
        if (lookup.nextMs > nowMs) {
          dueMs = Math.min(dueMs, lookup.nextMs);
          continue;
        }
        // An answer makes room, and comes back here.
        if (this.#open >= MAX_OPEN) return;
        this.#ask(name, family, followed, lookup);
        isAsked = true;
      }
      if (!isAsked) continue;
      // Behind all others.
      this.#names.delete(name);
      this.#names.set(name, followed);
    }
    this.#dueMs = dueMs;
  }

  #ask(name: string, family: Family, followed: FollowedName, lookup: NameLookup): void {
    const { resolve, nowMs, random, count, countCut } = this.#options;
    lookup.isAsked = true;
    this.#open += 1;
    const end = (finish: () => LookupChange): void => {
      lookup.isAsked = false;
      this.#open -= 1;
      if (this.#isClosed) return;
      // Others may have begun to follow the name anew meanwhile.
      if (this.#names.get(name) === followed) {
        const wasFailing = this.size.failing > 0;
        const change = finish();
        countCut(change.cut);
        this.#tell(followed, change);
        this.#logTurn(wasFailing, name);
        this.#dueMs = Math.min(this.#dueMs, lookup.nextMs);
      }
      this.#askDue();
    };
    resolve(name, family).then(
      ({ addresses }) => {
        const canonical = addresses.flatMap(({ address, ttlSeconds }) => {
          const ip = parseIp(address);
          return ip === undefined ? [] : [{ address: ip, ttlSeconds }];
        });
        count(canonical.length === 0 ? 'none' : 'answered');
        end(() => lookup.answer({ addresses: canonical }, nowMs()));
      },
      (error: unknown) => {
        count('failed');
        this.#problem = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        end(() => lookup.fail(nowMs(), random()));
      },
    );
  }

  /** What ended and what came are two changes, because they happened in different stretches of time. */
  #tell(followed: FollowedName, { added, addedSinceMs, ended, endedSinceMs }: LookupChange): void {
    const atMs = this.#options.nowMs();
    if (ended.length > 0) this.#emit(followed, new Set(added), since(atMs, endedSinceMs));
    if (added.length > 0) this.#emit(followed, NO_ADDRESSES, since(atMs, addedSinceMs));
  }

  /** Hands on the services with the name, without these addresses. */
  #emit({ services }: FollowedName, without: ReadonlySet<string>, seen: Observation): void {
    const changes: EntityChange[] = [];
    for (const uid of services) {
      const service = this.#services.get(uid);
      if (service === undefined) continue;
      const before = service.shown;
      const whole = this.#shownOf(service);
      const own = service.entity.proxiedAddresses ?? NONE;
      const kept = whole.proxiedAddresses?.filter((each) => !without.has(each) || own.includes(each)) ?? NONE;
      service.shown = kept.length === 0 ? service.entity : { ...whole, proxiedAddresses: kept };
      changes.push({ sequence: 0, before, after: service.shown });
    }
    if (changes.length > 0) this.#options.changed({ changes, seen, position: POSITION });
  }

  /** When the first name begins to fail, and when none does any more. */
  #logTurn(wasFailing: boolean, name: string): void {
    const isFailing = this.size.failing > 0;
    if (isFailing === wasFailing) return;
    const { logger } = this.#options;
    if (isFailing) logger.warn({ name, problem: this.#problem }, 'a load balancer cannot be resolved');
    else logger.info({ names: this.#names.size }, 'all load balancers can be resolved');
  }
}

/** Not the API server's: no resume token tells of it. */
const POSITION = { resource: 'load balancer names', resourceVersion: '' };
const NONE: readonly string[] = Object.freeze([]);
const NO_ADDRESSES: ReadonlySet<string> = new Set();

function hasNames(entity: Entity | undefined): boolean {
  return entity?.kind === 'Service' && entity.loadBalancerHostnames !== undefined;
}

function cutOf({ entity, names }: FollowedService): number {
  const all = new Set((entity.loadBalancerHostnames ?? []).flatMap((text) => parseHostName(text) ?? []));
  return all.size - names.length;
}

function since(atMs: number, sinceMs: number | undefined): Observation {
  return sinceMs === undefined || sinceMs >= atMs ? { atMs } : { atMs, sinceMs };
}
