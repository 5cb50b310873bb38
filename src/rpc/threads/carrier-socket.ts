// One connection where it is carried: its socket, whether that is read, and how much of its requests may be handed
// over.
//
// It is read unless the main thread says otherwise (its turn has not come) or too many streams wait for the main thread
// (`unseen-streams.ts`); either is enough to stop it. Of its requests, CREDIT_BYTES are handed over and not taken; then
// the streams that bring more are not read, and HTTP/2 holds their callers back.

import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import { sourceOf } from '../limits/caller.ts';
import { pauseReading, resumeReading } from '../socket-reading.ts';

/** As much as HTTP/2 has on its way for a connection anyway. */
const CREDIT_BYTES = 64 * 1024;

export class CarrierSocket {
  readonly id: number;
  /** Both of its addresses and ports. */
  readonly ends: string;
  /** What its streams are counted on, see `caller.ts`. */
  readonly source: string;
  /** Where TLS is terminated, the one below it: they end together. */
  readonly socket: Socket;
  session: ServerHttp2Session | undefined = undefined;
  /** Pings and settings that the main thread has not been told of. */
  controlFrames = 0;
  #isPaused = false;
  #isHeld = false;
  #untakenBytes = 0;
  /** Streams that are not read until more was taken. */
  readonly #waiting = new Set<ServerHttp2Stream>();

  constructor(id: number, ends: string, socket: Socket) {
    this.id = id;
    this.ends = ends;
    this.socket = socket;
    // Unset when it has gone already.
    this.source = sourceOf(socket.remoteAddress ?? 'unknown');
  }

  /** The main thread wants it not to be read. */
  pause(): void {
    this.#isPaused = true;
    pauseReading(this.socket);
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isHeld) resumeReading(this.socket);
  }

  /** Not read until `release`; false: it is held already. */
  hold(): boolean {
    // Also then: node starts to read again by itself once what waited to be sent has left.
    pauseReading(this.socket);
    if (this.#isHeld) return false;
    this.#isHeld = true;
    return true;
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#isPaused) resumeReading(this.socket);
  }

  /** So much of a request was handed over. */
  handedOver(stream: ServerHttp2Stream, bytes: number): void {
    this.#untakenBytes += bytes;
    if (this.#untakenBytes < CREDIT_BYTES) return;
    stream.pause();
    this.#waiting.add(stream);
  }

  /** So much of what was handed over was taken. */
  taken(bytes: number): void {
    this.#untakenBytes -= bytes;
    if (this.#untakenBytes >= CREDIT_BYTES) return;
    for (const stream of this.#waiting) stream.resume();
    this.#waiting.clear();
  }

  forget(stream: ServerHttp2Stream): void {
    this.#waiting.delete(stream);
  }
}
