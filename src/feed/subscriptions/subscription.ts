// One subscriber: where it stands in the log and what it is owed next.
//
// It has no queue. It has a position, a state, and at most one frame in flight; the next frame is made when the one
// before was taken. So a subscriber that reads nothing costs one frame and this object, and delays no other. It does
// nothing by itself: the feed calls `step` when it is this subscriber's turn.
//
// The state says what is owed next, and changes in `#enter` alone; see `subscription-state.ts`.

import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import { encodeReset, encodeSynced, type Frame, type ResetReason, withToken } from '../../wire/frame.ts';
import type { ChangeLog } from '../log/change-log.ts';
import { caughtUp, type ReadingPosition } from '../reading/position.ts';
import type { Projection } from '../reading/projection.ts';
import type { EndReason, FrameSink } from './frame-sink.ts';
import type { SubscriptionStart } from './subscription-start.ts';
import type { State, StateOf } from './subscription-state.ts';

/** What a subscriber needs to know about the feed that it belongs to. */
export interface FeedSurroundings {
  readonly log: ChangeLog;
  /** What `Reset` and `Synced` say. */
  cluster(): ClusterIdentity;
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

const RESET_MESSAGES: Readonly<Record<ResetReason, string>> = {
  NO_TOKEN: 'a snapshot follows, as no resume token was given',
  TOKEN_EXPIRED: 'the resume token is older than the oldest removal that is kept',
  OTHER_EPOCH: 'the resume token comes from another process, and what was missed cannot be told from here',
  PROJECTION_CHANGED: 'the resume token was given for another filter, view or configuration, or by another version',
  TOO_SLOW: 'the subscriber fell behind the oldest removal that is kept',
  HISTORY_REWRITTEN: "the API server's history changed",
};

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #feed: FeedSurroundings;
  #state: State;
  #position: ReadingPosition = caughtUp(0);
  #inFlight = false;
  /** Of the newest frame, or of the beginning. */
  #writtenAtMs: number;
  /** Made once, not for every frame. */
  readonly #taken = (): void => {
    this.#inFlight = false;
    if (this.#state.is !== 'ended') this.#feed.taken(this);
  };

  constructor(options: SubscriptionOptions, feed: FeedSurroundings) {
    this.#options = options;
    this.#feed = feed;
    this.#writtenAtMs = feed.now();
    this.#state = this.#begin(options.start);
  }

  get caller(): string {
    return this.#options.caller;
  }

  get projection(): Projection {
    return this.#options.projection;
  }

  /** It waits for this process to see what the consumer has seen. */
  get isWaiting(): boolean {
    return this.#state.is === 'waiting';
  }

  /** How many sequences it has not passed yet. */
  get lag(): number {
    return this.isWaiting ? 0 : this.#feed.log.head - this.#position.cursor;
  }

  /** Nothing is in flight: `step` may have something to write. */
  get isIdle(): boolean {
    return !this.#inFlight && this.#state.is !== 'ended';
  }

  /** It has not taken the frame that is in flight for `forMs`. */
  isStuck(nowMs: number, forMs: number): boolean {
    return this.#inFlight && nowMs - this.#writtenAtMs >= forMs;
  }

  /** There is something to write that should not wait for the changes behind `head`. */
  isDue(head: number): boolean {
    return this.#state.is !== 'live' || this.#state.owesProgress || this.#position.cursor < head;
  }

  /**
   * Writes at most one frame, or passes a stretch of the log that does not concern it. Returns whether to call again
   * without waiting for anything.
   */
  step(): boolean {
    if (!this.isIdle) return false;
    const state = this.#state;
    if (this.#isLost(state)) return this.#reset('TOO_SLOW', { is: 'catching-up' });
    switch (state.is) {
      case 'waiting':
        return this.#askAgain(state);
      case 'reset':
        return this.#reset(state.reason, { is: 'catching-up' });
      case 'touched':
        return this.#tellTouched(state);
      case 'catching-up':
        return this.#read();
      case 'complete':
        return this.#tellSynced();
      case 'live':
        if (this.#position.cursor < this.#feed.log.head) return this.#read();
        if (!state.owesProgress) return false;
        this.#enter({ is: 'live', owesProgress: false });
        return this.#tellProgress(false);
      case 'leaving':
        return this.#leave(state);
      case 'ended':
        return false;
      default:
        return state satisfies never;
    }
  }

  /** Called now and then: a sign of life when it was silent for long, the end when it takes nothing for too long. */
  tick(nowMs: number, tickMs: number, stallTimeoutMs: number): void {
    const silentMs = nowMs - this.#writtenAtMs;
    switch (this.#state.is) {
      case 'ended':
        return;
      case 'waiting':
        this.#feed.wake(this);
        return;
      default:
        break;
    }
    if (this.#inFlight) {
      if (silentMs >= stallTimeoutMs) this.#end('stalled');
      return;
    }
    // The next tick would be too late.
    if (this.#state.is === 'live' && silentMs + tickMs >= this.#options.heartbeatMs) {
      this.#enter({ is: 'live', owesProgress: true });
      this.#feed.wake(this);
    }
  }

  /** A last `Progress` that says so, then the end, as soon as it takes what is in flight. */
  drain(): void {
    switch (this.#state.is) {
      case 'ended':
      case 'leaving':
        return;
      case 'waiting':
        // Nothing was sent: the consumer's own token is still the newest.
        this.#end('draining');
        return;
      default: {
        const reset = this.#state.is === 'reset' ? this.#state.reason : undefined;
        this.#enter({ is: 'leaving', because: 'draining', reset, told: false });
        this.#feed.wake(this);
      }
    }
  }

  /** Everything that was said so far comes from another history of the API server. */
  rewrite(): void {
    const state = this.#state;
    switch (state.is) {
      case 'ended':
      case 'waiting':
      case 'reset':
        return;
      case 'leaving':
        // A snapshot that is complete stays what it is; one that continues elsewhere must not.
        if (state.because === 'snapshot') return;
        this.#enter({ ...state, reset: state.reset ?? 'HISTORY_REWRITTEN' });
        break;
      default:
        this.#enter({ is: 'reset', reason: 'HISTORY_REWRITTEN' });
    }
    this.#feed.wake(this);
  }

  /** The other side is gone, or may not stay any longer. */
  close(): void {
    if (this.#state.is === 'ended') return;
    this.#enter({ is: 'ended' });
    this.#feed.ended(this, 'closed');
  }

  #enter(state: State): void {
    this.#state = state;
  }

  #begin(start: SubscriptionStart): State {
    switch (start.from) {
      case 'token':
        this.#position = start.position;
        return start.touched === undefined ? { is: 'catching-up' } : { is: 'touched', touched: start.touched };
      case 'snapshot':
        return { is: 'reset', reason: start.reason };
      case 'elsewhere':
        return { is: 'waiting', start };
      default:
        return start satisfies never;
    }
  }

  /** Something that it may need is not kept any more. Removals up to its floor are not needed. */
  #isLost(state: State): boolean {
    switch (state.is) {
      case 'touched':
        if (state.touched.isLost()) return true;
        break;
      case 'catching-up':
      case 'complete':
      case 'live':
        break;
      default:
        return false;
    }
    const { cursor, floor } = this.#position;
    return this.#feed.log.forgotten > Math.max(cursor, floor);
  }

  #askAgain({ start }: StateOf<'waiting'>): boolean {
    const found = start.ask();
    if (found.from !== 'elsewhere') {
      this.#enter(this.#begin(found));
      return true;
    }
    if (this.#feed.now() >= start.untilMs) this.#end('behind');
    return false;
  }

  #tellTouched({ touched }: StateOf<'touched'>): boolean {
    const { frame, changes, isDone } = this.#options.projection.readTouched(this.#feed.log, touched, this.#position);
    if (isDone) this.#enter({ is: 'catching-up' });
    if (frame === undefined) return true;
    this.#write(frame, changes);
    return false;
  }

  /** Reads on. What reaches the head is complete, even if the head moves before it was taken. */
  #read(): boolean {
    const { log } = this.#feed;
    const { position, frame, changes } = this.#options.projection.read(log, this.#position);
    this.#position = position;
    if (this.#state.is === 'catching-up' && position.cursor === log.head) this.#enter({ is: 'complete' });
    if (frame === undefined) return true;
    this.#write(frame, changes);
    return false;
  }

  #tellSynced(): boolean {
    const { snapshotOnly } = this.#options;
    this.#enter(snapshotOnly ? { is: 'leaving', because: 'snapshot' } : { is: 'live', owesProgress: true });
    this.#writeWithToken(encodeSynced(this.#feed.cluster()));
    return false;
  }

  #tellProgress(closing: boolean): boolean {
    this.#writeWithToken(this.#feed.progress(closing));
    return false;
  }

  #leave(state: StateOf<'leaving'>): boolean {
    if (state.because === 'snapshot') {
      this.#end('complete');
      return false;
    }
    if (state.reset !== undefined) return this.#reset(state.reset, { ...state, reset: undefined });
    if (state.told) {
      this.#end('draining');
      return false;
    }
    this.#enter({ ...state, told: true });
    return this.#tellProgress(true);
  }

  #reset(reason: ResetReason, next: State): boolean {
    this.#enter(next);
    this.#position = { cursor: 0, floor: this.#feed.log.head, held: 0 };
    this.#feed.reset(reason);
    this.#writeWithToken(encodeReset(reason, RESET_MESSAGES[reason], this.#feed.cluster()));
    return false;
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
    this.#enter({ is: 'ended' });
    this.#feed.ended(this, reason);
    this.#options.sink.end(reason, this.#feed.now() - this.#writtenAtMs);
  }
}
