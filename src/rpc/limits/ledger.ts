// What every call costs the process, from its headers until its stream has closed: one account in all, one for each
// caller. Whatever a call does (its request arrives, it waits or follows, its answer is to be taken), it is on it once.
//
// At a bound the call goes whose other side has kept us waiting longest: a request that is not complete, or an answer
// that its caller does not read. An honest caller finishes and takes within milliseconds, so it is never the oldest.
// When nothing waits for its caller, what is new is refused. So the account passes its bound by what is refused at the
// moment and no more, and that goes first.
//
// It knows nothing of gRPC and owns no timer: the owner of an entry says what happens to its call, and `endLate` is
// called by a clock.

/** Where a call is in its life. */
export type Phase =
  /** Its request is not complete. */
  | 'arriving'
  /** It is worked on, waits, or follows the feed. */
  | 'held'
  /** Its answer is not taken yet. */
  | 'leaving'
  | 'over';

/** Why a call has to end. */
export type EndReason = 'room' | 'late';

/** Whose bound leaves no room. */
export type Full = 'replica' | 'caller';

export interface LedgerLimits {
  readonly maxBytes: number;
  /** Of one caller. */
  readonly maxCallerBytes: number;
}

/** A call on the account; extended by what knows the call. */
export abstract class LedgerEntry {
  /** To be changed by the ledger only, as all of these. */
  phase: Phase = 'over';
  bytes = 0;
  caller: CallerAccount = NO_ACCOUNT;
  /** Turn, moment, and place in the order, in which it came into its phase. */
  sinceTurn = 0;
  sinceMs = 0;
  order = 0;
  /** Its neighbours among the calls of its caller that wait for their other side. */
  older: LedgerEntry | undefined = undefined;
  newer: LedgerEntry | undefined = undefined;

  /** A request of many messages may be silent between two of them. */
  abstract readonly mayPause: boolean;

  /** Has to end the call at once; the ledger has forgotten it unless `phase` says `leaving`. */
  abstract end(phase: 'arriving' | 'leaving', reason: EndReason, full: Full): void;
}

/** What one caller has open. */
export interface CallerAccount {
  readonly name: string;
  bytes: number;
  calls: number;
  /**
   * Of its calls that wait for their other side the one that has for longest, and the latest. A list of its own: at its
   * bound a caller pays for looking at its own calls, not at those of all others.
   */
  oldest: LedgerEntry | undefined;
  latest: LedgerEntry | undefined;
}

/** Calls that come within this of one another may be of one burst: what came with it is read by then. */
const TOGETHER_MS = 250;

/** In how many parts the time is counted that a request has, and that an answer has. */
export const TURNS = 10;

/** Calls that `endLate` ends at once: each is told why, which takes 0.1 ms. */
export const MAX_ENDS_AT_ONCE = 32;

export class Ledger {
  readonly #limits: LedgerLimits;
  readonly #nowMs: () => number;
  readonly #callers = new Map<string, CallerAccount>();
  /** Each in the order in which its calls came into the phase. */
  readonly #arriving = new Set<LedgerEntry>();
  readonly #leaving = new Set<LedgerEntry>();
  #bytes = 0;
  #calls = 0;
  #order = 0;
  #requestTurn = 0;
  #answerTurn = 0;

  /** `nowMs`: a monotonic clock. */
  constructor(limits: LedgerLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Callers that have a call open. */
  get callers(): number {
    return this.#callers.size;
  }

  get arriving(): number {
    return this.#arriving.size;
  }

  get leaving(): number {
    return this.#leaving.size;
  }

  /** Bytes of calls in a phase; walks over them. */
  bytesOf(phase: 'arriving' | 'leaving'): number {
    let bytes = 0;
    for (const entry of phase === 'arriving' ? this.#arriving : this.#leaving) bytes += entry.bytes;
    return bytes;
  }

  /** Of the caller that has most. */
  get largestCallerBytes(): number {
    let most = 0;
    for (const { bytes } of this.#callers.values()) most = Math.max(most, bytes);
    return most;
  }

  /**
   * Enters a call whose headers have come. Returns what is full, if anything; the call is on the account either way.
   * `isOneOfMany`: it came with so many others that it has to wait; then no call of its own caller ends for it that may
   * have come with it, and has had no time to finish.
   */
  open(entry: LedgerEntry, caller: string, bytes: number, isOneOfMany = false): Full | undefined {
    entry.caller = this.#accountOf(caller);
    entry.caller.calls += 1;
    this.#calls += 1;
    this.#add(entry, bytes);
    this.#enter(entry, 'arriving');
    return this.#makeRoom(entry, isOneOfMany ? this.#nowMs() - TOGETHER_MS : undefined);
  }

  /** The caller is known now. Returns what is full, if anything; the call is on its account either way. */
  assign(entry: LedgerEntry, caller: string): Full | undefined {
    if (entry.phase === 'over' || entry.caller.name === caller) return undefined;
    const { bytes } = entry;
    const waits = entry.phase !== 'held';
    if (waits) unlink(entry);
    this.#release(entry.caller, bytes);
    entry.caller = this.#accountOf(caller);
    entry.caller.calls += 1;
    entry.caller.bytes += bytes;
    if (waits) link(entry);
    return this.#makeRoom(entry);
  }

  /** The request takes so much more, or less. Whether there is room for it. */
  grow(entry: LedgerEntry, bytes: number): Full | undefined {
    if (entry.phase === 'over') return undefined;
    this.#add(entry, bytes);
    return bytes > 0 ? this.#makeRoom(entry) : undefined;
  }

  /** The call has to wait for its turn, which is not its caller's doing. */
  wait(entry: LedgerEntry): void {
    if (entry.phase === 'arriving') this.#enter(entry, 'held');
  }

  /** It is its turn. */
  begin(entry: LedgerEntry): void {
    if (entry.phase === 'held') this.#enter(entry, 'arriving');
  }

  /** The request is complete: its call is worked on now. */
  requestCompleted(entry: LedgerEntry): void {
    if (entry.phase === 'arriving') this.#enter(entry, 'held');
  }

  /** The caller has taken all that was sent so far, and the call goes on. */
  goOn(entry: LedgerEntry, isRequestComplete: boolean): void {
    if (entry.phase === 'leaving') this.#enter(entry, isRequestComplete ? 'held' : 'arriving');
  }

  /** Something was sent that takes so much until it is taken. */
  answer(entry: LedgerEntry, bytes: number): void {
    if (entry.phase === 'over') return;
    this.#add(entry, bytes);
    if (entry.phase !== 'leaving') this.#enter(entry, 'leaving');
    this.#makeRoom(entry);
  }

  /** Nothing is left of the call. */
  close(entry: LedgerEntry): void {
    if (entry.phase === 'over') return;
    this.#leave(entry);
    this.#bytes -= entry.bytes;
    this.#calls -= 1;
    this.#release(entry.caller, entry.bytes);
    entry.bytes = 0;
    entry.phase = 'over';
  }

  /** A tenth of the time that requests have is over: to be called TURNS times in it, and `endLate` after it. */
  passRequestTurn(): void {
    this.#requestTurn += 1;
  }

  /** The same of the time that answers have. */
  passAnswerTurn(): void {
    this.#answerTurn += 1;
  }

  /**
   * Ends requests that have taken too long, and calls whose answers have gone unread for too long: so many at most, for
   * thousands that came together would be late together. Whether there are more, to be ended in a later turn.
   */
  endLate(): boolean {
    let left = MAX_ENDS_AT_ONCE;
    for (const entry of this.#arriving) {
      if (this.#requestTurn - entry.sinceTurn <= TURNS) break;
      if (entry.mayPause) continue;
      if (left === 0) return true;
      left -= 1;
      entry.end('arriving', 'late', 'replica');
      // On its way out: it is not to be ended again in every turn until then.
      if (entry.phase === 'arriving') this.#enter(entry, 'arriving');
    }
    for (const entry of this.#leaving) {
      if (this.#answerTurn - entry.sinceTurn <= TURNS) break;
      if (left === 0) return true;
      left -= 1;
      this.close(entry);
      entry.end('leaving', 'late', 'replica');
    }
    return false;
  }

  /**
   * Ends calls, the oldest first, until it and its caller are within their bounds; whose bound is passed still.
   * `ownBeforeMs`: of its own caller only those that came into their phase before then.
   */
  #makeRoom(latest: LedgerEntry, ownBeforeMs?: number): Full | undefined {
    const { maxBytes, maxCallerBytes } = this.#limits;
    const { caller } = latest;
    while (caller.bytes > maxCallerBytes && latest.phase !== 'over') {
      const oldest = this.#oldest(latest, caller);
      if (oldest === undefined || (ownBeforeMs !== undefined && oldest.sinceMs > ownBeforeMs)) return 'caller';
      this.#evict(oldest, 'caller');
    }
    while (this.#bytes > maxBytes && latest.phase !== 'over') {
      const oldest = this.#oldest(latest, undefined);
      if (oldest === undefined) return 'replica';
      this.#evict(oldest, 'replica');
    }
    return undefined;
  }

  #evict(entry: LedgerEntry, full: Full): void {
    const phase = entry.phase === 'leaving' ? 'leaving' : 'arriving';
    // First, so that what the end of the call brings about finds it forgotten.
    this.close(entry);
    entry.end(phase, 'room', full);
  }

  /** The call, of this caller, that has waited longest for its other side. */
  #oldest(except: LedgerEntry, caller: CallerAccount | undefined): LedgerEntry | undefined {
    if (caller !== undefined) return caller.oldest === except ? except.newer : caller.oldest;
    const arriving = firstOf(this.#arriving, except);
    const leaving = firstOf(this.#leaving, except);
    if (arriving === undefined || leaving === undefined) return arriving ?? leaving;
    return arriving.order < leaving.order ? arriving : leaving;
  }

  #enter(entry: LedgerEntry, phase: Exclude<Phase, 'over'>): void {
    this.#leave(entry);
    entry.phase = phase;
    if (phase === 'held') return;
    entry.order = this.#order;
    entry.sinceMs = this.#nowMs();
    this.#order += 1;
    if (phase === 'arriving') {
      entry.sinceTurn = this.#requestTurn;
      this.#arriving.add(entry);
    } else {
      entry.sinceTurn = this.#answerTurn;
      this.#leaving.add(entry);
    }
    link(entry);
  }

  #leave(entry: LedgerEntry): void {
    if (entry.phase === 'arriving') this.#arriving.delete(entry);
    else if (entry.phase === 'leaving') this.#leaving.delete(entry);
    else return;
    unlink(entry);
  }

  #add(entry: LedgerEntry, bytes: number): void {
    entry.bytes += bytes;
    entry.caller.bytes += bytes;
    this.#bytes += bytes;
  }

  #accountOf(name: string): CallerAccount {
    let account = this.#callers.get(name);
    if (account === undefined) {
      account = { name, bytes: 0, calls: 0, oldest: undefined, latest: undefined };
      this.#callers.set(name, account);
    }
    return account;
  }

  #release(account: CallerAccount, bytes: number): void {
    account.bytes -= bytes;
    account.calls -= 1;
    if (account.calls === 0) this.#callers.delete(account.name);
  }
}

/** Of an entry that is on no account. */
const NO_ACCOUNT: CallerAccount = { name: '', bytes: 0, calls: 0, oldest: undefined, latest: undefined };

function firstOf(entries: ReadonlySet<LedgerEntry>, except: LedgerEntry): LedgerEntry | undefined {
  for (const entry of entries) {
    if (entry !== except) return entry;
  }
  return undefined;
}

/** Puts a call where it belongs by its order: last, unless its caller became known only now. */
function link(entry: LedgerEntry): void {
  const { caller } = entry;
  let older = caller.latest;
  while (older !== undefined && older.order > entry.order) older = older.older;
  const newer = older === undefined ? caller.oldest : older.newer;
  entry.older = older;
  entry.newer = newer;
  if (older === undefined) caller.oldest = entry;
  else older.newer = entry;
  if (newer === undefined) caller.latest = entry;
  else newer.older = entry;
}

function unlink(entry: LedgerEntry): void {
  const { caller, older, newer } = entry;
  if (older === undefined) caller.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) caller.latest = older;
  else newer.older = older;
  entry.older = undefined;
  entry.newer = undefined;
}
