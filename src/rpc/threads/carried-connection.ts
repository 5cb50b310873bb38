// A connection whose socket another thread has: what is to happen to it is told there, and is done a little later.

import type { ServerHttp2Session } from 'node:http2';

import { callerAt, sourceOf } from '../limits/caller.ts';
import { ServedConnection } from '../served-connection.ts';
import { type CarriedEnds, type CarriedSession, type CarrierEnd } from './carried-stream.ts';
import { TO_CONNECTION } from './protocol.ts';

export class CarriedConnection extends ServedConnection {
  readonly id: number;
  readonly ends: CarriedEnds;
  readonly localName: string;
  readonly peerName: string;
  readonly source: string;
  readonly caller: string;
  /** The same as below, as much of node's own as the gate looks at. */
  session: ServerHttp2Session | undefined = undefined;
  /** Once HTTP/2 has begun. */
  carriedSession: CarriedSession | undefined = undefined;
  /** It was ended here; its socket closes a little later. */
  isDestroyed = false;
  readonly #end: CarrierEnd;

  constructor(id: number, ends: CarriedEnds, end: CarrierEnd) {
    super();
    this.id = id;
    this.ends = ends;
    this.#end = end;
    this.localName = `${ends.localAddress}:${ends.localPort}`;
    this.peerName = `${ends.remoteAddress}:${ends.remotePort}`;
    const address = ends.remoteAddress ?? 'unknown';
    this.source = sourceOf(address);
    this.caller = callerAt(address);
  }

  destroy(): void {
    this.isDestroyed = true;
    this.#end.note(TO_CONNECTION.destroy, this.id);
  }

  pauseReading(): void {
    this.#end.note(TO_CONNECTION.pauseReading, this.id);
  }

  resumeReading(): void {
    this.#end.note(TO_CONNECTION.resumeReading, this.id);
  }

  retire(): void {
    const { carriedSession } = this;
    // It has not even begun HTTP/2.
    if (carriedSession === undefined) this.destroy();
    else carriedSession.close();
    for (const listener of this.retireListeners) listener();
  }
}
