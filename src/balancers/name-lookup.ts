// One host name and one address family: what it resolved to, when to ask again, and which addresses to let go of.
//
// Asks at the name's TTL. Name servers tell only some of many addresses at a time, take turns, and fail: an address
// stays until several answers in a row lacked it. "No such name" counts as an answer; a failure does not, and keeps
// what was there for a while. What ended did so between the last answer that had it and now, and what began between the
// last two answers; both are said, so that moments between are uncertain. No sockets and no clock here.

/** An answer of a name server; no addresses: there is no such name, or it has none of the family. */
export interface NameAnswer {
  readonly addresses: readonly { readonly address: string; readonly ttlSeconds: number }[];
}

export interface LookupChange {
  /** Addresses that came, after this moment; unset: it was not asked before. */
  readonly added: readonly string[];
  readonly addedSinceMs: number | undefined;
  /** Addresses that went, after this moment. */
  readonly ended: readonly string[];
  readonly endedSinceMs: number | undefined;
  /** Addresses that the answer had beyond the bound. */
  readonly cut: number;
}

/** AWS tells 8 addresses at a time and has a TTL of 60 s. */
export const MAX_ADDRESSES = 64;
/** An address that is one of 16 of which 8 are told each time is missed 4 times in a row once in 16 answers. */
const MISSES = 4;
const MIN_TTL_MS = 10_000;
const MAX_TTL_MS = 3_600_000;
/** For what does not exist, or has no address of the family (nearly every name has none of IPv6). */
const NEGATIVE_MS = 60_000;
const FIRST_BACKOFF_MS = 5_000;
const MAX_BACKOFF_MS = 300_000;
/** How long what was told stands without an answer: RFC 8767 has up to days, load balancers move within hours. */
const MAX_STALE_MS = 3_600_000;

interface Told {
  answeredMs: number;
  misses: number;
}

export class NameLookup {
  readonly #told = new Map<string, Told>();
  #answeredMs: number | undefined;
  #failures = 0;
  /** ms since the epoch. */
  nextMs: number;
  isAsked = false;

  constructor(nowMs: number) {
    this.nextMs = nowMs;
  }

  /** In the order in which they came. */
  get addresses(): readonly string[] {
    return [...this.#told.keys()];
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** `addresses`: canonical. `random`: in [0, 1). */
  answer({ addresses }: NameAnswer, nowMs: number): LookupChange {
    const addedSinceMs = this.#answeredMs;
    this.#answeredMs = nowMs;
    this.#failures = 0;
    const all = [...new Set(addresses.map(({ address }) => address))].sort();
    // The same ones at every answer, whatever their order.
    const kept = all.slice(0, MAX_ADDRESSES);
    const ttlMs = Math.min(...addresses.map(({ ttlSeconds }) => ttlSeconds)) * 1_000;
    this.nextMs = nowMs + (all.length === 0 ? NEGATIVE_MS : Math.min(Math.max(ttlMs, MIN_TTL_MS), MAX_TTL_MS));
    const added: string[] = [];
    for (const address of kept) {
      if (!this.#told.has(address)) added.push(address);
      this.#told.set(address, { answeredMs: nowMs, misses: 0 });
    }
    const ended: string[] = [];
    let endedSinceMs: number | undefined;
    for (const [address, told] of this.#told) {
      if (told.answeredMs === nowMs) continue;
      told.misses += 1;
      // More than is kept at a time cannot be those that take turns.
      if (told.misses < MISSES && this.#told.size <= MAX_ADDRESSES) continue;
      this.#told.delete(address);
      ended.push(address);
      endedSinceMs = Math.min(endedSinceMs ?? told.answeredMs, told.answeredMs);
    }
    return { added, addedSinceMs, ended, endedSinceMs, cut: all.length - kept.length };
  }

  /** No answer came. */
  fail(nowMs: number, random: number): LookupChange {
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    this.nextMs = nowMs + backoffMs * (1 + random / 2);
    const isStale = this.#answeredMs !== undefined && nowMs - this.#answeredMs > MAX_STALE_MS;
    const ended = isStale ? this.addresses : [];
    const times = [...this.#told.values()].map(({ answeredMs }) => answeredMs);
    if (isStale) this.#told.clear();
    const endedSinceMs = ended.length === 0 ? undefined : Math.min(...times);
    return { added: [], addedSinceMs: undefined, ended, endedSinceMs, cut: 0 };
  }
}
