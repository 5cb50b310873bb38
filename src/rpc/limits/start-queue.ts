// Whose connection begins next when many come at once: sources (see `caller.ts`) take turns, a few a turn of the event
// loop.
//
// A connection costs before its first call: a place that another may have to be ended for, a TLS handshake (one to two
// ms of keys), a session of HTTP/2. One turn of the event loop accepts all that the system has, hundreds; begun as they
// come, and each with what it has sent already, they would be one long turn for every caller. So each of those steps
// waits here for its turn, and what waits is not read.
//
// Bounded: beyond it the source that has most waiting loses its latest. This file knows no sockets and owns no timer.

/** One step of a connection. */
export interface Start {
  run(): void;
  /** There is no room for it: the connection has to go. */
  drop(): void;
}

export interface StartQueueOptions {
  /** Runs something once after the connections that are ready now have been read, in the order given (`setImmediate`). */
  readonly afterReads: (run: () => void) => void;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Steps of a turn, at most: a session of HTTP/2 takes 0.1 to 0.3 ms. */
export const MAX_STARTS_PER_TURN = 8;

/** None is taken after this in a turn: a handshake, or a hundred calls that came with the connection, take longer. */
export const START_TURN_MS = 1;

/** Sockets of about 3 kB: four times what the system keeps until it is accepted, so that one turn never fills it. */
export const MAX_WAITING_STARTS = 2_048;

export class StartQueue {
  readonly #options: StartQueueOptions;
  /** By source, the one first whose turn it is. */
  readonly #lines = new Map<string, Start[]>();
  #waiting = 0;
  /** Steps of the next turn, or that are left of this one. */
  #steps = 0;
  /** Unset: no turn is under way. */
  #turnSinceMs: number | undefined = undefined;
  readonly #step = (): void => this.#takeStep();

  constructor(options: StartQueueOptions) {
    this.#options = options;
  }

  /** Steps that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Has a step of a connection taken when it is its turn. */
  add(source: string, start: Start): void {
    const line = this.#lines.get(source);
    if (line === undefined) this.#lines.set(source, [start]);
    else line.push(start);
    this.#waiting += 1;
    if (this.#waiting > MAX_WAITING_STARTS) this.#dropOne();
    this.#planStep();
  }

  /** Nothing of what waits will begin. */
  dropAll(): void {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    this.#waiting = 0;
    for (const line of lines) for (const start of line) start.drop();
  }

  #dropOne(): void {
    let most: [source: string, line: Start[]] | undefined;
    for (const entry of this.#lines) if (most === undefined || entry[1].length > most[1].length) most = entry;
    if (most === undefined) return;
    const [source, line] = most;
    const dropped = line.pop();
    if (line.length === 0) this.#lines.delete(source);
    this.#waiting -= 1;
    dropped?.drop();
  }

  #takeStep(): void {
    const nowMs = this.#options.nowMs();
    this.#turnSinceMs ??= nowMs;
    this.#steps -= 1;
    if (nowMs - this.#turnSinceMs < START_TURN_MS) this.#next()?.run();
    if (this.#steps > 0) return;
    this.#turnSinceMs = undefined;
    for (let count = Math.min(this.#waiting, MAX_STARTS_PER_TURN); count > 0; count--) this.#planStep();
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
      const start = line.shift();
      this.#waiting -= 1;
      this.#lines.delete(source);
      if (line.length > 0) this.#lines.set(source, line);
      return start;
    }
    return undefined;
  }
}
