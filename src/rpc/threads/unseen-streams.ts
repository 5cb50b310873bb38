// Streams that the main thread has not looked at yet, of all connections of a thread: the queue between the two, which
// grows while the main thread is busy.
//
// Bounded: from MAX_UNSEEN on the connections that bring more are not read until half of them have been looked at. What
// such a connection had sent by then comes all the same; beyond MAX_OVERRUN it is to be reset.

import type { CarrierSocket } from './carrier-socket.ts';

const MAX_UNSEEN = 1_024;
const MAX_OVERRUN = 2 * MAX_UNSEEN;

export class UnseenStreams {
  readonly #noteHeld: (connection: CarrierSocket) => void;
  readonly #held = new Set<CarrierSocket>();
  #count = 0;

  /** `noteHeld`: a connection is not read any more because of this bound. */
  constructor(noteHeld: (connection: CarrierSocket) => void) {
    this.#noteHeld = noteHeld;
  }

  /** A stream has come; false: there is no room for it, it has to be reset unless it `mayExceed` the bound. */
  add(connection: CarrierSocket, mayExceed: boolean): boolean {
    if (this.#count >= MAX_UNSEEN) {
      if (connection.hold()) this.#noteHeld(connection);
      this.#held.add(connection);
    }
    if (this.#count >= MAX_OVERRUN && !mayExceed) return false;
    this.#count += 1;
    return true;
  }

  /** The main thread has looked at so many more. */
  seen(count: number): void {
    this.#count -= count;
    if (this.#count >= MAX_UNSEEN / 2) return;
    for (const connection of this.#held) connection.release();
    this.#held.clear();
  }

  forget(connection: CarrierSocket): void {
    this.#held.delete(connection);
  }
}
