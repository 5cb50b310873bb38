// Custom kinds that own pods: Rollouts, CloneSets, and others that operators bring.
//
// A kind is wanted when an owner reference names it. Discovery tells where its objects are; then they are watched like
// every owner, as metadata only. A kind that discovery does not know is asked for again, less and less often, because
// definitions come and go; what RBAC forbids is the reflector's to report and to try again. Until either works, the
// owner stays what its reference tells, marked incomplete. One log line for each kind.
//
// References are written by tenants, so nothing here may grow with them: at most `maxKinds` kinds have a place, each of
// which costs a watch; beyond it a kind takes the place of one that was not found, or whose definition is gone, or is
// counted and left incomplete. A kind that is gone keeps its place until another needs it, because definitions that are
// replaced come back.
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
  /** Called for each kind that discovery found, with where its objects are, and how to find out where they went. */
  readonly watch: (
    resource: ResourceDescriptor<OwnerRecord>,
    relocate: () => Promise<Relocation<OwnerRecord>>,
  ) => CustomWatch;
}

export interface CustomWatch {
  /** The server gives what is asked for. */
  isUp(): boolean;
  /** Resolves when nothing of the kind is written any more: another watch of it may follow then. */
  stop(): Promise<void>;
}

/** For metrics. */
export interface CustomKindsStats {
  readonly watched: number;
  /** Watched once, and not served any more. */
  readonly gone: number;
  /** Wanted, and not found yet or not served at all. */
  readonly undiscovered: number;
  /** Wishes that were turned down because of the bound. */
  readonly ignored: number;
  /** Places of kinds that were gone that others took. */
  readonly givenBack: number;
}

/** A cluster has a handful; but anyone who may create pods can refer to any number of them. */
export const MAX_CUSTOM_KINDS = 16;

/**
 * Of each kind that had a place an empty table stays, and its position in tokens. Definitions are changed by
 * administrators, and this many of theirs come and go in no process's life.
 */
const MAX_GIVEN_BACK = 64;

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
  /** `missing`: asked for and not found. `gone`: found, and not served any more. Another kind may take their places. */
  state: 'asking' | 'missing' | 'watched' | 'gone';
  readonly forgotten: AbortController;
  /** Once it is watched. */
  found: { readonly kind: OwnerKind; readonly watch: CustomWatch } | undefined;
}

export class CustomKinds {
  readonly #options: CustomKindsOptions;
  /** By `group/kind`: versions are views of the same objects. */
  readonly #kinds = new Map<string, CustomKind>();
  readonly #asking = new Set<Promise<void>>();
  readonly #refused = new RefusedKinds();
  /** When the next question may be asked: it runs ahead of the clock by the questions of a burst at most. */
  #nextQuestionMs = 0;
  /** Kinds that lost their places, until their watches have ended. */
  readonly #leaving = new Map<string, Promise<void>>();
  #ignored = 0;
  #givenBack = 0;
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
    if (this.#kinds.size >= this.#options.maxKinds && !this.#makeRoom()) {
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
    return [...this.#kinds.values()].flatMap(({ found }) => (found === undefined ? [] : [found.kind]));
  }

  stats(): CustomKindsStats {
    let [watched, gone] = [0, 0];
    for (const entry of this.#kinds.values()) {
      if (isGone(entry)) gone += 1;
      else if (entry.found !== undefined) watched += 1;
    }
    const undiscovered = this.#kinds.size - watched - gone;
    return { watched, gone, undiscovered, ignored: this.#ignored, givenBack: this.#givenBack };
  }

  /** Resolves when nothing is asked for any more; `stopping` has to be aborted. */
  async stopped(): Promise<void> {
    await Promise.all([...this.#asking, ...this.#leaving.values()]);
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
          // Two watches of one kind at a time would write to one store.
          await this.#leaving.get(key);
          if (signal.aborted) return;
          entry.state = 'watched';
          this.#refused.forget(key);
          const { version, plural, namespaced } = found;
          logger.info(
            { apiVersion, kind, resource: plural, version },
            'a custom kind owns pods: watching its metadata',
          );
          const group = groupOf(apiVersion);
          const watch = this.#options.watch(
            owner(group, version, plural, kind, namespaced),
            this.#relocator(apiVersion, kind, entry),
          );
          entry.found = { kind: { group, kind, namespaced }, watch };
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
  #relocator(apiVersion: string, kind: string, entry: CustomKind): () => Promise<Relocation<OwnerRecord>> {
    let asking: Promise<Relocation<OwnerRecord>> | undefined;
    return () =>
      (asking ??= this.#relocate(apiVersion, kind, entry)
        .then((where) => {
          if (where !== undefined) entry.state = where === 'gone' ? 'gone' : 'watched';
          return where;
        })
        .finally(() => (asking = undefined)));
  }

  async #relocate(apiVersion: string, kind: string, entry: CustomKind): Promise<Relocation<OwnerRecord>> {
    const { transport, clock, stopping } = this.#options;
    const signal = AbortSignal.any([stopping, entry.forgotten.signal]);
    await this.#turn(signal);
    if (signal.aborted) return undefined;
    try {
      const found = await discoverKind({ transport, clock, signal }, apiVersion, kind);
      if (found === undefined) return 'gone';
      return owner(groupOf(apiVersion), found.version, found.plural, kind, found.namespaced);
    } catch (error) {
      if (signal.aborted) return undefined;
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

  #makeRoom(): boolean {
    const entries = [...this.#kinds];
    const missing = entries.find(([, { state }]) => state === 'missing');
    if (missing !== undefined) {
      this.#forget(...missing);
      return true;
    }
    const gone = this.#givenBack < MAX_GIVEN_BACK ? entries.find(([, entry]) => isGone(entry)) : undefined;
    if (gone === undefined) return false;
    this.#giveBack(...gone);
    return true;
  }

  #forget(key: string, { forgotten }: CustomKind): void {
    forgotten.abort();
    this.#kinds.delete(key);
  }

  #giveBack(key: string, entry: CustomKind): void {
    const { clock, random, logger } = this.#options;
    this.#forget(key, entry);
    this.#givenBack += 1;
    // Pods may still refer to it: it is not to take the next place at once.
    this.#refused.refuse(key, clock.now(), random);
    const left = Promise.resolve(entry.found?.watch.stop()).finally(() => this.#leaving.delete(key));
    this.#leaving.set(key, left);
    logger.info({ kind: key }, 'a custom kind that is not served any more gives its place to another');
  }
}

/** One that came back under the path that is known is watched again without a question. */
function isGone({ state, found }: CustomKind): boolean {
  return state === 'gone' && found?.watch.isUp() !== true;
}
