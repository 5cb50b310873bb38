// One subscriber: where it stands in the log and what it is owed next.
//
// It has no queue. It has a position, a few flags, and at most one frame in flight; the next frame is made when the one
// before was taken. So a subscriber that reads nothing costs one frame and this object, and nobody waits for it. It does
// nothing by itself: the feed calls `step` when it is this subscriber's turn.
//
// Order of what is owed: why everything has to be forgotten, the log, that the picture is complete, a sign of life, the
// end. A later one never overtakes an earlier one.

import { encodeReset, encodeSynced, type Frame, type ResetReason, withToken } from '../wire/frame.ts';
import type { ChangeLog } from './change-log.ts';
import { caughtUp, type Projection } from './projection.ts';
import type { ReadingPosition } from './reading.ts';
import type { TouchedKey } from './touched-keys.ts';

/**
 * Why the feed ended a subscription. `complete`: a snapshot was asked for and sent. `behind`: the consumer has seen more
 * than this process yet, and waited in vain.
 */
export type EndReason = 'complete' | 'draining' | 'stalled' | 'behind';

/** Where frames go. */
export interface FrameSink {
  /** Takes a frame; calls `taken` once, later, when there is room for the next. */
  write(frame: Frame, taken: () => void): void;
  /** No frame follows. `silentMs`: since the newest one was written. */
  end(reason: EndReason, silentMs: number): void;
}

/** What a subscriber needs to know about the feed that it belongs to. */
export interface FeedSurroundings {
  readonly log: ChangeLog;
  now(): number;
  /** The `Progress` of this moment, without its token. */
  progress(closing: boolean): Uint8Array;
  /** There is something to do for this one again. */
  wake(subscription: Subscription): void;
  /** What was in flight was taken. */
  taken(subscription: Subscription): void;
  ended(subscription: Subscription, reason: EndReason | 'closed'): void;
  sent(frame: Frame, changes: number): void;
  reset(reason: ResetReason): void;
}

export interface SubscriptionOptions {
  /** See `SubscribeRequest`. */
  readonly caller: string;
  readonly projection: Projection;
  readonly start: SubscriptionStart;
  /** End after `Synced`. */
  readonly snapshotOnly: boolean;
  /** Longest silence, ms. */
  readonly heartbeatMs: number;
  readonly sink: FrameSink;
}

/** Where a subscription begins. */
export type SubscriptionStart =
  /** From a token that this process can continue from. */
  | {
      readonly from: 'token';
      readonly position: ReadingPosition;
      /** To be told first: entities that may be held as they never were here. */
      readonly touched: readonly TouchedKey[];
    }
  | { readonly from: 'snapshot'; readonly reason: ResetReason }
  /** Not known until this process has seen what the consumer has. `untilMs`: when nobody waits any longer. */
  | { readonly from: 'elsewhere'; readonly ask: () => SubscriptionStart; readonly untilMs: number };

const RESET_MESSAGES: Readonly<Record<ResetReason, string>> = {
  NO_TOKEN: 'a snapshot follows, as no resume token was given',
  TOKEN_EXPIRED: 'the resume token is older than the oldest removal that is kept',
  OTHER_EPOCH: 'the resume token comes from another process, and what was missed cannot be told from here',
  PROJECTION_CHANGED: 'the resume token was given for another filter, view or configuration, or by another version',
  TOO_SLOW: 'the subscriber fell behind the oldest removal that is kept',
  HISTORY_REWRITTEN: "the API server's history changed",
};

const SYNCED = encodeSynced();

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #feed: FeedSurroundings;
  #position: ReadingPosition = caughtUp(0);
  #waiting: Extract<SubscriptionStart, { from: 'elsewhere' }> | undefined;
  #touched: readonly TouchedKey[] = [];
  #owedReset: ResetReason | undefined;
  #synced = false;
  #owesProgress = false;
  #owedEnd: 'complete' | 'draining' | undefined;
  #inFlight = false;
  #ended = false;
  /** Of the newest frame, or of the beginning. */
  #writtenAtMs: number;
  /** Made once, not for every frame. */
  readonly #taken = (): void => {
    this.#inFlight = false;
    if (!this.#ended) this.#feed.taken(this);
  };

  constructor(options: SubscriptionOptions, feed: FeedSurroundings) {
    this.#options = options;
    this.#feed = feed;
    this.#writtenAtMs = feed.now();
    this.#begin(options.start);
  }

  get caller(): string {
    return this.#options.caller;
  }

  get projection(): Projection {
    return this.#options.projection;
  }

  /** It waits for this process to see what the consumer has seen. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** How many sequences it has not passed yet. */
  get lag(): number {
    return this.#waiting === undefined ? this.#feed.log.head - this.#position.cursor : 0;
  }

  /** Nothing is in flight: `step` may have something to write. */
  get isIdle(): boolean {
    return !this.#inFlight && !this.#ended;
  }

  /** It has not taken the frame that is in flight for `forMs`. */
  isStuck(nowMs: number, forMs: number): boolean {
    return this.#inFlight && nowMs - this.#writtenAtMs >= forMs;
  }

  /** There is something to write that should not wait for the changes behind `head`. */
  isDue(head: number): boolean {
    if (!this.#synced || this.#owesProgress) return true;
    return this.#owedReset !== undefined || this.#owedEnd !== undefined || this.#position.cursor < head;
  }

  /**
   * Writes at most one frame, or passes a stretch of the log that does not concern it. Returns whether to call again
   * without waiting for anything.
   */
  step(): boolean {
    if (!this.isIdle) return false;
    const { log } = this.#feed;
    if (this.#waiting !== undefined && !this.#askAgain(this.#waiting)) return false;
    if (this.#owedReset === undefined && this.#isLost()) this.#owedReset = 'TOO_SLOW';
    if (this.#owedReset !== undefined) {
      this.#reset(this.#owedReset);
      return false;
    }
    // Whoever is to leave gets no more changes: the token says where to go on.
    if (this.#owedEnd === undefined && this.#touched.length > 0) {
      const { frame, changes, rest } = this.#options.projection.readTouched(log, this.#touched, this.#position);
      this.#touched = rest;
      if (frame === undefined) return true;
      this.#write(frame, changes);
      return false;
    }
    if (this.#owedEnd === undefined && this.#position.cursor < log.head) {
      const { position, frame, changes } = this.#options.projection.read(log, this.#position);
      this.#position = position;
      if (frame === undefined) return true;
      this.#write(frame, changes);
      return false;
    }
    if (!this.#synced && this.#owedEnd === undefined) {
      this.#position = caughtUp(log.head);
      this.#synced = true;
      if (this.#options.snapshotOnly) this.#owedEnd = 'complete';
      else this.#owesProgress = true;
      this.#writeWithToken(SYNCED);
      return false;
    }
    if (this.#owesProgress) {
      this.#owesProgress = false;
      this.#writeWithToken(this.#feed.progress(this.#owedEnd === 'draining'));
      return false;
    }
    if (this.#owedEnd !== undefined) this.#end(this.#owedEnd);
    return false;
  }

  /** Called now and then: a sign of life when it was silent for long, the end when it takes nothing for too long. */
  tick(nowMs: number, tickMs: number, stallTimeoutMs: number): void {
    if (this.#ended) return;
    if (this.#waiting !== undefined) {
      this.#feed.wake(this);
      return;
    }
    const silentMs = nowMs - this.#writtenAtMs;
    if (this.#inFlight) {
      if (silentMs >= stallTimeoutMs) this.#end('stalled');
      return;
    }
    // The next tick would be too late.
    if (this.#synced && silentMs + tickMs >= this.#options.heartbeatMs) {
      this.#owesProgress = true;
      this.#feed.wake(this);
    }
  }

  /** A last `Progress` that says so, then the end, as soon as it takes what is in flight. */
  drain(): void {
    if (this.#ended || this.#owedEnd !== undefined) return;
    if (this.#waiting !== undefined) {
      // Nothing was sent: the consumer's own token is still the newest.
      this.#end('draining');
      return;
    }
    // A reset that is owed stays owed: without it the last token would vouch for what the consumer had before.
    this.#owedEnd = 'draining';
    this.#owesProgress = true;
    this.#feed.wake(this);
  }

  /** Everything that was said so far comes from another history of the API server. */
  rewrite(): void {
    if (this.#ended || this.#waiting !== undefined) return;
    this.#owedReset ??= 'HISTORY_REWRITTEN';
    this.#feed.wake(this);
  }

  /** The other side is gone, or nobody may wait any longer. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#feed.ended(this, 'closed');
  }

  /** A removal that it may need is not kept any more. Removals up to its floor are none of its business. */
  #isLost(): boolean {
    const { cursor, floor } = this.#position;
    return this.#owedEnd === undefined && this.#feed.log.forgotten > Math.max(cursor, floor);
  }

  #begin(start: SubscriptionStart): void {
    switch (start.from) {
      case 'token':
        this.#position = start.position;
        this.#touched = start.touched;
        return;
      case 'snapshot':
        this.#owedReset = start.reason;
        return;
      case 'elsewhere':
        this.#waiting = start;
        return;
      default:
        start satisfies never;
    }
  }

  /** Returns whether the subscription has begun. */
  #askAgain(waiting: Extract<SubscriptionStart, { from: 'elsewhere' }>): boolean {
    const start = waiting.ask();
    if (start.from !== 'elsewhere') {
      this.#waiting = undefined;
      this.#begin(start);
      return true;
    }
    if (this.#feed.now() >= waiting.untilMs) this.#end('behind');
    return false;
  }

  #reset(reason: ResetReason): void {
    this.#owedReset = undefined;
    this.#synced = false;
    this.#touched = [];
    this.#position = { cursor: 0, floor: this.#feed.log.head, held: 0 };
    this.#feed.reset(reason);
    this.#writeWithToken(encodeReset(reason, RESET_MESSAGES[reason]));
  }

  #writeWithToken(message: Uint8Array): void {
    this.#write(withToken(message, this.#options.projection.token(this.#position)), 0);
  }

  #write(frame: Frame, changes: number): void {
    this.#inFlight = true;
    this.#writtenAtMs = this.#feed.now();
    this.#feed.sent(frame, changes);
    this.#options.sink.write(frame, this.#taken);
  }

  #end(reason: EndReason): void {
    this.#ended = true;
    this.#feed.ended(this, reason);
    this.#options.sink.end(reason, this.#feed.now() - this.#writtenAtMs);
  }
}
