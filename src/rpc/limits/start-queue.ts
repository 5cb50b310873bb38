// Whose connection begins next when many come at once: sources (see `caller.ts`) take turns, a few a turn of the event
// loop, and each source so many in a while.
//
// A connection costs before its first call: a place that another may have to be ended for, a TLS handshake (one to two
// ms of keys), a session of HTTP/2. Begun as they come, and each with what it has sent already, hundreds would be one
// long turn for every caller. So each of those steps waits here for its turn, and what waits is not read.
//
// Turns do not bound what comes after them: what connections leave behind is collected, and a collection stops every
// caller for 3 to 20 ms. A source that opens thousands, each of which pushes out its last one, would keep that going
// for as long as it likes. So a new connection also waits until its source has begun fewer than it may in this window;
// one that has begun does not wait for that again.
//
// Bounded: beyond it the source that has most waiting loses its latest. This file knows no sockets and owns no timer.

/** One step of a connection. */
export interface Start {
  /** Its first one. */
  readonly isNew: boolean;
  run(): void;
  /** There is no room for it: the connection has to go. */
  drop(): void;
}

export interface StartQueueOptions {
  /** Connections that a source may have at once. */
  readonly maxConnectionsPerSource: number;
  /** Runs something once after the connections that are ready now have been read, in the order given (`setImmediate`). */
  readonly afterReads: (run: () => void) => void;
  /** Runs something once after so long (`setTimeout`). */
  readonly after: (run: () => void, ms: number) => void;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Steps of a turn, at most: a session of HTTP/2 takes 0.1 to 0.3 ms. */
export const MAX_STARTS_PER_TURN = 8;

/** None is taken after this in a turn: a handshake, or a hundred calls that came with the connection, take longer. */
export const START_TURN_MS = 1;

/** Sockets of about 3 kB: four times what the system keeps until it is accepted, so that one turn never fills it. */
export const MAX_WAITING_STARTS = 2_048;

/** For so long the new connections of a source are counted. */
export const WINDOW_MS = 250;

/** A source may begin all that it may have in 5 s: by default 200 a second, which cost 5 to 10 % of a core. */
const WINDOWS_UNTIL_FULL = 20;

/** Of one source in a window, however few it may have: a client that opens several connections waits for none. */
export const LEAST_PER_WINDOW = 16;

export class StartQueue {
  readonly #options: StartQueueOptions;
  readonly #maxPerWindow: number;
  /** By source, the one first whose turn it is. */
  readonly #lines = new Map<string, Line>();
  /** Sources that have begun as many as they may in this window, and have nothing but new connections waiting. */
  readonly #held = new Map<string, Line>();
  /** New connections that have begun in this window, by source; no more sources than there are steps in it. */
  readonly #begun = new Map<string, number>();
  #isWindowOpen = false;
  #waiting = 0;
  /** Of them, those of sources that are not held. */
  #ready = 0;
  /** Steps of the next turn, or that are left of this one. */
  #steps = 0;
  /** Unset: no turn is under way. */
  #turnSinceMs: number | undefined = undefined;
  readonly #step = (): void => this.#takeStep();
  readonly #endWindow = (): void => this.#beginAnew();

  constructor(options: StartQueueOptions) {
    this.#options = options;
    this.#maxPerWindow = Math.max(LEAST_PER_WINDOW, Math.ceil(options.maxConnectionsPerSource / WINDOWS_UNTIL_FULL));
  }

  /** Steps that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Has a step of a connection taken when it is its turn. */
  add(source: string, start: Start): void {
    const held = this.#held.get(source);
    if (held !== undefined && !start.isNew) this.#release(source, held);
    const line = this.#lines.get(source) ?? this.#held.get(source);
    if (line === undefined) {
      const added: Line = { going: [], fresh: [] };
      added[start.isNew ? 'fresh' : 'going'].push(start);
      this.#lines.set(source, added);
    } else {
      line[start.isNew ? 'fresh' : 'going'].push(start);
    }
    this.#waiting += 1;
    if (!this.#held.has(source)) this.#ready += 1;
    if (this.#waiting > MAX_WAITING_STARTS) this.#dropOne();
    if (this.#ready > 0) this.#planStep();
  }

  /** Nothing of what waits will begin. */
  dropAll(): void {
    const lines = [...this.#lines.values(), ...this.#held.values()];
    this.#lines.clear();
    this.#held.clear();
    this.#waiting = 0;
    this.#ready = 0;
    for (const { going, fresh } of lines) for (const start of [...going, ...fresh]) start.drop();
  }

  #dropOne(): void {
    let most: [source: string, line: Line] | undefined;
    for (const lines of [this.#lines, this.#held]) {
      for (const entry of lines) if (most === undefined || lengthOf(entry[1]) > lengthOf(most[1])) most = entry;
    }
    if (most === undefined) return;
    const [source, line] = most;
    // What has not begun has cost nothing.
    const dropped = line.fresh.pop() ?? line.going.pop();
    this.#waiting -= 1;
    if (!this.#held.has(source)) this.#ready -= 1;
    if (lengthOf(line) === 0) {
      this.#lines.delete(source);
      this.#held.delete(source);
    }
    dropped?.drop();
  }

  #takeStep(): void {
    const nowMs = this.#options.nowMs();
    this.#turnSinceMs ??= nowMs;
    this.#steps -= 1;
    if (nowMs - this.#turnSinceMs < START_TURN_MS) this.#next()?.run();
    if (this.#steps > 0) return;
    this.#turnSinceMs = undefined;
    for (let count = Math.min(this.#ready, MAX_STARTS_PER_TURN); count > 0; count--) this.#planStep();
  }

  /** As in `fair-queue.ts`: each step is one of its own, so that the next one sees how long it took. */
  #planStep(): void {
    if (this.#turnSinceMs !== undefined || this.#steps >= MAX_STARTS_PER_TURN) return;
    this.#steps += 1;
    this.#options.afterReads(this.#step);
  }

  /** Takes the oldest of the source whose turn it is, which goes to the end of the line. */
  #next(): Start | undefined {
    for (const [source, line] of this.#lines) {
      this.#lines.delete(source);
      const start = line.going.shift() ?? this.#nextNew(source, line);
      if (start === undefined) {
        this.#held.set(source, line);
        this.#ready -= lengthOf(line);
        continue;
      }
      this.#waiting -= 1;
      this.#ready -= 1;
      if (lengthOf(line) > 0) this.#lines.set(source, line);
      return start;
    }
    return undefined;
  }

  /** Unset: the source has begun as many as it may in this window. */
  #nextNew(source: string, { fresh }: Line): Start | undefined {
    const begun = this.#begun.get(source) ?? 0;
    if (begun >= this.#maxPerWindow) return undefined;
    this.#begun.set(source, begun + 1);
    if (!this.#isWindowOpen) {
      this.#isWindowOpen = true;
      this.#options.after(this.#endWindow, WINDOW_MS);
    }
    return fresh.shift();
  }

  #release(source: string, line: Line): void {
    this.#held.delete(source);
    this.#lines.set(source, line);
    this.#ready += lengthOf(line);
  }

  /** The window is over. */
  #beginAnew(): void {
    this.#isWindowOpen = false;
    this.#begun.clear();
    for (const [source, line] of this.#held) this.#release(source, line);
    if (this.#ready > 0) this.#planStep();
  }
}

/** Steps of a source that wait, the oldest first. */
interface Line {
  /** Of connections that have begun. */
  readonly going: Start[];
  readonly fresh: Start[];
}

function lengthOf({ going, fresh }: Line): number {
  return going.length + fresh.length;
}
