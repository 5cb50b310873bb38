// Where a subscription begins: what this process keeps for consumers that come back, and what a token is worth here.
//
//   a token of this process       continues where it stands, unless a removal that is missing was dropped
//   one of another replica,       continues once this process has seen at least what the consumer has, from before the first
//   or of one that is gone        change that the consumer may not have, see `tokens/sources.ts` and `reading/projection.ts`
//   anything else                 Reset, with the reason, and a snapshot
//
// Never back in time: a consumer that has seen more than this process waits a little, and then has to ask elsewhere.

import { hash } from 'node:crypto';
import type { ChangeBatch } from '../../model/changes.ts';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import type { ChangeLog } from '../log/change-log.ts';
import type { ProjectionSurroundings } from '../reading/projection.ts';
import { FACTS_KEY, type TimelinesInLog } from '../log/items.ts';
import { encodeToken, type ResumeToken } from '../tokens/resume-token.ts';
import type { ReadingPosition } from '../reading/position.ts';
import type { Scheduler } from './scheduler.ts';
import { Sources } from '../tokens/sources.ts';
import type { SubscriptionStart } from './subscription-start.ts';
import { TouchedKeys } from '../log/touched-keys.ts';

export interface ResumptionOptions {
  /** Names this process; 16 random bytes. */
  readonly epoch: Uint8Array;
  readonly log: ChangeLog;
  readonly scheduler: Scheduler;
  readonly limits: ResumptionLimits;
  readonly cluster: () => ClusterIdentity;
  readonly timelines: TimelinesInLog | undefined;
  /** A subscription of another process goes on here. */
  readonly resumedElsewhere: () => void;
}

export interface ResumptionLimits {
  readonly removalRetentionMs: number;
  readonly maxRemovals: number;
  readonly catchUpTimeoutMs: number;
}

export class Resumption implements ProjectionSurroundings {
  readonly #options: ResumptionOptions;
  readonly #sources = new Sources();
  readonly #touched = new TouchedKeys();
  #epoch: Uint8Array;
  /** Hexadecimal: those that this process had before its API server's history was rewritten. */
  readonly #formerEpochs = new Set<string>();

  constructor(options: ResumptionOptions) {
    if (options.epoch.byteLength !== 16) throw new Error(`an epoch has 16 bytes, not ${options.epoch.byteLength}`);
    this.#options = options;
    this.#epoch = options.epoch;
  }

  /** Steps of sources that are kept. */
  get steps(): number {
    return this.#sources.steps;
  }

  /** Touched entities that are kept. */
  get touched(): number {
    return this.#touched.size;
  }

  /** Of a token for a consumer that has everything and did not ask for timelines. */
  get tokenBytes(): number {
    const { head } = this.#options.log;
    return encodeToken({
      projection: new Uint8Array(8),
      epoch: this.#epoch,
      issuedMs: Math.floor(this.wallTime()),
      cursor: head,
      floor: head,
      held: head,
      followedForMs: 0,
      isSettled: false,
      sources: this.sources(head),
      cluster: this.cluster(),
    }).byteLength;
  }

  epoch(): Uint8Array {
    return this.#epoch;
  }

  cluster(): ClusterIdentity {
    return this.#options.cluster();
  }

  wallTime(): number {
    return this.#options.scheduler.wallTime();
  }

  followed({ cursor, held }: ReadingPosition): ReturnType<ProjectionSurroundings['followed']> {
    const { log, scheduler, timelines } = this.#options;
    const sinceMs = timelines?.followedSinceMs ?? Number.POSITIVE_INFINITY;
    // It has not taken all that this process owes it, or is so far behind that its timelines are not those of the
    // moment.
    const isBehind = held > cursor || (log.headAt(scheduler.now() - TIMELINES_MARGIN_MS / 2) ?? 0) > cursor;
    const forMs = Math.floor(this.wallTime()) - sinceMs;
    return {
      followedForMs: isBehind || forMs < 0 ? 0 : Math.min(forMs, MAX_FOLLOWED_MS),
      isSettled: timelines?.isSettled === true && cursor >= log.head,
    };
  }

  sources(floor: number): ReturnType<ProjectionSurroundings['sources']> {
    return this.#sources.since(floor, this.#options.log.head);
  }

  /**
   * The log holds the batch; `before` is where it stood. Returns whether the API server's history was rewritten: then
   * every token is void.
   */
  apply(batch: ChangeBatch, before: number, nowMs: number): boolean {
    for (const { before: old, after } of batch.changes) {
      if (after !== undefined) this.#touched.change(after, before, nowMs);
      else if (old !== undefined) this.#touched.drop(old);
    }
    for (const touched of batch.touched ?? []) this.#touched.touch(touched, before, nowMs);
    const isRewritten = this.#sources.apply(batch, before, this.#options.log.head, nowMs);
    if (isRewritten) {
      this.#formerEpochs.add(toHex(this.#epoch));
      this.#epoch = hash('sha256', this.#epoch, 'buffer').subarray(0, 16);
    }
    this.forget(nowMs);
    return isRewritten;
  }

  /** Drops what is kept for consumers that come back, when its time is over. */
  forget(nowMs: number): void {
    const { log, limits } = this.#options;
    log.expire(nowMs);
    this.#touched.forget(nowMs - limits.removalRetentionMs, limits.maxRemovals);
    this.#sources.forget(nowMs - limits.removalRetentionMs, log.forgotten);
  }

  /** For a token of a projection that is still the same. */
  start(token: ResumeToken, timelines: boolean): SubscriptionStart {
    const { log, scheduler, limits } = this.#options;
    this.forget(scheduler.now());
    if (this.#formerEpochs.has(toHex(token.epoch))) return { from: 'snapshot', reason: 'HISTORY_REWRITTEN' };
    if (Buffer.compare(token.epoch, this.#epoch) !== 0) {
      const untilMs = scheduler.now() + limits.catchUpTimeoutMs;
      const waiting: SubscriptionStart = {
        from: 'elsewhere',
        ask: () => this.#startFromElsewhere(token, timelines) ?? waiting,
        untilMs,
      };
      return waiting;
    }
    const { cursor, floor, held } = token;
    // `held` may be one beyond the head, see below.
    if (Math.max(cursor, floor, held - 1) > log.head) return { from: 'snapshot', reason: 'OTHER_EPOCH' };
    if (log.forgotten > Math.max(cursor, floor)) return { from: 'snapshot', reason: 'TOKEN_EXPIRED' };
    if (held <= cursor) return { from: 'token', position: { cursor, floor, held }, touched: undefined };
    // It came from another process, and was cut off before it had everything.
    if (this.#touched.forgotten >= floor) return { from: 'snapshot', reason: 'TOKEN_EXPIRED' };
    return { from: 'token', position: { cursor, floor, held }, touched: this.#touched.since(floor) };
  }

  /** `undefined`: this process is behind. */
  #startFromElsewhere(token: ResumeToken, timelines: boolean): SubscriptionStart | undefined {
    const { log, scheduler, limits, resumedElsewhere } = this.#options;
    const found = this.#sources.find(token.sources, log.head);
    if (found.answer === 'reset') return { from: 'snapshot', reason: found.reason };
    if (found.answer === 'behind') {
      // A history that was rewritten may never come to the token's versions, so that waiting has to have an end.
      const isOld = scheduler.wallTime() - token.issuedMs >= limits.removalRetentionMs;
      return isOld ? { from: 'snapshot', reason: 'TOKEN_EXPIRED' } : undefined;
    }
    const cursor = timelines ? this.#withTimelines(found.sequence, token) : found.sequence;
    if (cursor === undefined) return { from: 'snapshot', reason: 'OTHER_EPOCH' };
    if (log.forgotten > cursor || this.#touched.forgotten >= cursor) {
      return { from: 'snapshot', reason: 'TOKEN_EXPIRED' };
    }
    resumedElsewhere();
    // Beyond the cursor in any case: that is how the tokens of the next frames say that touched entities are owed.
    const position = { cursor, floor: cursor, held: Math.max(log.head, cursor + 1) };
    return { from: 'token', position, touched: this.#touched.since(cursor) };
  }

  /**
   * Both processes have followed the cluster through all of the history that this one can tell. A timeline that was not
   * written anew since then is not told again, and where one of them had missed something the other one's facts would
   * turn the hole into a moment at which no object held the address.
   */
  #knowsTheSamePast({ issuedMs, followedForMs }: ResumeToken): boolean {
    const { timelines } = this.#options;
    if (timelines === undefined) return true;
    const { historySinceMs, followedSinceMs } = timelines;
    return followedForMs > 0 && issuedMs - followedForMs <= historySinceMs && followedSinceMs <= historySinceMs;
  }

  /**
   * Timelines are observations, so their versions say nothing to another process: everything that was written here
   * since the token's moment is told, and a little more. The facts are told in any case: they are this process's own.
   * `undefined`: that would not be enough.
   */
  #withTimelines(sequence: number, token: ResumeToken): number | undefined {
    if (!this.#knowsTheSamePast(token)) return undefined;
    const { log, scheduler } = this.#options;
    const agoMs = Math.max(0, scheduler.wallTime() - token.issuedMs);
    const before = log.headAt(scheduler.now() - agoMs - TIMELINES_MARGIN_MS);
    // This process began later than that. Everything that was written here is told, but of what it never knew it cannot
    // tell the end.
    if (before === undefined && !token.isSettled) return undefined;
    const facts = log.item(FACTS_KEY);
    if (facts !== undefined) log.put(facts, scheduler.now());
    return Math.min(sequence, before ?? 0);
  }
}

/** What clocks of replicas and the ways of one change to them may differ by. */
const TIMELINES_MARGIN_MS = 60_000;

/** 37 hours, which take four bytes; no history is longer than a day. */
const MAX_FOLLOWED_MS = 37 * 3_600_000;

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
