// Reflector: keeps a store equal to one resource of the API server, by list and watch.
//
//   idle ──start──▶ listing ──committed──▶ watching ──good end───▶ watching …
//                      ▲  │ failed            │ failed
//                      │  ▼                   ▼
//                      └── backing-off ◀──────┘        any ──stop──▶ stopped
//
// (A streamed list is listing and watching in one request: the state changes at its final bookmark.)
//
// Between rounds there is a position (position.ts): the version to go on from, and whether a list is due. Every class
// of failure (failure.ts) has an answer (failure-answers.ts), which says what is due next and how long to wait.
//
// Promises: no event is skipped, except that a list passes over one that three watches in a row could not take; nothing
// else writes the store; a failed list leaves it as it was; a watch only ever goes on from a version whose every event
// is in the store. Refuses: to guess that a silent server is fine beyond `timeoutSeconds`.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { toSource } from '../../model/source.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Blindness } from './blindness.ts';
import type { Clock } from '../clock.ts';
import { type Failure, ShortWatchError, toFailure } from './failure.ts';
import { type Answer, answerTo } from './failure-answers.ts';
import { InitialEvents } from './initial-events.ts';
import type { WatchStream } from '../decoding/watch-body.ts';
import {
  advanced,
  caughtUp,
  failed,
  listed,
  listVersion,
  moved,
  paged,
  type Position,
  REPEATED_FAILURES,
  START,
} from './position.ts';
import { ExpiredContinueError, LIST_SILENCE_MS, listPages } from './paged-list.ts';
import { Recovery } from './recovery.ts';
import { type RequestContext, requestWatch } from './requests.ts';
import { SilenceGuard } from './silence-guard.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import type { ReflectorStatus, ReflectorState } from './reflector-status.ts';
import { ReflectorTally } from './reflector-tally.ts';
import { TroubleLog } from './trouble-log.ts';
import { VersionDoubt } from './version-doubt.ts';
import { Whereabouts } from './whereabouts.ts';
import { EventWriter } from './event-writer.ts';

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
/** A watch that ends sooner by more than this was not ended for its timeout, which the server counts from the request. */
const EARLY_MS = 1_000;
/** client-go: a watch that ends within a second without an event was not ended on purpose. */
const SHORT_WATCH_MS = 1_000;

/** Reads the events of one watch; rejects with what ends it before its time. */
type TakeWatch<R extends KubernetesRecord> = (watch: WatchStream<R>, guard: SilenceGuard) => Promise<void>;

export class Reflector<R extends KubernetesRecord> {
  readonly #options: ReflectorOptions<R>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #troubles: TroubleLog;
  readonly #blindness: Blindness;
  readonly #recovery: Recovery;
  readonly #events: EventWriter<R>;
  readonly #doubt = new VersionDoubt();
  readonly #stopping = new AbortController();
  /** Until the server turns out not to stream lists. */
  #streams: boolean;
  readonly #whereabouts: Whereabouts<R>;
  #running: Promise<void> | undefined;

  #state: ReflectorState = 'idle';
  #position: Position = START;
  #refusedCredentials = false;

  #synced = false;
  #unavailable = false;
  #message = '';
  readonly #tally = new ReflectorTally();

  constructor(options: ReflectorOptions<R>) {
    this.#options = options;
    this.#streams = options.streamInitialList ?? true;
    this.#clock = options.clock;
    const source = toSource(options.resource.resource, options.namespace);
    this.#log = options.logger.child({ resource: source });
    this.#whereabouts = new Whereabouts(options.resource, options.relocate, this.#log);
    const { refusals } = options.contact;
    this.#troubles = new TroubleLog(this.#log, options.clock, (failure, text) => refusals.tell(source, failure, text));
    this.#blindness = new Blindness(options.clock, {
      onChange: options.onStatusChange,
      onCaughtUp: () => {
        this.#position = caughtUp(this.#position);
        this.#troubles.recovered();
      },
    });
    this.#events = new EventWriter(options.store, options.clock, this.#blindness, this.#tally, (version) => {
      this.#position = advanced(this.#position, version);
    });
    this.#recovery = new Recovery(options.clock, options.random, options.contact, this.#stopping.signal);
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
      resource: toSource(this.#options.resource.resource, this.#options.namespace),
      required: this.#options.resource.required,
      state: this.#state,
      synced: this.#synced,
      unavailable: this.#unavailable,
      blindSinceMs: this.#blindness.sinceMs,
      lastContactMs: this.#blindness.lastContactMs,
      ...this.#tally.snapshot(),
      message: this.#message,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#recovery.sitOutOutage();
        const { listDue, version } = this.#position;
        // Lists wait too: one of another cluster would be taken for changes. What was never listed has no picture.
        if (this.#doubt.isDue && version !== undefined) await this.#recovery.sitOutLook(this.#doubt.looksBegun);
        signal.throwIfAborted();
        if (!listDue && version !== undefined) await this.#follow(version);
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
    this.#tally.lists += 1;
    const initial = new InitialEvents(this.#options.store);
    const { latestDue, version } = this.#position;
    const startMs = this.#clock.now();
    // Without a version the server reads the latest one from etcd, so the list is no older than the request.
    await this.#watch(latestDue ? '' : (version ?? ''), true, async (watch, guard) => {
      const { resourceVersion, rest } = await initial.read(watch, this.#whereabouts.resource.resource, this.#tally);
      this.#stopping.signal.throwIfAborted();
      await initial.commit(resourceVersion, () => this.#blindness.observeByList());
      this.#listed(resourceVersion, initial.objects, startMs);
      this.#become('watching');
      guard.expectNothing();
      this.#events.apply(rest, this.#whereabouts.resource.resource);
      this.#blindness.watching();
      await this.#events.take(watch, this.#whereabouts.resource.resource);
    }).finally(() => {
      if (this.#position.listDue) initial.abort();
    });
  }

  /** A watch from a version, until the server ends it. */
  async #follow(version: string): Promise<void> {
    this.#become('watching');
    if (this.#doubt.isDue) {
      const guard = new SilenceGuard(this.#clock, this.#stopping.signal);
      await this.#doubt.check(this.#context(guard, LIST_SILENCE_MS), guard, version);
    }
    await this.#watch(version, false, async (watch) => {
      this.#blindness.watching();
      await this.#events.take(watch, this.#whereabouts.resource.resource);
    });
  }

  async #list(): Promise<void> {
    this.#become('listing');
    const startMs = this.#clock.now();
    const resourceVersion = listVersion(this.#position);
    const atWill = resourceVersion === '' || resourceVersion === '0';
    const limit = atWill || this.#position.pagesAtZero ? PAGE_LIMIT : 0;
    try {
      await this.#listOnce(resourceVersion, limit, startMs);
    } catch (error) {
      // Pages are one picture of one moment; when the server forgot that moment, only an unpaged list is consistent.
      if (!(error instanceof ExpiredContinueError)) throw error;
      // There was a page to continue.
      if (resourceVersion === '0') this.#position = paged(this.#position);
      this.#tally.restarted('expired_continue');
      await this.#listOnce(resourceVersion, 0, startMs);
    }
  }

  async #listOnce(resourceVersion: string, limit: number, startMs: number): Promise<void> {
    this.#tally.lists += 1;
    const replacement = this.#options.store.beginReplace();
    const guard = new SilenceGuard(this.#clock, this.#stopping.signal);
    const context = this.#context(guard, LIST_SILENCE_MS);
    let version = '';
    let count = 0;
    try {
      const list = await listPages(context, guard, { resourceVersion, limit }, (record) => {
        count += 1;
        replacement.add(record);
      });
      version = list.resourceVersion;
      if (list.pages > 1 && resourceVersion === '0') this.#position = paged(this.#position);
      this.#stopping.signal.throwIfAborted();
    } catch (error) {
      replacement.abort();
      throw error;
    } finally {
      guard.end();
    }
    await replacement.commit(version, this.#blindness.observeByList());
    this.#listed(version, count, startMs);
    this.#healthy();
  }

  /** A list was committed. */
  #listed(version: string, objects: number, startMs: number): void {
    this.#position = listed(this.#position, version);
    this.#doubt.listed();
    this.#tally.lastChangeMs = this.#clock.now();
    this.#log.info({ objects, resourceVersion: version }, this.#synced ? 'listed again' : 'first list applied');
    this.#synced = true;
    this.#blindness.listed(startMs);
  }

  /** One watch request, from its opening to its end; `take` reads what comes. */
  async #watch(resourceVersion: string, sendInitialEvents: boolean, take: TakeWatch<R>): Promise<void> {
    this.#tally.watches += 1;
    const startMs = this.#clock.now();
    const eventsBefore = this.#tally.events;
    const { random } = this.#options;
    const timeoutSeconds = MIN_WATCH_SECONDS + Math.floor(random() * (MAX_WATCH_SECONDS - MIN_WATCH_SECONDS + 1));
    const guard = new SilenceGuard(this.#clock, this.#stopping.signal);
    guard.endAfter(timeoutSeconds * 1000 + WATCH_OVERTIME_MS, 'a watch outlived its timeout: the peer is gone');
    if (sendInitialEvents) guard.expectBy(INITIAL_EVENTS_DEADLINE_MS, 'a streamed list did not come to its end');
    const context = { ...this.#context(guard, 0), onContact: () => this.#heardOnWatch(guard) };
    let lastHeardMs: (() => number) | undefined;
    try {
      const watch = await requestWatch(context, { resourceVersion, timeoutSeconds, sendInitialEvents });
      lastHeardMs = watch.lastHeardMs;
      this.#healthy();
      await take(watch.events[Symbol.asyncIterator](), guard);
      this.#blindness.lost('planned');
    } catch (error) {
      const explained = guard.explain(error);
      this.#blindness.lost(explained === error ? 'cut' : 'silent', lastHeardMs?.());
      throw explained;
    } finally {
      guard.end();
    }
    const lastedMs = this.#clock.now() - startMs;
    if (eventsBefore === this.#tally.events && lastedMs < SHORT_WATCH_MS) {
      const { resource } = this.#whereabouts.resource;
      throw new ShortWatchError(`watch ${resource}: ended after ${lastedMs} ms without an event`);
    }
    if (lastedMs < timeoutSeconds * 1000 - EARLY_MS) {
      this.#tally.restarted('ended_early');
      this.#doubt.arises(this.#options.contact.looksBegun);
    }
  }

  #heardOnWatch(guard: SilenceGuard): void {
    this.#blindness.contact();
    if (this.#state !== 'listing') this.#blindness.heard();
    else guard.expectWithin(INITIAL_EVENTS_SILENCE_MS, 'a streamed list paused for too long');
  }

  async #answer(failure: Failure): Promise<void> {
    const { next, wait } = answerTo(failure.kind, {
      listing: this.#state === 'listing',
      streams: this.#streams,
      latestDue: this.#position.latestDue,
      progressed: this.#position.progressed,
      refusedCredentials: this.#refusedCredentials,
    });
    this.#tally.restarted(failure.kind);
    this.#message = failure.message;
    if (failure.kind === 'unauthorized') this.#refusedCredentials = true;
    if (failure.kind === 'not_found' || failure.kind === 'forbidden') this.#unavailable = true;
    if (failure.kind === 'not_found') {
      const found = await this.#whereabouts.lookAgain(this.#synced);
      if (found === 'fallback') return;
      if (found === 'gone') await this.#empty();
      if (found !== 'same') this.#position = moved(this.#position);
    }
    this.#doubt.arises(this.#options.contact.looksBegun);
    this.#intend(next, failure);
    if (wait === 'none') return;
    this.#become('backing-off');
    this.#troubles.trouble(failure, this.#synced && !this.#blindness.isAbsent, this.#options.resource.required);
    await this.#recovery.sitOut(wait, failure);
  }

  #intend(next: Answer['next'], failure: Failure): void {
    if (next === 'in-pages') {
      this.#streams = false;
      this.#log.info({ reason: failure.kind, error: failure.message }, 'no streamed list to be had, listing in pages');
      return;
    }
    if (next === 'latest' && failure.kind === 'version_too_large') {
      this.#log.warn({ error: failure.message }, 'the API server lags or was restored: listing what it has');
    }
    const before = this.#position;
    this.#position = failed(before, failure.kind, next, this.#state === 'listing');
    if (next === 'same' && this.#position.listDue && !before.listDue) {
      this.#log.warn(
        { reason: failure.kind, error: failure.message, resourceVersion: before.version },
        `${REPEATED_FAILURES} watches from this version failed in the same way: listing to pass over it`,
      );
    }
  }

  /** There are no objects any more, and nothing is missed. */
  async #empty(): Promise<void> {
    this.#unavailable = false;
    const { version } = this.#position;
    if (version === undefined || this.#blindness.isAbsent || this.#stopping.signal.aborted) return;
    await this.#options.store.beginReplace().commit(version, this.#blindness.observeByList());
    this.#blindness.absent();
  }

  #context(guard: SilenceGuard, silenceMs: number): RequestContext<R> {
    return {
      transport: this.#options.transport,
      resource: this.#whereabouts.resource,
      namespace: this.#options.namespace,
      signal: guard.signal,
      pace: this.#options.pace,
      encoding: this.#options.encoding,
      onContact: () => {
        this.#blindness.contact();
        if (silenceMs > 0) guard.expectWithin(silenceMs, 'a list was silent for too long');
      },
    };
  }

  /** The server gave what was asked for. */
  #healthy(): void {
    // Credentials that are refused from here on were good until now: fresh ones are worth a try at once.
    this.#refusedCredentials = false;
    this.#unavailable = false;
    this.#message = '';
    this.#options.contact.accepted();
    this.#options.onStatusChange();
  }

  #become(state: ReflectorState): void {
    this.#state = state;
    this.#options.onStatusChange();
  }
}
