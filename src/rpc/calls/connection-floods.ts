// What a connection sends that is no call, or less than one: pings and settings, calls that are reset before they begin,
// headers above their bound, requests in crumbs. All of it is cheap to send and costs us time, so it is counted by the
// second, and a connection that has too much of one kind is ended (ENHANCE_YOUR_CALM).

import { constants } from 'node:http2';

import type { Limit } from '../errors/call-error.ts';
import type { CallConnection, CallRecord } from './call-record.ts';

/**
 * Pings, and settings, of one connection in a second. A client that keeps its connection alive sends one in ten
 * seconds.
 */
const MAX_CONTROL_FRAMES = 200;

/**
 * Of headers above their bound, unpacked, of one connection in a second: a caller whose headers are too long is told so,
 * 16 times a second and more. To unpack 60 kB takes 0.5 ms, and one read may hold 100 of them; what comes after the
 * connection was ended is skipped.
 */
const MAX_LARGE_HEADER_BYTES = 256 * 1024;

/**
 * Pieces of requests of one connection in a second, beyond those that each call has: DATA frames below `SMALL_BYTES`, and
 * messages of a stream. Each costs 10 to 70 µs, and a read holds 6,500 frames of one byte: one connection of them held up
 * every other caller for half a second at a time.
 */
const MAX_REQUEST_PIECES = 128;

/** Of a call: the head of its message, the rest, and one that was read in two parts. */
const PIECES_OF_A_CALL = 3;
export const SMALL_BYTES = 256;

export class ConnectionFloods {
  readonly #maxEarlyEnds: number;
  readonly #countRefusal: (limit: Limit) => void;
  /** Connections of which something was counted in this second. */
  readonly #counted = new Set<CallConnection>();

  /** `maxStreams`: calls that a connection may have at once. */
  constructor(maxStreams: number, countRefusal: (limit: Limit) => void) {
    this.#maxEarlyEnds = maxStreams;
    this.#countRefusal = countRefusal;
  }

  /** Begins to count anew; to be called every second. */
  endSecond(): void {
    for (const connection of this.#counted) {
      connection.controlFrames = 0;
      connection.earlyEnds = 0;
      connection.largeHeaderBytes = 0;
      connection.requestPieces = 0;
    }
    this.#counted.clear();
  }

  /** A ping, or settings. */
  noteControlFrame(connection: CallConnection): void {
    connection.controlFrames += 1;
    this.#counted.add(connection);
    if (connection.controlFrames > MAX_CONTROL_FRAMES) this.#end(connection, 'control_frames');
  }

  /** A caller that makes calls only to reset them has more of these in a second than it may have calls at once. */
  noteEarlyEnd(connection: CallConnection): void {
    connection.earlyEnds += 1;
    this.#counted.add(connection);
    if (connection.earlyEnds > this.#maxEarlyEnds) this.#end(connection, 'rapid_resets');
  }

  /** Whether headers above their bound are too many; counts them, and ends the connection then. */
  isOfHeaders(connection: CallConnection, bytes: number): boolean {
    connection.largeHeaderBytes += bytes;
    this.#counted.add(connection);
    if (connection.largeHeaderBytes <= MAX_LARGE_HEADER_BYTES) return false;
    this.#end(connection, 'large_headers');
    return true;
  }

  /** Whether the pieces in which requests come are too many; counts these, and ends the connection then. */
  isOfPieces(record: CallRecord | undefined, pieces: number): boolean {
    if (record === undefined) return false;
    record.pieces += pieces;
    const more = Math.min(pieces, record.pieces - PIECES_OF_A_CALL);
    if (more <= 0) return false;
    const { connection } = record;
    connection.requestPieces += more;
    this.#counted.add(connection);
    if (connection.requestPieces <= MAX_REQUEST_PIECES) return false;
    this.#end(connection, 'request_pieces');
    return true;
  }

  #end({ session }: CallConnection, limit: Limit): void {
    if (session === undefined || session.destroyed) return;
    this.#countRefusal(limit);
    // Without an error node takes no notice of the code.
    session.destroy(new Error(limit), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
