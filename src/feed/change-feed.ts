// The change feed: keeps the log, and lets every subscriber have its turn.
//
// Promises: a change reaches every subscriber that keeps up within the coalescing interval; one that does not keep up
// costs one frame and delays no other; the event loop is held for no longer than a slice at a time, see
// `subscriptions/turns.ts`, because lookups share it. It refuses subscribers beyond a number, and ends those that take
// nothing.
//
// A change gives the idle ones a turn: at once when it was quiet, else when the interval since the last time is over,
// so that under load a frame carries many changes. Sockets are not known here, see `FrameSink`.

import type { ChangeBatch } from '../model/changes.ts';
import { type ClusterIdentity, isOtherCluster, UNKNOWN_CLUSTER } from '../model/cluster-identity.ts';
import { encodeProgress } from '../wire/frame.ts';
import { ChangeLog } from './log/change-log.ts';
import { type ChangeFeedOptions, DEFAULT_LIMITS, type FeedLimits, type SubscribeRequest } from './feed-options.ts';
import { FilterClasses } from './reading/filter-classes.ts';
import { FrameMemory } from './reading/frame-memory.ts';
import type { Item } from './log/items.ts';
import { FeedMetrics } from './metrics.ts';
import { Projection } from './reading/projection.ts';
import { parseToken, type ResumeToken } from './tokens/resume-token.ts';
import { Resumption } from './subscriptions/resumption.ts';
import { createScheduler, type Scheduler } from './subscriptions/scheduler.ts';
import type { EndReason, FrameSink } from './subscriptions/frame-sink.ts';
import { type LimitReached, SubscriberPlaces } from './subscriptions/subscriber-places.ts';
import { type FeedSurroundings, Subscription } from './subscriptions/subscription.ts';
import type { SubscriptionStart } from './subscriptions/subscription-start.ts';
import { Turns } from './subscriptions/turns.ts';
import { ChoicesInUse } from './log/unseen-changes.ts';

export type SubscribeOutcome =
  /** Frames follow, none before `open` returned. `close` when the other side is gone: nothing is written after it. */
  /** `drain`: a last `Progress` with a token to go on with, then the end, as soon as the subscriber takes them. */
  | { readonly outcome: 'opened'; readonly close: () => void; readonly drain: () => void }
  | { readonly outcome: 'not-a-token' }
  /** The token is of another cluster. */
  | { readonly outcome: 'other-cluster'; readonly token: ClusterIdentity; readonly here: ClusterIdentity }
  | { readonly outcome: 'too-many-subscribers'; readonly reached: LimitReached | 'filters'; readonly limit: number }
  | { readonly outcome: 'draining' };

export interface FeedStats {
  readonly subscribers: number;
  /** Last sequence of the log. */
  readonly sequence: number;
}

// Heartbeats are at most this much early. A quarter of the shortest that can be asked for.
const TICK_MS = 250;

// Coalescing: a flush to 1,000 subscribers takes 8 ms of one core with one change and 12 ms with 20, so that this
// leaves about half of it to others at any number. A change waits for an interval at most, and then for the flush: with
// 1,000 subscribers that has to stay well below 50 ms. The cap keeps the feed fresher than a person notices.
const INTERVAL_MS_PER_SUBSCRIBER = 0.02;

// A subscriber that has not taken a frame for this long is not written to and costs a flush next to nothing.
const STUCK_MS = 1_000;
const INTERVAL_MS_PER_STUCK = 0.002;
const MAX_INTERVAL_MS = 250;

/** A hundred times what 10,000 places take. */
const WHOLE_TIMEOUT_MS = 30_000;

// A frame's server time may be this old.
const PROGRESS_SHARED_MS = 100;

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #limits: FeedLimits;
  readonly #scheduler: Scheduler;
  readonly #log: ChangeLog;
  readonly #memory: FrameMemory;
  readonly #resumption: Resumption;
  readonly #metrics: FeedMetrics;
  readonly #subscribers = new Set<Subscription>();
  readonly #places: SubscriberPlaces;
  readonly #classes: FilterClasses;
  readonly #choices = new ChoicesInUse();
  readonly #turns: Turns;
  #flushScheduled = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  /** At the last flush. */
  #stuck = 0;
  /** Head of the log at the last flush: what is newer waits for the next one. */
  #flushedHead = 0;
  #cancelTick: (() => void) | undefined;
  #progress: { readonly atMs: number; readonly closing: boolean; readonly frame: Uint8Array } | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  readonly #surroundings: FeedSurroundings;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#scheduler = options.scheduler ?? createScheduler();
    this.#log = new ChangeLog(this.#limits);
    this.#memory = new FrameMemory(this.#limits.maxSharedFrameBytes);
    this.#places = new SubscriberPlaces(this.#limits);
    this.#turns = new Turns(this.#scheduler, this.#limits);
    this.#classes = new FilterClasses({
      maxBytes: this.#limits.maxFilterBytes,
      create: ({ filter, view, timelines, podNetworks, choice }) => {
        if (filter.followsNamespaces) this.#log.followNamespaces();
        return new Projection({
          filter,
          view,
          timelines,
          podNetworks,
          choice,
          unseen: choice === undefined ? undefined : this.#choices.take(choice, view),
          configuration: options.configuration,
          surroundings: this.#resumption,
          maxFrameBytes: this.#limits.maxFrameBytes,
          memory: this.#memory,
        });
      },
      gone: ({ unseen }) => {
        if (unseen !== undefined) this.#choices.free(unseen);
      },
    });
    this.#surroundings = this.#createSurroundings();
    this.#metrics = new FeedMetrics(options.registry, () => ({
      subscribers: this.#subscribers.size,
      mostOfACaller: this.#places.mostOfACaller,
      filterClasses: this.#classes.size,
      filterBytes: this.#classes.bytes,
      entries: this.#log.size,
      removals: this.#log.removals,
      sharedFrameBytes: this.#memory.bytes,
      unseenEntities: this.#choices.size,
      maxLag: this.#maxLag(),
      sourceSteps: this.#resumption.steps,
      tokenBytes: this.#resumption.tokenBytes,
      touched: this.#resumption.touched,
    }));
    this.#resumption = new Resumption({
      epoch: options.epoch,
      log: this.#log,
      scheduler: this.#scheduler,
      limits: this.#limits,
      cluster: () => this.#cluster(),
      timelines: options.timelines,
      resumedElsewhere: () => this.#metrics.resumedElsewhere.inc(),
    });
  }

  stats(): FeedStats {
    return { subscribers: this.#subscribers.size, sequence: this.#log.head };
  }

  /** The subscribers that are furthest behind, at most `most`. */
  furthestBehind(most: number): readonly { readonly caller: string; readonly lag: number }[] {
    const all = [...this.#subscribers].map(({ caller, lag }) => ({ caller, lag }));
    return all.toSorted((a, b) => b.lag - a.lag).slice(0, most);
  }

  /** The catalog's listener, from its first change on. Only notes the changes: subscribers get them in a later turn. */
  readonly onBatch = (batch: ChangeBatch): void => {
    const now = this.#scheduler.now();
    const before = this.#log.head;
    for (const change of batch.changes) {
      const previous = this.#log.append(change, now);
      this.#choices.note(change, this.#log.head, previous);
    }
    if (this.#resumption.apply(batch, before, now)) {
      this.#memory.clear();
      for (const subscription of this.#subscribers) subscription.rewrite();
    }
    if (batch.changes.length > 0) this.#scheduleFlush();
  };

  /** Something beside entities changed; `mayHaveLost`: see `ChangeLog.put`. */
  putItem(item: Item, mayHaveLost = false): void {
    this.#log.put(item, this.#scheduler.now(), mayHaveLost);
    this.#scheduleFlush();
  }

  /** It is gone. */
  dropItem(key: string): void {
    const before = this.#log.head;
    this.#log.drop(key, this.#scheduler.now());
    if (this.#log.head !== before) this.#scheduleFlush();
  }

  /** As it was put last. */
  item(key: string): Item | undefined {
    return this.#log.item(key);
  }

  /** The sink gets its first frame in a later turn of the event loop. */
  open(request: SubscribeRequest, sink: FrameSink): SubscribeOutcome {
    if (this.#drained !== undefined) return { outcome: 'draining' };
    const token = request.resumeToken.byteLength === 0 ? 'none' : parseToken(request.resumeToken);
    if (token === undefined) return { outcome: 'not-a-token' };
    if (typeof token === 'object' && isOtherCluster(token.cluster, this.#cluster())) {
      return { outcome: 'other-cluster', token: token.cluster, here: this.#cluster() };
    }
    const { caller = '' } = request;
    const reached = this.#places.take(caller);
    if (reached !== undefined) return this.#refuse(reached, this.#places.limitOf(reached));
    const projection = this.#classes.take(caller, request);
    if (projection === undefined) {
      this.#places.free(caller);
      return this.#refuse('filters', this.#classes.maxBytesOfACaller);
    }
    const start = this.#startWhenWhole(token, projection);
    const { snapshotOnly, heartbeatMs } = request;
    const subscription = new Subscription(
      { caller, projection, start, snapshotOnly, heartbeatMs, sink },
      this.#surroundings,
    );
    this.#subscribers.add(subscription);
    this.#turns.give(subscription);
    this.#startTicking();
    return { outcome: 'opened', close: () => subscription.close(), drain: () => subscription.drain() };
  }

  /**
   * Tells every subscriber that this process is going, with a last token, and ends it; refuses new ones. Resolves when
   * all are gone: when they took what is in flight, or were closed. So the caller needs a deadline, and has to end the
   * connections that are left then.
   */
  drain(): Promise<void> {
    this.#drained ??= Promise.withResolvers();
    for (const subscription of this.#subscribers) subscription.drain();
    if (this.#subscribers.size === 0) this.#drained.resolve();
    return this.#drained.promise;
  }

  #refuse(reached: LimitReached | 'filters', limit: number): SubscribeOutcome {
    this.#metrics.refused.inc({ limit: reached });
    return { outcome: 'too-many-subscribers', reached, limit };
  }

  /** One with timelines waits until all of them were written once: that takes a second or two after the start. */
  #startWhenWhole(token: ResumeToken | 'none' | 'other-form', projection: Projection): SubscriptionStart {
    const { timelines } = this.#options;
    if (!projection.timelines || timelines?.isWhole !== false) return this.#startFrom(token, projection);
    const untilMs = this.#scheduler.now() + WHOLE_TIMEOUT_MS;
    const waiting: SubscriptionStart = {
      from: 'elsewhere',
      ask: () => {
        if (!timelines.isWhole) return waiting;
        // A token of another process may have to wait once more, for what the consumer has seen.
        const start = this.#startFrom(token, projection);
        return start.from === 'elsewhere' ? start.ask() : start;
      },
      untilMs,
    };
    return waiting;
  }

  #startFrom(token: ResumeToken | 'none' | 'other-form', projection: Projection): SubscriptionStart {
    if (token === 'none') return { from: 'snapshot', reason: 'NO_TOKEN' };
    if (token === 'other-form') return { from: 'snapshot', reason: 'PROJECTION_CHANGED' };
    if (!projection.hash.equals(token.projection)) return { from: 'snapshot', reason: 'PROJECTION_CHANGED' };
    return this.#resumption.start(token, projection.timelines);
  }

  #createSurroundings(): FeedSurroundings {
    return {
      log: this.#log,
      cluster: () => this.#cluster(),
      now: () => this.#scheduler.now(),
      progress: (closing) => this.#progressFrame(closing),
      wake: (subscription) => this.#turns.give(subscription),
      taken: (subscription) => {
        if (subscription.isDue(this.#flushedHead)) this.#turns.give(subscription);
      },
      ended: (subscription, reason) => this.#leave(subscription, reason),
      sent: (frame, changes) => {
        this.#turns.wrote(frame.byteLength);
        this.#metrics.frames.inc();
        this.#metrics.bytes.inc(frame.byteLength);
        this.#metrics.changes.inc(changes);
      },
      reset: (reason) => this.#metrics.resets.inc({ reason }),
    };
  }

  #cluster(): ClusterIdentity {
    return this.#options.cluster?.() ?? UNKNOWN_CLUSTER;
  }

  #maxLag(): number {
    let maxLag = 0;
    for (const subscription of this.#subscribers) maxLag = Math.max(maxLag, subscription.lag);
    return maxLag;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    const served = Math.max(0, this.#subscribers.size - this.#stuck);
    const intervalMs = served * INTERVAL_MS_PER_SUBSCRIBER + this.#stuck * INTERVAL_MS_PER_STUCK;
    const delayMs = this.#flushedAtMs + Math.min(intervalMs, MAX_INTERVAL_MS) - this.#scheduler.now();
    const flush = () => this.#flush();
    if (delayMs <= 1) this.#scheduler.soon(flush);
    else this.#scheduler.after(delayMs, flush);
  }

  #flush(): void {
    this.#flushScheduled = false;
    const now = this.#scheduler.now();
    this.#flushedAtMs = now;
    this.#stuck = 0;
    this.#flushedHead = this.#log.head;
    const idle: Subscription[] = [];
    for (const subscription of this.#subscribers) {
      if (subscription.isIdle) idle.push(subscription);
      else if (subscription.isStuck(now, STUCK_MS)) this.#stuck += 1;
    }
    this.#turns.giveNow(idle);
  }

  #startTicking(): void {
    this.#cancelTick ??= this.#scheduler.after(TICK_MS, () => {
      this.#cancelTick = undefined;
      const now = this.#scheduler.now();
      this.#resumption.forget(now);
      for (const subscription of this.#subscribers) {
        subscription.tick(now, TICK_MS, this.#limits.stallTimeoutMs);
      }
      if (this.#subscribers.size > 0) this.#startTicking();
    });
  }

  #leave(subscription: Subscription, reason: EndReason | 'closed'): void {
    this.#subscribers.delete(subscription);
    this.#places.free(subscription.caller);
    this.#classes.free(subscription.projection);
    this.#turns.takeBack(subscription);
    this.#metrics.ended.inc({ reason });
    if (reason === 'stalled') this.#metrics.stalled.inc();
    if (this.#subscribers.size > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#memory.clear();
    this.#drained?.resolve();
  }

  /** Many are told at about the same time, so what they are told is encoded once in a while only. */
  #progressFrame(closing: boolean): Uint8Array {
    const now = this.#scheduler.now();
    const known = this.#progress;
    if (known !== undefined && known.closing === closing && now - known.atMs < PROGRESS_SHARED_MS) return known.frame;
    const frame = encodeProgress(this.#scheduler.wallTime(), this.#options.freshness(), closing, this.#cluster());
    this.#progress = { atMs: now, closing, frame };
    return frame;
  }
}
