// Remembers what was decided elsewhere (a token review, an access review) for a short while, and asks once for all who
// wait.
//
// Three memories, each bounded by dropping its oldest entry, so that none pushes out another: what was denied; what was
// allowed; and what was allowed and has proved useful, which is what makes its caller known. Known callers have room
// for reviews of their own (review-lanes.ts), also when their time has run out. A decision to allow is renewed before
// it runs out, while it still serves: a healthy caller does not wait for that. When nothing can be decided, a lane asks
// nothing for a moment, and what is remembered runs out: closed, not open.

import { type Lane, type LaneLimits, ReviewLane, UndecidedError } from './review-lanes.ts';

/** What is decided. */
export interface Decision {
  readonly allowed: boolean;
}

/** On whose behalf is asked. */
export interface Asker {
  /** Whom it is counted with while it is a newcomer; asked for only when a review is needed. */
  peer(): string;
  /** It was let in before and is looked at again, whatever is remembered of it. */
  readonly admitted: boolean;
}

export interface DecisionCacheOptions {
  /** How long an allowance holds without another decision. */
  readonly allowedTtlMs: number;
  readonly deniedTtlMs: number;
  /** Of each memory. */
  readonly maxEntries: number;
  /** Whether an allowance alone makes its caller known; else `prove` does. */
  readonly allowedIsProven: boolean;
  readonly lanes: Readonly<Record<Lane, LaneLimits>>;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** After a failure, so that an API server that is down is not asked for every call. */
const HOLD_AFTER_FAILURE_MS = 500;

interface Entry<D> {
  readonly decision: D;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

export class DecisionCache<D extends Decision> {
  readonly #options: DecisionCacheOptions;
  readonly #proven = new Map<string, Entry<D>>();
  readonly #allowed = new Map<string, Entry<D>>();
  readonly #denied = new Map<string, Entry<D>>();
  readonly #underWay = new Map<string, Promise<D>>();
  readonly #lanes: Readonly<Record<Lane, ReviewLane>>;
  /** Of each lane: a newcomer whose review fails is no reason to ask nothing about known callers. */
  readonly #holdUntilMs: Record<Lane, number> = { known: Number.NEGATIVE_INFINITY, new: Number.NEGATIVE_INFINITY };

  constructor(options: DecisionCacheOptions) {
    this.#options = options;
    this.#lanes = { known: new ReviewLane(options.lanes.known), new: new ReviewLane(options.lanes.new) };
  }

  /** Entries, those that have run out and were not asked for since included. */
  get size(): number {
    return this.#proven.size + this.#allowed.size + this.#denied.size;
  }

  lane(lane: Lane): Pick<ReviewLane, 'underWay' | 'waiting' | 'refused'> {
    return this.#lanes[lane];
  }

  /** What is remembered under the key, at once, else what `decide` says. Rejects with an UndecidedError. */
  decide(key: string, asker: Asker, decide: () => Promise<D>): D | Promise<D> {
    const nowMs = this.#options.nowMs();
    const entry = this.#proven.get(key) ?? this.#allowed.get(key) ?? this.#denied.get(key);
    if (entry !== undefined && nowMs < entry.endsAtMs) {
      if (nowMs >= entry.renewAtMs) this.#renew(key, asker, decide);
      return entry.decision;
    }
    return this.#start(key, asker, decide);
  }

  /** The caller behind the key was allowed something by it: it is known from here on. */
  prove(key: string): void {
    const entry = this.#allowed.get(key);
    if (entry === undefined) return;
    this.#allowed.delete(key);
    this.#put(this.#proven, key, entry);
  }

  #renew(key: string, asker: Asker, decide: () => Promise<D>): void {
    // What is remembered serves on; if it runs out before this succeeds, the next caller is told.
    this.#start(key, asker, decide).catch((error: unknown) => {
      if (!(error instanceof UndecidedError)) throw error;
    });
  }

  #start(key: string, asker: Asker, decide: () => Promise<D>): Promise<D> {
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const lane: Lane = asker.admitted || this.#proven.has(key) ? 'known' : 'new';
    if (this.#options.nowMs() < this.#holdUntilMs[lane]) {
      return Promise.reject(new UndecidedError('failed', 'the last review failed a moment ago'));
    }
    const started = this.#lanes[lane]
      .run(asker.peer(), decide)
      .then(
        (decision) => {
          this.#keep(key, decision);
          return decision;
        },
        (error: unknown) => {
          if (error instanceof UndecidedError && error.why === 'failed') {
            this.#holdUntilMs[lane] = this.#options.nowMs() + HOLD_AFTER_FAILURE_MS;
          }
          throw error;
        },
      )
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  #keep(key: string, decision: D): void {
    const { allowedTtlMs, deniedTtlMs, allowedIsProven } = this.#options;
    const nowMs = this.#options.nowMs();
    const ttlMs = decision.allowed ? allowedTtlMs : deniedTtlMs;
    // A denial is asked for again when it has run out, not before: it may be an attack.
    const renewAtMs = decision.allowed ? nowMs + ttlMs / 2 : Number.POSITIVE_INFINITY;
    const wasProven = this.#proven.delete(key);
    this.#allowed.delete(key);
    this.#denied.delete(key);
    const allowed = allowedIsProven || wasProven ? this.#proven : this.#allowed;
    this.#put(decision.allowed ? allowed : this.#denied, key, { decision, renewAtMs, endsAtMs: nowMs + ttlMs });
  }

  #put(entries: Map<string, Entry<D>>, key: string, entry: Entry<D>): void {
    if (entries.size >= this.#options.maxEntries) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    }
    entries.set(key, entry);
  }
}
