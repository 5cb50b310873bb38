// Custom kinds that own pods: Rollouts, CloneSets, and others that operators bring.
//
// A kind is wanted when an owner reference names it. Discovery tells where its objects are; then they are watched like
// every owner, as metadata only. A kind that discovery does not know is asked for again, less and less often, because
// definitions come and go; what RBAC forbids is the reflector's to report and to try again. Until either works, the
// owner stays what its reference tells, marked incomplete. One log line for each kind.
//
// References are written by tenants, so nothing here may grow with them: at most `maxKinds` kinds have a place, each of
// which costs a watch; beyond it a kind takes the place of one that was not found, or is counted and left incomplete.
// Refusals are remembered (refused-kinds.ts), and all questions together come no faster than DISCOVERY_INTERVAL_MS
// after a first handful. Refuses Secrets and ConfigMaps, whatever a reference calls them.

import { groupOf } from '../model/kubernetes/api-version.ts';
import type { OwnerRecord } from '../model/kubernetes/records.ts';
import type { Asking } from './asking.ts';
import { sleep } from './clock.ts';
import { discoverKind } from './discovery.ts';
import { ApiError, toFailure } from './reflector/failure.ts';
import { RefusedKinds } from './refused-kinds.ts';
import { isWatchedKind, owner, type OwnerKind, type ResourceDescriptor } from './resources.ts';
import type { Relocation } from './reflector/whereabouts.ts';

export interface CustomKindsOptions extends Asking {
  /** Beyond it kinds are left incomplete. */
  readonly maxKinds: number;
  /** Called once for each kind that discovery found, with where its objects are, and how to find out where they went. */
  readonly watch: (resource: ResourceDescriptor<OwnerRecord>, relocate: () => Promise<Relocation<OwnerRecord>>) => void;
}

/** For metrics. */
export interface CustomKindsStats {
  readonly watched: number;
  /** Wanted, and not found yet or not served at all. */
  readonly undiscovered: number;
  /** Wishes that were turned down because of the bound. */
  readonly ignored: number;
}

/** A cluster has a handful; but anyone who may create pods can refer to any number of them. */
export const MAX_CUSTOM_KINDS = 16;

/** At most one question a second, whatever the number of kinds; a cluster's own handful is asked for at once. */
const DISCOVERY_INTERVAL_MS = 1_000;
const DISCOVERY_BURST = 8;

/** Never read, whatever a reference or a role says. */
const REFUSED = new Set(['/Secret', '/ConfigMap']);

/**
 * `v1`, `example.dev/v1alpha1`. Kubernetes does not validate owner references: only a valid group and version gets into
 * a path.
 */
const GROUP_VERSION = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

interface CustomKind {
  /** `missing`: asked for and not found; another kind may take the place. */
  state: 'asking' | 'missing' | 'watched';
  readonly forgotten: AbortController;
  /** Once it is watched. */
  found: OwnerKind | undefined;
}

export class CustomKinds {
  readonly #options: CustomKindsOptions;
  /** By `group/kind`: versions are views of the same objects. */
  readonly #kinds = new Map<string, CustomKind>();
  readonly #asking = new Set<Promise<void>>();
  readonly #refused = new RefusedKinds();
  /** When the next question may be asked: it runs ahead of the clock by the questions of a burst at most. */
  #nextQuestionMs = 0;
  #ignored = 0;
  #saidFull = false;

  constructor(options: CustomKindsOptions) {
    this.#options = options;
  }

  /** A reference to this kind was seen; cheap, and repeating it does nothing. */
  want(apiVersion: string, kind: string): void {
    if (isWatchedKind(apiVersion, kind) || !GROUP_VERSION.test(apiVersion) || this.#options.stopping.aborted) return;
    const key = `${groupOf(apiVersion)}/${kind}`;
    if (this.#kinds.has(key) || REFUSED.has(key)) return;
    // Not found a while ago, and its place was given away: not yet.
    if (this.#refused.notBeforeMs(key) > this.#options.clock.now()) {
      this.#ignored += 1;
      return;
    }
    if (this.#kinds.size >= this.#options.maxKinds && !this.#forgetMissing()) {
      this.#ignored += 1;
      if (!this.#saidFull) {
        this.#saidFull = true;
        this.#options.logger.warn(
          { apiVersion, kind, max: this.#options.maxKinds },
          'too many custom kinds own pods: objects of the kinds beyond stay incomplete',
        );
      }
      return;
    }
    const entry: CustomKind = { state: 'asking', forgotten: new AbortController(), found: undefined };
    this.#kinds.set(key, entry);
    const asking = this.#find(key, apiVersion, kind, entry).finally(() => this.#asking.delete(asking));
    this.#asking.add(asking);
  }

  /** Kinds that were found, in the order in which they were wanted. */
  watched(): readonly OwnerKind[] {
    return [...this.#kinds.values()].flatMap(({ found }) => (found === undefined ? [] : [found]));
  }

  stats(): CustomKindsStats {
    let watched = 0;
    for (const { state } of this.#kinds.values()) if (state === 'watched') watched += 1;
    return { watched, undiscovered: this.#kinds.size - watched, ignored: this.#ignored };
  }

  /** Resolves when nothing is asked for any more; `stopping` has to be aborted. */
  async stopped(): Promise<void> {
    await Promise.all(this.#asking);
  }

  /** Asks until the kind is found, or its place is needed. */
  async #find(key: string, apiVersion: string, kind: string, entry: CustomKind): Promise<void> {
    const { transport, contact, clock, random, stopping, logger } = this.#options;
    const signal = AbortSignal.any([stopping, entry.forgotten.signal]);
    for (;;) {
      await this.#turn(signal);
      if (signal.aborted) return;
      let problem = `the API server serves no ${kind} of ${apiVersion} that can be listed and watched`;
      try {
        const found = await discoverKind({ transport, clock, signal }, apiVersion, kind);
        if (found !== undefined) {
          entry.state = 'watched';
          this.#refused.forget(key);
          const { version, plural, namespaced } = found;
          entry.found = { group: groupOf(apiVersion), kind, namespaced };
          logger.info(
            { apiVersion, kind, resource: plural, version },
            'a custom kind owns pods: watching its metadata',
          );
          this.#options.watch(
            owner(groupOf(apiVersion), version, plural, kind, namespaced),
            this.#relocator(apiVersion, kind),
          );
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        const failure = toFailure(error);
        if (failure.kind === 'unreachable') {
          await contact.waitUntilReachable(failure.message);
          continue;
        }
        if (!(error instanceof ApiError) || error.status.code !== 404) problem = failure.message;
      }
      entry.state = 'missing';
      const may = this.#refused.mayLog(key);
      if (may !== 'no') {
        const also = may === 'last' ? '; further kinds are counted only' : '';
        const message = `a custom kind that owns pods cannot be found: left incomplete${also}`;
        logger.warn({ apiVersion, kind, error: problem }, message);
      }
      const notBeforeMs = this.#refused.refuse(key, clock.now(), random);
      await sleep(clock, notBeforeMs - clock.now(), signal);
    }
  }

  /** Asks again where a kind is that was found; of those who ask at the same time, one does. */
  #relocator(apiVersion: string, kind: string): () => Promise<Relocation<OwnerRecord>> {
    let asking: Promise<Relocation<OwnerRecord>> | undefined;
    return () => (asking ??= this.#relocate(apiVersion, kind).finally(() => (asking = undefined)));
  }

  async #relocate(apiVersion: string, kind: string): Promise<Relocation<OwnerRecord>> {
    const { transport, clock, stopping } = this.#options;
    await this.#turn(stopping);
    if (stopping.aborted) return undefined;
    try {
      const found = await discoverKind({ transport, clock, signal: stopping }, apiVersion, kind);
      if (found === undefined) return 'gone';
      return owner(groupOf(apiVersion), found.version, found.plural, kind, found.namespaced);
    } catch (error) {
      if (stopping.aborted) return undefined;
      // A group that is not served has no kinds; what else went wrong says nothing of them.
      const { kind: failure } = toFailure(error);
      return failure === 'not_found' ? 'gone' : undefined;
    }
  }

  /** Resolves when it is this question's turn, or the signal aborts. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.now();
    const earliestMs = nowMs - DISCOVERY_BURST * DISCOVERY_INTERVAL_MS;
    this.#nextQuestionMs = Math.max(this.#nextQuestionMs, earliestMs) + DISCOVERY_INTERVAL_MS;
    if (this.#nextQuestionMs > nowMs) await sleep(clock, this.#nextQuestionMs - nowMs, signal);
  }

  #forgetMissing(): boolean {
    for (const [key, { state, forgotten }] of this.#kinds) {
      if (state !== 'missing') continue;
      forgotten.abort();
      this.#kinds.delete(key);
      return true;
    }
    return false;
  }
}
