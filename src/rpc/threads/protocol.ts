// The notes that a thread which carries connections and the main thread exchange, and what is told beside them.
//
// Order is kept in both directions, so each side knows what the other knew: a stream's notes come after its connection's,
// nothing about a stream comes after CLOSED, and what the main thread says of a stream that the other side has closed
// meanwhile is passed over.

import type { TlsBytes } from '../tls/files.ts';

/** From the thread that carries; `id` is a connection's. */
export const CONNECTION = {
  /** Accepted and not read yet: peer's address and port, local address and port. */
  opened: 1,
  /** TLS is agreed on; the client certificate as JSON, or nothing. */
  secured: 2,
  /** HTTP/2 has begun. */
  session: 3,
  /** So many pings and settings. */
  control: 4,
  /** The other side has ended it. */
  ended: 5,
  closed: 6,
  /** A stream was reset because so many had come that the main thread has not looked at. */
  overrun: 7,
  /** TLS was not agreed on; it is about to close. */
  unsecured: 8,
  /** It is not read for a while, because many streams have come that the main thread has not looked at. */
  held: 9,
} as const;

/** From the thread that carries; `id` is a stream's. */
export const STREAM = {
  /** Connection, flags, bytes of the headers, whether there are two authorizations, headers. */
  opened: 16,
  data: 17,
  end: 18,
  /** With its code, as the next one. */
  aborted: 19,
  closed: 20,
  /** What was written first of what is not taken yet has been taken. */
  taken: 21,
  /** All was taken, and trailers may go. */
  wantsTrailers: 22,
} as const;

/** From the main thread; `id` is a connection's. */
export const TO_CONNECTION = {
  admit: 32,
  destroy: 33,
  pauseReading: 34,
  resumeReading: 35,
  /** GOAWAY: it ends with its last call. */
  retire: 36,
  /** At once, with a code. */
  endSession: 37,
  /** Ends it when it does not take what is sent. */
  endUnlessTaking: 38,
  /** So many more bytes of its requests were taken. */
  credit: 39,
} as const;

/** From the main thread; `id` is a stream's. */
export const TO_STREAM = {
  /** 1: nothing follows; headers. */
  respond: 48,
  /** Bytes. */
  write: 49,
  /** The number of a frame that comes with these notes. */
  writeFrame: 50,
  end: 51,
  trailers: 52,
  /** With a code. */
  close: 53,
  /** All of a unary answer: headers, the message with its prefix, trailers. */
  answer: 55,
} as const;

/** From the main thread; `id` is how many streams it has looked at since it said so last. */
export const SEEN_STREAMS = 64;

/** What every call of a connection looks like to its other side: the options of HTTP/2. */
export interface CarriedLimits {
  readonly maxStreamsPerConnection: number;
  readonly maxSessionMemoryMiB: number;
  /** Sockets that may be open at all, those included that are not admitted yet. */
  readonly maxSockets: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
}

export interface CarrierStart {
  readonly limits: CarriedLimits;
  /** Unset: plaintext. */
  readonly tls: TlsBytes | undefined;
}

/** To a thread that carries. */
export type ToCarrier =
  | { readonly notes: ArrayBuffer; readonly frames: readonly Uint8Array[] }
  | { readonly listen: { readonly host: string; readonly port: number; readonly shared: boolean } }
  | { readonly stopAccepting: true }
  | { readonly tls: TlsBytes; readonly version: number }
  | { readonly beat: number }
  | EndOfThread;

/** It closes its sockets and ends. */
export interface EndOfThread {
  readonly end: true;
}

/** From a thread that carries. */
export type FromCarrier =
  | { readonly notes: ArrayBuffer }
  | { readonly listening: { readonly host: string; readonly port: number } }
  | { readonly notListening: { readonly code: string | undefined; readonly message: string } }
  | { readonly tlsTaken: number; readonly problem: string | undefined }
  | { readonly beat: number }
  | { readonly handshakeFailure: string }
  /** It ends, because of an error that nothing expected. */
  | { readonly failed: string }
  | { readonly log: readonly [level: 'debug' | 'warn', facts: object, message: string] }
  | { readonly refusedSockets: number };
