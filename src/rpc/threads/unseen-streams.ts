// Streams that the main thread has not looked at yet, of all connections of a thread: the queue between the two, which
// grows while the main thread is busy.
//
// Bounded, at the cost of the sources (see `caller.ts`) that fill it: from MAX_UNSEEN on their connections are not read
// until half of it has been looked at, and are read again one a turn. What such a connection had sent by then comes all
// the same; beyond MAX_OVERRUN it is to be reset. A source that has few streams in it is neither held nor reset.

import type { CarrierSocket } from './carrier-socket.ts';

const MAX_UNSEEN = 1_024;
const MAX_OVERRUN = 2 * MAX_UNSEEN;

/** Of a source, whatever others have: as many as begin at once of one in the main thread (`fair-queue.ts`). */
const FREE_OF_SOURCE = 32;

interface SourceCount {
  readonly source: string;
  streams: number;
}

export interface UnseenStreamsOptions {
  /** A connection is not read any more because of this bound. */
  readonly noteHeld: (connection: CarrierSocket) => void;
  /** Runs something after the connections that are ready now have been read (`setImmediate`). */
  readonly afterReads: (run: () => void) => void;
}

export class UnseenStreams {
  readonly #options: UnseenStreamsOptions;
  readonly #held = new Set<CarrierSocket>();
  readonly #sources = new Map<string, SourceCount>();
  /** Whose each of them is, in the order in which they were told, which is that in which they are looked at. */
  #told: SourceCount[] = [];
  /** Of `#told`, those that were looked at. */
  #seen = 0;
  #isReleasePlanned = false;
  readonly #release = (): void => {
    this.#isReleasePlanned = false;
    const [connection] = this.#held;
    if (connection === undefined || this.#count >= MAX_UNSEEN / 2) return;
    this.#held.delete(connection);
    connection.release();
    this.#planRelease();
  };

  constructor(options: UnseenStreamsOptions) {
    this.#options = options;
  }

  /** A stream has come; false: there is no room for it, it has to be reset unless it `mayExceed` the bound. */
  add(connection: CarrierSocket, mayExceed: boolean): boolean {
    const { source } = connection;
    let of = this.#sources.get(source);
    if (of === undefined) {
      of = { source, streams: 0 };
      this.#sources.set(source, of);
    }
    if (of.streams >= FREE_OF_SOURCE && this.#count >= MAX_UNSEEN) {
      if (connection.hold()) this.#options.noteHeld(connection);
      this.#held.add(connection);
      if (this.#count >= MAX_OVERRUN && !mayExceed) return false;
    }
    of.streams += 1;
    this.#told.push(of);
    return true;
  }

  /** The main thread has looked at so many more. */
  seen(count: number): void {
    const end = Math.min(this.#seen + count, this.#told.length);
    for (let index = this.#seen; index < end; index++) {
      const of = this.#told[index] as SourceCount;
      of.streams -= 1;
      if (of.streams === 0) this.#sources.delete(of.source);
    }
    this.#seen = end;
    if (this.#seen >= MAX_UNSEEN || this.#seen === this.#told.length) {
      this.#told = this.#told.slice(this.#seen);
      this.#seen = 0;
    }
    this.#planRelease();
  }

  forget(connection: CarrierSocket): void {
    this.#held.delete(connection);
  }

  get #count(): number {
    return this.#told.length - this.#seen;
  }

  #planRelease(): void {
    if (this.#isReleasePlanned || this.#held.size === 0 || this.#count >= MAX_UNSEEN / 2) return;
    this.#isReleasePlanned = true;
    this.#options.afterReads(this.#release);
  }
}
