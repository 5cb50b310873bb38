// Whose call begins next when many come at once: sources (see `caller.ts`) take turns, and so do the connections of a
// source.
//
// A turn of the event loop reads every connection that has something to read, and each read may bring as many calls as
// a connection may have. Begun as they come, those of a flood would all begin before the one of a caller that sends one.
// So only a few of a source begin where they are read. What comes after them waits in the queue of its connection, and
// each turn begins a few more: so few that other callers' calls are looked at after some milliseconds. No call is
// refused here, and nothing is faster or slower for a caller that is alone.
//
// Looking at a call costs too, also at one that waits or is refused: node makes a stream of it. A source whose calls
// wait in great number is therefore not read, on any of its connections, until they have begun. It is remembered for a
// while: once one such source has been read in a turn, the others of them are not before the next. If it was for its
// calls, all of them wait for their turn, so that the clock bounds what they take of one, and less is read in a turn.
//
// What waits is on the ledger like every call, which bounds it. This file knows no sockets and owns no timer.

/** A connection, as far as its turn is concerned. */
export interface FairConnection {
  readonly source: string;
  /** Stops to read it; may be called again while it is paused. */
  pauseReading(): void;
  resumeReading(): void;
}

/** Begins a call; false: it has ended meanwhile, and cost next to nothing. */
export type BeginCall = () => boolean;

export interface FairQueueOptions {
  /** All open connections of a source. */
  readonly connectionsOf: (source: string) => Iterable<FairConnection>;
  /** Runs something once after the connections that are ready now have been read, in the order given (`setImmediate`). */
  readonly afterReads: (run: () => void) => void;
  /** A monotonic clock. */
  readonly nowMs: () => number;
  readonly countWaited: () => void;
  readonly countPaused: () => void;
}

/** Of the calls that wait, those that begin in a turn, at most: 32 lookups take about 1.5 ms. */
export const MAX_CALLS_PER_TURN = 32;

/** Calls that begin where they are read, in a turn: of one source, so that others may as well, and of all. */
export const MAX_AT_ONCE_OF_SOURCE = MAX_CALLS_PER_TURN;
export const MAX_AT_ONCE = 2 * MAX_CALLS_PER_TURN;

/**
 * They are counted anew once so many have begun, of a source or of all, which is cheaper than in every turn; sources
 * that send no more than that at once are not held up.
 */
const COUNTED_ANEW_AT = MAX_AT_ONCE_OF_SOURCE / 2;

/** None of those that waited begins after this in a turn: some, large batches for one, take longer than lookups. */
export const TURN_MS = 1.5;

/**
 * Calls of a source that wait, or that had to wait or ended with their connections in one turn, before none of its
 * connections is read any more: less than one connection may bring, so that two are not read in one turn.
 */
export const READ_BUDGET = 64;

/**
 * The same of a source that is remembered for its calls: looking at them and beginning some takes 1 to 2 ms, of which
 * other callers wait for two turns.
 */
export const READ_BUDGET_OF_FLOOD = 16;

/** They are read again when fewer of its calls wait: enough for the next turn. */
export const RESUME_BELOW = MAX_CALLS_PER_TURN;

/**
 * Connections of a source that are read again in one turn, those first that were paused for longest: one of them may
 * bring all that is read of the source in it, and to begin and stop to read a thousand takes 1 ms.
 */
export const MAX_RESUMED_PER_TURN = 8;

/** For so long a source is remembered that brought as much as that; which costs it nothing while it is the only one. */
export const REMEMBERED_MS = 10_000;

/** Sources that are remembered, about 100 bytes each: beyond it the one goes that was silent for longest. */
export const MAX_REMEMBERED = 1_000;

export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Of sources that have calls waiting, the one first whose turn it is. */
  readonly #lines = new Map<string, Line>();
  /** Calls that could not begin where they were read, by source, since the last turn. */
  readonly #arrived = new Map<string, number>();
  /** Connections that are not read, by source, the one first whose turn it is to be read again. */
  readonly #pausedOf = new Map<string, Set<FairConnection>>();
  #paused = 0;
  /** Those that are read again since their source was last paused, in this order. */
  readonly #resumedOf = new Map<string, Set<FairConnection>>();
  /** Sources that brought as much as may be read of one in a turn, the one first that did so longest ago. */
  readonly #remembered = new Map<string, Memory>();
  /** Since the last turn. */
  #hasPausedOthers = false;
  #waiting = 0;
  /** Where they were read, since they were counted anew. */
  #begun = 0;
  /** The same by source. */
  readonly #begunOf = new Map<string, number>();
  /** Steps of the next turn, or that are left of this one: each begins a call. */
  #steps = 0;
  /** Unset: none is under way. */
  #turnSinceMs: number | undefined = undefined;
  readonly #step = (): void => this.#takeStep();

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** Calls that wait to begin. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Connections that are not read at the moment. */
  get paused(): number {
    return this.#paused;
  }

  /** Sources that are remembered for having brought many calls at once. */
  get remembered(): number {
    return this.#remembered.size;
  }

  /** Whether a source brought many calls at once lately; connections and handshakes are not meant. */
  isFlooding(source: string): boolean {
    const memory = this.#remembered.get(source);
    return memory !== undefined && this.#options.nowMs() - memory.callsMs <= REMEMBERED_MS;
  }

  /** Whether a call may begin where it was read; counts it. */
  mayBegin({ source }: FairConnection): boolean {
    if (this.#begun >= MAX_AT_ONCE || (this.#waiting > 0 && this.#lines.has(source))) return false;
    if (this.isFlooding(source)) return false;
    const ofSource = this.#begunOf.get(source) ?? 0;
    if (ofSource >= MAX_AT_ONCE_OF_SOURCE) return false;
    this.#begun += 1;
    this.#begunOf.set(source, ofSource + 1);
    if (ofSource + 1 === COUNTED_ANEW_AT || this.#begun === COUNTED_ANEW_AT) this.#planStep();
    return true;
  }

  /** Has a call begin when it is its turn. */
  add(connection: FairConnection, begin: BeginCall): void {
    let line = this.#lines.get(connection.source);
    if (line === undefined) {
      line = { calls: 0, queues: new Map() };
      this.#lines.set(connection.source, line);
    }
    const queue = line.queues.get(connection);
    if (queue === undefined) line.queues.set(connection, [begin]);
    else queue.push(begin);
    const before = line.calls;
    line.calls += 1;
    this.#waiting += 1;
    this.#options.countWaited();
    // It may have come to that little by little.
    this.#bound(connection, before, line.calls, true);
    this.#note(connection, 1, true);
  }

  /** A call came that is not even to wait: that takes time all the same. */
  noteRefused(connection: FairConnection): void {
    this.#note(connection, 1, true);
  }

  /** Something else was done for a source that takes as long as so many calls; they end with their connection, for one. */
  noteEffort(connection: FairConnection, calls = 1): void {
    this.#note(connection, calls, false);
  }
  /** A connection has closed; its calls find that out when it is their turn. */
  forget(connection: FairConnection): void {
    const { source } = connection;
    if (removeFrom(this.#pausedOf, source, connection)) this.#paused -= 1;
    removeFrom(this.#resumedOf, source, connection);
  }

  #takeStep(): void {
    const nowMs = this.#options.nowMs();
    if (this.#turnSinceMs === undefined) {
      this.#turnSinceMs = nowMs;
      this.#arrived.clear();
      this.#hasPausedOthers = false;
      this.#begun = 0;
      this.#begunOf.clear();
    }
    this.#steps -= 1;
    if (nowMs - this.#turnSinceMs < TURN_MS) {
      // What has ended meanwhile takes no turn from others; of thousands even that takes time.
      for (let ended = 1; this.#next()?.() === false; ended++) {
        if (ended % MAX_CALLS_PER_TURN === 0 && this.#options.nowMs() - this.#turnSinceMs >= TURN_MS) break;
      }
    }
    if (this.#steps === 0) this.#endTurn();
  }

  #endTurn(): void {
    this.#turnSinceMs = undefined;
    this.#resumeOne();
    for (let count = Math.min(this.#waiting, MAX_CALLS_PER_TURN); count > 0; count--) this.#planStep();
    if (this.#paused > 0 && this.#steps === 0) this.#planStep();
  }

  /**
   * A step more in the next turn. Each is one of its own, because what a call does it does after the step in which it
   * began and before the next one, which sees how long that took.
   */
  #planStep(): void {
    if (this.#turnSinceMs !== undefined || this.#steps >= MAX_CALLS_PER_TURN) return;
    this.#steps += 1;
    this.#options.afterReads(this.#step);
  }

  /** Takes the call whose turn it is: of the next source, of its next connection, the oldest. */
  #next(): BeginCall | undefined {
    for (const [source, line] of this.#lines) {
      for (const [connection, queue] of line.queues) {
        const begin = queue.shift();
        line.calls -= 1;
        this.#waiting -= 1;
        // Both go to the end of their lines.
        line.queues.delete(connection);
        if (queue.length > 0) line.queues.set(connection, queue);
        this.#lines.delete(source);
        if (line.calls > 0) this.#lines.set(source, line);
        return begin;
      }
    }
    return undefined;
  }

  #waitingOf(source: string): number {
    return this.#lines.get(source)?.calls ?? 0;
  }

  /**
   * Has one source read again: several would each bring what one connection may send, all in the next turn. They take
   * turns here too.
   */
  #resumeOne(): void {
    for (const [source, paused] of this.#pausedOf) {
      if (this.#waitingOf(source) >= RESUME_BELOW) continue;
      this.#pausedOf.delete(source);
      const resumed = this.#resumedOf.get(source) ?? new Set();
      this.#resumedOf.set(source, resumed);
      let left = MAX_RESUMED_PER_TURN;
      for (const connection of paused) {
        if (left === 0) break;
        left -= 1;
        paused.delete(connection);
        this.#paused -= 1;
        resumed.add(connection);
        connection.resumeReading();
      }
      if (paused.size > 0) this.#pausedOf.set(source, paused);
      return;
    }
  }

  #note(connection: FairConnection, calls: number, areNew: boolean): void {
    const { source } = connection;
    const before = this.#arrived.get(source) ?? 0;
    const arrived = before + calls;
    this.#arrived.set(source, arrived);
    this.#bound(connection, before, arrived, areNew);
    this.#planStep();
  }

  /** Stops to read what has brought as much as is read of it in a turn. */
  #bound(connection: FairConnection, before: number, now: number, areCalls: boolean): void {
    const { source } = connection;
    const budget = this.isFlooding(source) ? READ_BUDGET_OF_FLOOD : READ_BUDGET;
    if (now < budget) return;
    if (before < budget) this.#fill(source, areCalls);
    // After those of its source that have brought nothing: they are read again before it.
    this.#pause(connection);
  }

  /** A source has brought as much as is read of it in a turn. Others that did so before are not read in this one. */
  #fill(source: string, areCalls: boolean): void {
    this.#pauseThoseRead(source);
    const nowMs = this.#options.nowMs();
    // Once a turn: those that come to it later in the turn are paused for themselves.
    if (!this.#hasPausedOthers) {
      this.#hasPausedOthers = true;
      for (const [other, { sinceMs }] of this.#remembered) {
        if (nowMs - sinceMs > REMEMBERED_MS) this.#remembered.delete(other);
        else if (other !== source) this.#pauseThoseRead(other);
      }
    }
    const callsMs = areCalls ? nowMs : (this.#remembered.get(source)?.callsMs ?? Number.NEGATIVE_INFINITY);
    this.#remembered.delete(source);
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(oldest);
    this.#remembered.set(source, { sinceMs: nowMs, callsMs });
  }

  /** They are read again before those that were paused already, for they have had less. */
  #pauseThoseRead(source: string): void {
    const before = this.#pausedOf.get(source) ?? NONE;
    const paused = new Set<FairConnection>();
    for (const connections of [this.#resumedOf.get(source) ?? NONE, this.#options.connectionsOf(source)]) {
      for (const connection of connections) {
        if (before.has(connection) || paused.has(connection)) continue;
        paused.add(connection);
        this.#countPaused();
        connection.pauseReading();
      }
    }
    for (const connection of before) paused.add(connection);
    this.#resumedOf.delete(source);
    if (paused.size > 0) this.#pausedOf.set(source, paused);
  }

  /** Also of one that is paused: node begins to read by itself after a write that was not taken at once. */
  #pause(connection: FairConnection): void {
    const { source } = connection;
    let paused = this.#pausedOf.get(source);
    if (paused === undefined) {
      paused = new Set();
      this.#pausedOf.set(source, paused);
    }
    if (!paused.delete(connection)) this.#countPaused();
    paused.add(connection);
    connection.pauseReading();
  }

  #countPaused(): void {
    this.#paused += 1;
    this.#options.countPaused();
  }
}

/** When a source last brought as much as may be read of one in a turn: whatever it was, and calls. */
interface Memory {
  readonly sinceMs: number;
  readonly callsMs: number;
}

/** Calls of one source that wait. */
interface Line {
  calls: number;
  /** By connection, the one first whose turn it is. */
  readonly queues: Map<FairConnection, BeginCall[]>;
}

const NONE: ReadonlySet<FairConnection> = new Set();

/** Whether it was there. */
function removeFrom(sets: Map<string, Set<FairConnection>>, source: string, connection: FairConnection): boolean {
  const set = sets.get(source);
  if (set?.delete(connection) !== true) return false;
  if (set.size === 0) sets.delete(source);
  return true;
}
