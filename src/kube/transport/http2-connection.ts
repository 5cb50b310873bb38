// One HTTP/2 connection to the API server: many requests at once, and a ping that notices when the peer is gone.
//
// A watch may be silent for minutes and be healthy, and the kernel of a dead peer's network may go on acknowledging, so
// neither bytes nor TCP keepalive tell. A ping asks the HTTP/2 layer itself (RFC 9113, section 6.7; client-go does
// the same). Every byte that comes counts as an answer, so that a large list on a slow link is never taken for a dead peer.
//
// States: open (takes requests) → leaving (GOAWAY, or closed by us: what runs may end) → gone.

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';

export interface PingOptions {
  /** Silence before a ping. */
  readonly pingAfterMs: number;
  /** Silence after the ping before the connection counts as dead. */
  readonly pingTimeoutMs: number;
}

export interface Http2Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** From the request to the response headers. */
  readonly headersTimeoutMs: number;
  readonly body: Buffer | undefined;
}

export interface Http2Response {
  readonly status: number;
  header(name: string): string;
  readonly body: AsyncIterable<Buffer>;
  /** When anything last arrived on the connection, ms since the epoch. */
  lastHeardMs(): number;
}

/** The server did nothing with the request (RFC 9113, section 8.7): it may be sent again at once on another connection. */
export class NotProcessedError extends Error {
  override readonly name = 'NotProcessedError';
}

/**
 * What a stream may have under way: about 40 MB/s at a round trip of 100 ms. Bounds what a stream that nobody reads can
 * pile up. The 64 kB that HTTP/2 begins with were measured to slow a list down by half even on loopback.
 */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/**
 * Beyond it a connection takes no more requests. Below what servers allow (Go: 250), which would make further ones wait
 * for a watch to end; times the window above, it is the window of the connection, so that no stream can starve another.
 */
const MAX_STREAMS = 64;
/** In MB. Node's default of 10 would refuse streams while large windows are full. */
const MAX_SESSION_MEMORY_MB = 2 * ((MAX_STREAMS * STREAM_WINDOW_BYTES) / (1024 * 1024));

export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #ping: PingOptions;
  readonly #onGone: () => void;
  #timer: NodeJS.Timeout | undefined;
  #streams = 0;
  #heardAtMs = performance.now();
  #leaving = false;
  /** What ended the connection; requests may be told of no more than that it ended. */
  #problem: Error | undefined;

  /** `socket` has agreed on `h2`. `onGone` is called once, when nothing of the connection is left. */
  constructor(socket: TLSSocket, origin: string, ping: PingOptions, onGone: () => void) {
    this.#socket = socket;
    this.#ping = ping;
    this.#onGone = onGone;
    this.#session = connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(MAX_STREAMS * STREAM_WINDOW_BYTES));
    this.#session.once('goaway', () => {
      this.#leaving = true;
    });
    this.#session.on('error', (error: Error) => {
      this.#leaving = true;
      this.#problem ??= error;
    });
    this.#session.once('close', () => {
      this.#leaving = true;
      clearTimeout(this.#timer);
      // Whatever the session believes: a socket whose peer does not answer would linger.
      this.#socket.destroy();
      this.#onGone();
    });
    this.#awaitSilence(ping.pingAfterMs);
  }

  /** Another request may be started. */
  get hasRoom(): boolean {
    const allowed = Math.min(MAX_STREAMS, this.#session.remoteSettings?.maxConcurrentStreams ?? MAX_STREAMS);
    return !this.#leaving && !this.#session.closed && !this.#session.destroyed && this.#streams < allowed;
  }

  /** Rejects with a NotProcessedError, with what broke the connection, or with the signal's reason. */
  request({ headers, signal, headersTimeoutMs, body }: Http2Request): Promise<Http2Response> {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(headers, { endStream: body === undefined, signal });
      if (body !== undefined) stream.end(body);
    } catch (error) {
      // The session ended since it was looked at.
      return Promise.reject(new NotProcessedError('the connection is closing', { cause: error }));
    }
    this.#streams += 1;
    stream.once('close', () => {
      this.#streams -= 1;
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stream.close(constants.NGHTTP2_CANCEL);
        reject(new Error(`no answer within ${headersTimeoutMs} ms`));
      }, headersTimeoutMs);
      // Stays for as long as the stream: whoever reads the body gets the error too, but may not have begun.
      stream.on('error', (error) => {
        clearTimeout(timer);
        reject(wasRefused(stream) ? new NotProcessedError('the server refused the stream', { cause: error }) : error);
      });
      stream.once('close', () => {
        clearTimeout(timer);
        if (wasRefused(stream)) reject(new NotProcessedError('the server refused the stream'));
        else reject(this.#problem ?? new Error('the connection ended before the answer'));
      });
      stream.once('response', (fields) => {
        clearTimeout(timer);
        this.#heardAtMs = performance.now();
        const header = (name: string) => {
          const value = fields[name];
          return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
        };
        resolve({
          status: fields[':status'] ?? 0,
          header,
          body: this.#read(stream),
          lastHeardMs: () => toEpochMs(this.#heardAtMs),
        });
      });
    });
  }

  /** Requests under way may end; no other is taken. */
  close(): void {
    this.#leaving = true;
    this.#session.close();
  }

  /** Cuts everything that is under way. */
  destroy(): void {
    this.#leaving = true;
    this.#session.destroy();
  }

  async *#read(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      this.#heardAtMs = performance.now();
      yield chunk as Buffer;
    }
    // Node ends the iteration in peace when a stream is reset with CANCEL.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.aborted) {
      throw this.#problem ?? new Error(`the stream was reset with code ${stream.rstCode}`);
    }
  }

  #awaitSilence(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const silentMs = performance.now() - this.#heardAtMs;
      if (silentMs < this.#ping.pingAfterMs) this.#awaitSilence(this.#ping.pingAfterMs - silentMs);
      else this.#askForLife();
    }, delayMs);
    this.#timer.unref();
  }

  #askForLife(): void {
    const askedAtMs = performance.now();
    const sent = this.#session.ping((error) => {
      if (error !== null) return;
      this.#heardAtMs = performance.now();
      clearTimeout(this.#timer);
      this.#awaitSilence(this.#ping.pingAfterMs);
    });
    // The session is closing for good; its end is told by itself.
    if (!sent) return;
    const timer = setTimeout(() => {
      // After a long block or a suspended process the answer may be here and not read yet: one turn for it.
      setImmediate(() => {
        if (this.#session.destroyed || this.#timer !== timer) return;
        if (this.#heardAtMs >= askedAtMs) this.#awaitSilence(this.#ping.pingAfterMs);
        else this.#session.destroy(new PingTimeoutError(this.#ping.pingTimeoutMs), constants.NGHTTP2_CANCEL);
      });
    }, this.#ping.pingTimeoutMs);
    timer.unref();
    this.#timer = timer;
  }
}

/** Of a moment of the monotonic clock, which no correction of the time of day moves. */
export function toEpochMs(momentMs: number): number {
  return Date.now() - (performance.now() - momentMs);
}

class PingTimeoutError extends Error {
  readonly code = 'ERR_PING_TIMEOUT';

  constructor(timeoutMs: number) {
    super(`the connection is dead: no answer to a ping within ${timeoutMs} ms`);
  }
}

function wasRefused(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}
