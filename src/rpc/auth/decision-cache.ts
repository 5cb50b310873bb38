// Remembers what somebody else decided (a token review, an access review) for a short while, and asks once for all who
// wait.
//
// Bounds: entries, by dropping the oldest; decisions under way, by refusing more. What was allowed and what was denied
// are kept apart, so that nobody can push out what others are allowed by sending rubbish. What was allowed is decided
// anew before it runs out, while it still serves: a healthy caller never waits for that. When nothing can be decided,
// nobody asks again for a moment, and what is remembered runs out: closed, not open.

/** What is decided. */
export interface Decision {
  readonly allowed: boolean;
}

/** Nothing could be decided now. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError';
}

export interface DecisionCacheOptions {
  /** How long an allowance holds without another decision. */
  readonly allowedTtlMs: number;
  readonly deniedTtlMs: number;
  /** Of each kind. */
  readonly maxEntries: number;
  /** Beyond it further ones are refused as undecided. */
  readonly maxUnderWay: number;
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
  readonly #allowed = new Map<string, Entry<D>>();
  readonly #denied = new Map<string, Entry<D>>();
  readonly #underWay = new Map<string, Promise<D>>();
  #holdUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: DecisionCacheOptions) {
    this.#options = options;
  }

  /** Entries, those that have run out and were not asked for since included. */
  get size(): number {
    return this.#allowed.size + this.#denied.size;
  }

  /** What is remembered under the key, at once, else what `decide` says. Rejects with an UndecidedError. */
  decide(key: string, decide: () => Promise<D>): D | Promise<D> {
    const nowMs = this.#options.nowMs();
    const entry = this.#allowed.get(key) ?? this.#denied.get(key);
    if (entry !== undefined && nowMs < entry.endsAtMs) {
      if (nowMs >= entry.renewAtMs) this.#renew(key, decide);
      return entry.decision;
    }
    return this.#start(key, decide);
  }

  #renew(key: string, decide: () => Promise<D>): void {
    // What is remembered serves on; if it runs out before this succeeds, the next caller is told.
    this.#start(key, decide).catch((error: unknown) => {
      if (!(error instanceof UndecidedError)) throw error;
    });
  }

  #start(key: string, decide: () => Promise<D>): Promise<D> {
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    if (this.#underWay.size >= this.#options.maxUnderWay) {
      return Promise.reject(new UndecidedError('too many reviews are under way'));
    }
    if (this.#options.nowMs() < this.#holdUntilMs) {
      return Promise.reject(new UndecidedError('the last review failed a moment ago'));
    }
    const started = decide()
      .then(
        (decision) => {
          this.#keep(key, decision);
          return decision;
        },
        (error: unknown) => {
          if (error instanceof UndecidedError) this.#holdUntilMs = this.#options.nowMs() + HOLD_AFTER_FAILURE_MS;
          throw error;
        },
      )
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  #keep(key: string, decision: D): void {
    const { allowedTtlMs, deniedTtlMs, maxEntries } = this.#options;
    const nowMs = this.#options.nowMs();
    const ttlMs = decision.allowed ? allowedTtlMs : deniedTtlMs;
    // A denial is asked for again when it has run out, not before: it may be an attack.
    const renewAtMs = decision.allowed ? nowMs + ttlMs / 2 : Number.POSITIVE_INFINITY;
    this.#allowed.delete(key);
    this.#denied.delete(key);
    const entries = decision.allowed ? this.#allowed : this.#denied;
    if (entries.size >= maxEntries) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    }
    entries.set(key, { decision, renewAtMs, endsAtMs: nowMs + ttlMs });
  }
}
