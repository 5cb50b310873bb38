// Reflector: keeps a store equal to one resource of the API server, by list and watch.
//
//   idle ──start──▶ listing ──committed──▶ watching ──clean end──▶ watching …
//                      ▲  │ failed            │ failed
//                      │  ▼                   ▼
//                      └── backing-off ◀──────┘        any ──stop──▶ stopped
//
// (A streamed list is listing and watching in one request: the state changes at its final bookmark.)
//
// Two facts are kept between rounds: the version to go on from, and whether a list is due. Every class of failure
// (failure.ts) says which of the two it changes and how long to wait; that table is `#answer`. Promises: nothing is
// skipped; the store is written by nobody else; a failed list leaves the store as it was; a watch only ever goes on
// from a version whose every event is in the store. Refuses: to guess that a silent server is fine beyond `timeoutSeconds`.

import type { Observation } from '../model/observation.ts';
import type { KubernetesRecord } from '../model/records.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Backoff, RELIEF_CAP_MS } from './backoff.ts';
import { type Clock, type Random, sleep } from './clock.ts';
import { ApiError, type Failure, type FailureKind, ShortWatchError, toFailure } from './failure.ts';
import { InitialEvents } from './initial-events.ts';
import { type RequestContext, requestList, requestWatch } from './requests.ts';
import type { ResourceDescriptor } from './resources.ts';
import type { ServerContact } from './server-contact.ts';
import { SilenceGuard } from './silence-guard.ts';
import type { ReflectorStatus, ReflectorState } from './status.ts';
import type { ReflectorStore } from './store.ts';
import type { Transport } from './transport.ts';
import type { WatchEvent } from './watch-body.ts';

export interface ReflectorOptions<R extends KubernetesRecord> {
  readonly resource: ResourceDescriptor<R>;
  /** Unset: all namespaces. */
  readonly namespace?: string;
  readonly store: ReflectorStore<R>;
  readonly transport: Transport;
  readonly contact: ServerContact;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Stream the initial list where the server can (KEP-3157); false: always list in pages. Default: true. */
  readonly streamInitialList?: boolean;
  /** Called after each change of what `status()` says about state, sync and blindness. */
  readonly onStatusChange: () => void;
}

/** client-go's page size; 500 pods are about 3 MB. */
const PAGE_LIMIT = 500;
/** Watches end in between, spread so that a server's clients do not all come back at once (client-go: 5–10 min). */
const MIN_WATCH_SECONDS = 300;
const MAX_WATCH_SECONDS = 600;
/**
 * A streamed list must be complete by then (100,000 pods take 15 s), and may not pause for longer than the other.
 * Old servers ignore the parameter and some proxies lose the bookmark: then the plain list is next.
 */
const INITIAL_EVENTS_DEADLINE_MS = 180_000;
const INITIAL_EVENTS_SILENCE_MS = 20_000;
/** How much longer than asked a watch may last before the peer counts as gone. */
const WATCH_OVERTIME_MS = 30_000;
/** A list has no business being silent; the server itself gives a request 60 s. */
const LIST_SILENCE_MS = 60_000;
/** client-go: a watch that ends within a second without an event was not ended on purpose. */
const SHORT_WATCH_MS = 1_000;
/**
 * A server sends what a resumed watch missed at once and without pauses. So after this much silence, or at a bookmark,
 * everything from the gap has come; until then an event may be as old as the gap, and says so in `sinceMs`.
 */
const CAUGHT_UP_SILENCE_MS = 2_000;
/** On a busy resource there is no silence; by then even the whole watch cache of a server has been sent. */
const CAUGHT_UP_AT_LATEST_MS = 5_000;
/** A gap that is shorter than the resolution of API times (1 s) is none: a planned end and the watch after it. */
const GAP_MS = 1_000;
/** A connection that ends with an error was alive this long ago, or TCP keepalive would have ended it before. */
const UNNOTICED_MS = 30_000;

export class Reflector<R extends KubernetesRecord> {
  readonly #options: ReflectorOptions<R>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  /** Until the server turns out not to stream lists. */
  #streams: boolean;
  #resource: ResourceDescriptor<R>;
  #running: Promise<void> | undefined;

  #state: ReflectorState = 'idle';
  /** Last version whose every event is in the store; `undefined` before the first list. */
  #version: string | undefined;
  #listDue = true;
  /** The next list must be a quorum read: the server cannot serve our version. */
  #latestDue = false;
  /** This server pages even at version "0", so it has no watch cache: keep paging always. */
  #pagesAtZero = false;
  /** A watch held since the last list: an expired version is then no sign of a loop. */
  #progressed = true;
  #refusedCredentials = false;
  /** When we last knew the resource to be up to date; unset while nobody is blind. */
  #blindSinceMs: number | undefined;

  #synced = false;
  #unavailable = false;
  #message = '';
  /** Reason of the trouble that was logged; cleared when its end is. */
  #loggedTrouble = '';
  #troubleSinceMs = 0;
  #lastContactMs: number | undefined;
  #lastChangeMs: number | undefined;
  #lists = 0;
  #watches = 0;
  #events = 0;
  readonly #restarts = new Map<string, number>();

  constructor(options: ReflectorOptions<R>) {
    this.#options = options;
    this.#resource = options.resource;
    this.#streams = options.streamInitialList ?? true;
    this.#clock = options.clock;
    this.#log = options.logger.child({ resource: options.resource.resource });
    this.#backoff = new Backoff(RELIEF_CAP_MS, options.random);
  }

  /** Returns at once. A bug in here or in the store rejects `stopped` and, unhandled, ends the process. */
  start(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#running = this.#run();
  }

  /** Resolves when the store will not be written any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#become('stopped');
  }

  status(): ReflectorStatus {
    return {
      resource: this.#options.resource.resource,
      required: this.#options.resource.required,
      state: this.#state,
      synced: this.#synced,
      unavailable: this.#unavailable,
      blindSinceMs: this.#blindSinceMs,
      lastContactMs: this.#lastContactMs,
      lastChangeMs: this.#lastChangeMs,
      lists: this.#lists,
      watches: this.#watches,
      restarts: new Map(this.#restarts),
      events: this.#events,
      message: this.#message,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (!this.#listDue && this.#version !== undefined) await this.#watch(this.#version, undefined);
        else if (this.#streams) await this.#streamList();
        else await this.#list();
      } catch (error) {
        if (signal.aborted) break;
        await this.#answer(toFailure(error));
      }
    }
    this.#become('stopped');
  }

  /** One request for the list and the watch that follows it. */
  async #streamList(): Promise<void> {
    this.#become('listing');
    this.#lists += 1;
    const initial = new InitialEvents(this.#options.store);
    try {
      // Without a version the server reads the latest one from etcd, so the list is no older than the request.
      await this.#watch(this.#latestDue ? '' : (this.#version ?? ''), initial);
    } finally {
      if (this.#listDue) initial.abort();
    }
  }

  async #list(): Promise<void> {
    this.#become('listing');
    const startMs = this.#clock.now();
    const resourceVersion = this.#latestDue ? '' : (this.#version ?? '0');
    const atWill = resourceVersion === '' || resourceVersion === '0';
    const limit = atWill || this.#pagesAtZero ? PAGE_LIMIT : 0;
    try {
      await this.#listOnce(resourceVersion, limit, startMs);
    } catch (error) {
      // Pages are one picture of one moment; when the server forgot that moment, only an unpaged list is consistent.
      if (!(error instanceof ExpiredContinueError)) throw error;
      this.#count('expired_continue');
      await this.#listOnce(resourceVersion, 0, startMs);
    }
  }

  async #listOnce(resourceVersion: string, limit: number, startMs: number): Promise<void> {
    this.#lists += 1;
    const replacement = this.#options.store.beginReplace();
    const guard = new SilenceGuard(this.#clock, this.#stopping.signal);
    const context = this.#context(guard, LIST_SILENCE_MS);
    let version = '';
    let count = 0;
    try {
      let continueToken = '';
      do {
        guard.expectWithin(LIST_SILENCE_MS, 'a list was silent for too long');
        const page = await requestList(context, { resourceVersion, limit, continueToken }, (record) => {
          count += 1;
          replacement.add(record);
        }).catch((error: unknown) => {
          const expired = continueToken !== '' && error instanceof ApiError && toFailure(error).kind === 'expired';
          throw expired ? new ExpiredContinueError(error.status, 'next page') : guard.explain(error);
        });
        // All pages show the state of the first one's version.
        if (version === '') version = page.resourceVersion;
        continueToken = page.continueToken;
        if (continueToken !== '' && resourceVersion === '0') this.#pagesAtZero = true;
      } while (continueToken !== '');
      this.#stopping.signal.throwIfAborted();
    } catch (error) {
      replacement.abort();
      throw error;
    } finally {
      guard.end();
    }
    await replacement.commit(version, this.#seenByList());
    this.#listed(version, count, startMs);
    this.#healthy();
  }

  /** A list was committed. */
  #listed(version: string, objects: number, startMs: number): void {
    this.#version = version;
    this.#listDue = false;
    this.#latestDue = false;
    this.#progressed = false;
    this.#lastChangeMs = this.#clock.now();
    this.#log.info({ objects, resourceVersion: version }, this.#synced ? 'listed again' : 'first list applied');
    this.#synced = true;
    // What the watch brings first came about after the list was asked for.
    this.#blind(startMs);
  }

  /** Watches until the server ends it; with `initial`, first takes the list from the same stream. */
  async #watch(resourceVersion: string, initial: InitialEvents<R> | undefined): Promise<void> {
    const { random, store } = this.#options;
    if (initial === undefined) this.#become('watching');
    this.#watches += 1;
    const startMs = this.#clock.now();
    const timeoutSeconds = MIN_WATCH_SECONDS + Math.floor(random() * (MAX_WATCH_SECONDS - MIN_WATCH_SECONDS + 1));
    const guard = new SilenceGuard(this.#clock, this.#stopping.signal);
    guard.endAfter(timeoutSeconds * 1000 + WATCH_OVERTIME_MS, 'a watch outlived its timeout: the peer is gone');
    if (initial !== undefined) guard.expectBy(INITIAL_EVENTS_DEADLINE_MS, 'a streamed list did not come to its end');
    let caughtUpTimer = () => {};
    const caughtUp = () => {
      caughtUpTimer();
      caughtUpTimer = () => {};
      this.#blind(undefined);
      this.#progressed = true;
      this.#logRecovery();
    };
    const serving = () => {
      if (this.#blindSinceMs === undefined) return;
      if (this.#clock.now() - this.#blindSinceMs < GAP_MS) this.#blind(undefined);
      else cancelLatest = this.#clock.setTimer(caughtUp, CAUGHT_UP_AT_LATEST_MS);
    };
    let cancelLatest = () => {};
    const awaitSilence = () => {
      if (this.#state === 'listing') {
        guard.expectWithin(INITIAL_EVENTS_SILENCE_MS, 'a streamed list paused for too long');
        return;
      }
      if (this.#blindSinceMs === undefined && this.#loggedTrouble === '') return;
      caughtUpTimer();
      caughtUpTimer = this.#clock.setTimer(caughtUp, CAUGHT_UP_SILENCE_MS);
    };
    const context = {
      ...this.#context(guard, 0),
      onContact: () => {
        this.#lastContactMs = this.#clock.now();
        awaitSilence();
      },
    };
    let quiet = true;
    try {
      const watch = await requestWatch(context, {
        resourceVersion,
        timeoutSeconds,
        sendInitialEvents: initial !== undefined,
      });
      this.#healthy();
      if (initial === undefined) serving();
      for await (const events of watch) {
        for (const event of events) {
          quiet = false;
          if (this.#state !== 'listing' || initial === undefined) this.#apply(event, store);
          else if (await this.#applyInitial(event, initial, startMs)) {
            guard.expectNothing();
            serving();
          }
          if (event.type === 'BOOKMARK' && this.#state === 'watching') caughtUp();
        }
      }
      // The end itself was a sign of life: nobody was blind before it.
      this.#lastContactMs = this.#clock.now();
    } catch (error) {
      const explained = guard.explain(error);
      // A silent peer may have been gone since its last word; one that was there to be cut off has told everything.
      const aliveMs = explained === error ? this.#clock.now() - UNNOTICED_MS : 0;
      this.#blindSinceMs ??= Math.max(this.#lastContactMs ?? 0, aliveMs);
      throw explained;
    } finally {
      caughtUpTimer();
      cancelLatest();
      guard.end();
      this.#blind(this.#blindSinceMs ?? this.#lastContactMs);
    }
    if (this.#state === 'listing')
      throw new ShortWatchError(`watch ${this.#resource.resource}: ended in its initial list`);
    const lastedMs = this.#clock.now() - startMs;
    if (quiet && lastedMs < SHORT_WATCH_MS) {
      throw new ShortWatchError(`watch ${this.#resource.resource}: ended after ${lastedMs} ms without an event`);
    }
  }

  /** True: the list is complete and the rest of the stream is an ordinary watch. */
  async #applyInitial(event: WatchEvent<R>, initial: InitialEvents<R>, startMs: number): Promise<boolean> {
    this.#events += 1;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        initial.take(event);
        return false;
      case 'BOOKMARK':
        // An ordinary bookmark says nothing about the initial events.
        if (!event.initialEventsEnd) return false;
        this.#stopping.signal.throwIfAborted();
        await initial.commit(event.resourceVersion, () => this.#seenByList());
        this.#listed(event.resourceVersion, initial.objects, startMs);
        this.#become('watching');
        return true;
      case 'ERROR':
        throw new ApiError(event.status, `watch ${this.#resource.resource}`);
      default:
        return event satisfies never;
    }
  }

  #apply(event: WatchEvent<R>, store: ReflectorStore<R>): void {
    this.#events += 1;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        store.upsert(event.record, event.resourceVersion, this.#seen());
        this.#lastChangeMs = this.#clock.now();
        break;
      case 'DELETED':
        store.remove(event.record, event.resourceVersion, this.#seen());
        this.#lastChangeMs = this.#clock.now();
        break;
      case 'BOOKMARK':
        store.bookmark(event.resourceVersion);
        break;
      case 'ERROR':
        throw new ApiError(event.status, `watch ${this.#resource.resource}`);
      default:
        event satisfies never;
    }
    this.#version = event.resourceVersion;
    this.#progressed = true;
    this.#refusedCredentials = false;
  }

  /** The table of answers: what is due next, and after how long. */
  async #answer(failure: Failure): Promise<void> {
    const listing = this.#state === 'listing';
    // Asking for the latest, or listing again, did not help: then at once would mean a loop.
    const inVain = listing ? this.#latestDue : !this.#progressed;
    this.#count(failure.kind);
    this.#message = failure.message;
    if (listing && this.#streams && NO_STREAMED_LIST.has(failure.kind)) {
      this.#streams = false;
      this.#log.info({ reason: failure.kind, error: failure.message }, 'no streamed list to be had, listing in pages');
      return;
    }
    switch (failure.kind) {
      case 'expired':
        // A watch's version expired: list at it, which any server that is not behind can do. A list's: ask for the latest.
        if (listing) this.#latestDue = true;
        this.#listDue = true;
        return inVain ? this.#backOff(failure) : undefined;
      case 'version_too_large':
        this.#listDue = true;
        this.#latestDue = true;
        return inVain ? this.#backOff(failure) : undefined;
      case 'rejected':
        // Perhaps it is our version that the server cannot read.
        this.#listDue = true;
        this.#latestDue = true;
        return this.#backOff(failure);
      case 'store_read_error':
        this.#listDue = true;
        return this.#backOff(failure);
      case 'throttled':
      case 'server_error':
      case 'undecodable':
      case 'short_watch':
      case 'credentials':
        return this.#backOff(failure);
      case 'unreachable':
      case 'stalled':
        this.#become('backing-off');
        this.#logTrouble(failure);
        return this.#untilStopped(this.#options.contact.waitUntilReachable(failure.message));
      case 'unauthorized':
        this.#options.transport.discardCredentials();
        if (this.#refusedCredentials) return this.#backOff(failure);
        this.#refusedCredentials = true;
        return;
      case 'not_found':
      case 'forbidden':
        if (failure.kind === 'not_found' && this.#fallBack()) return;
        this.#unavailable = true;
        return this.#backOff(failure);
      default:
        failure.kind satisfies never;
    }
  }

  /** Watches the other resource that says the same, where the server does not know this one. */
  #fallBack(): boolean {
    const { fallback } = this.#resource;
    if (fallback === undefined || this.#synced) return false;
    this.#log.warn(
      { instead: fallback.resource },
      'the API server does not serve this resource, watching another instead',
    );
    this.#resource = fallback;
    return true;
  }

  async #backOff(failure: Failure): Promise<void> {
    this.#become('backing-off');
    const delayMs = Math.max(this.#backoff.nextMs(this.#clock.now()), failure.retryAfterMs);
    this.#logTrouble(failure);
    await sleep(this.#clock, delayMs, this.#stopping.signal);
  }

  #untilStopped(wait: Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve, reject) => {
      const finish = () => resolve();
      signal.addEventListener('abort', finish, { once: true });
      wait.then(finish, reject).finally(() => signal.removeEventListener('abort', finish));
    });
  }

  #context(guard: SilenceGuard, silenceMs: number): RequestContext<R> {
    return {
      transport: this.#options.transport,
      resource: this.#resource,
      namespace: this.#options.namespace,
      signal: guard.signal,
      onContact: () => {
        this.#lastContactMs = this.#clock.now();
        if (silenceMs > 0) guard.expectWithin(silenceMs, 'a list was silent for too long');
      },
    };
  }

  #seen(): Observation {
    const atMs = this.#clock.now();
    return this.#blindSinceMs === undefined ? { atMs } : { atMs, sinceMs: Math.min(this.#blindSinceMs, atMs) };
  }

  /** Between the last word before the gap and this list, objects may have come and gone unheard of. */
  #seenByList(): Observation {
    const seen = this.#seen();
    return seen.sinceMs === undefined ? seen : { ...seen, relisted: true };
  }

  /** The server gave what was asked for. */
  #healthy(): void {
    this.#unavailable = false;
    this.#message = '';
    this.#options.onStatusChange();
  }

  #become(state: ReflectorState): void {
    this.#state = state;
    this.#options.onStatusChange();
  }

  #blind(sinceMs: number | undefined): void {
    this.#blindSinceMs = sinceMs;
    this.#options.onStatusChange();
  }

  #count(reason: string): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1);
  }

  /** Transitions only: the same trouble again is counted, not logged. */
  #logTrouble(failure: Failure): void {
    if (this.#loggedTrouble === failure.kind) return;
    if (this.#loggedTrouble === '') this.#troubleSinceMs = this.#clock.now();
    this.#loggedTrouble = failure.kind;
    const meaning = this.#synced ? 'answers go on from the last known state' : 'not synced yet';
    // An outage is the whole cluster's, and the probe speaks for it.
    const level = failure.kind === 'unreachable' ? 'debug' : 'warn';
    this.#log[level]({ reason: failure.kind, error: failure.message }, `cannot follow the API server: ${meaning}`);
  }

  #logRecovery(): void {
    if (this.#loggedTrouble === '') return;
    const afterMs = this.#clock.now() - this.#troubleSinceMs;
    const level = this.#loggedTrouble === 'unreachable' ? 'debug' : 'info';
    this.#log[level]({ reason: this.#loggedTrouble, afterMs }, 'following the API server again');
    this.#loggedTrouble = '';
  }
}

/**
 * Failures of a streamed list after which the plain list is tried, for good: the server does not know how, or does it
 * in a way that we do not understand. After the others the same is asked for again.
 */
const NO_STREAMED_LIST: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'rejected',
  'server_error',
  'store_read_error',
  'undecodable',
  'short_watch',
  'stalled',
]);

/** The server forgot the moment that a paged list shows. */
class ExpiredContinueError extends ApiError {}
