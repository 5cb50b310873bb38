// One HTTP/2 connection to the API server: many requests at once, and a question that notices when the peer is gone.
//
// A watch may be silent for minutes and be healthy, and the kernel of a dead peer's network may go on acknowledging, so
// neither silence nor TCP keepalive tells. A PING asks the HTTP/2 layer itself (RFC 9113, section 6.7; client-go does
// the same). Node answers no ping on a session that was told to go: there an empty SETTINGS asks, which has to be
// acknowledged too (section 6.5). Any byte counts as an answer, so a large list on a slow link is not taken for a dead
// peer.
//
// The states and the timer are in connection-life.ts; this file does what they decide.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ConnectionLife, type PingOptions } from './connection-life.ts';

export interface Http2Request {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
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

export interface Http2ConnectionListeners {
  /** The server said ENHANCE_YOUR_CALM (RFC 9113, section 7), as proxies do that count pings. */
  readonly onTooManyPings: () => void;
  /** Called once, when nothing of the connection is left. */
  readonly onGone: () => void;
}

/**
 * The server did nothing with the request (RFC 9113, section 8.7): it may be sent again at once on another connection.
 */
export class NotProcessedError extends Error {
  override readonly name = 'NotProcessedError';
}

/**
 * What a stream may have under way: about 40 MB/s at a round trip of 100 ms. Bounds what an unread stream can
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
  readonly #life: ConnectionLife;
  /** What ended the connection; requests may be told of no more than that it ended. */
  #problem: Error | undefined;

  /** `socket` has agreed on `h2`. */
  constructor(socket: TLSSocket, origin: string, ping: PingOptions, listeners: Http2ConnectionListeners) {
    this.#socket = socket;
    const session = connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.#session = session;
    this.#life = new ConnectionLife(
      {
        bytesRead: () => socket.bytesRead,
        ask: (answered) => this.#ask(answered),
        finish: () => session.close(),
        cut: (reason) => this.#cut(reason),
        gone: listeners.onGone,
      },
      ping,
    );
    session.once('connect', () => {
      // It may have been cut in the turn in which it was made.
      if (!session.destroyed) session.setLocalWindowSize(MAX_STREAMS * STREAM_WINDOW_BYTES);
    });
    session.once('goaway', (code: number) => {
      if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) listeners.onTooManyPings();
      this.#life.leave();
    });
    session.on('error', (error: Error) => {
      this.#problem ??= error;
      this.#life.leave();
    });
    session.once('close', () => {
      // Whatever the session believes: a socket whose peer does not answer would linger.
      socket.destroy();
      this.#life.closed();
    });
    socket.once('close', () => this.#life.closed());
  }

  /** Another request may be started. */
  get hasRoom(): boolean {
    const allowed = Math.min(MAX_STREAMS, this.#session.remoteSettings?.maxConcurrentStreams ?? MAX_STREAMS);
    return this.#takesRequests && this.#life.requests < allowed;
  }

  get #takesRequests(): boolean {
    return this.#life.state === 'open' && !this.#session.closed && !this.#session.destroyed;
  }

  /** Rejects with a NotProcessedError, with what broke the connection, or with the signal's reason. */
  request({ headers, signal, headersTimeoutMs, body }: Http2Request): Promise<Http2Response> {
    if (!this.#takesRequests) return Promise.reject(new NotProcessedError('the connection is closing'));
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(headers as OutgoingHttpHeaders, { endStream: body === undefined, signal });
      if (body !== undefined) stream.end(body);
    } catch (error) {
      // The session ended since it was looked at.
      return Promise.reject(new NotProcessedError('the connection is closing', { cause: error }));
    }
    this.#life.requestBegins();
    stream.once('close', () => this.#life.requestEnds());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stream.close(constants.NGHTTP2_CANCEL);
        reject(new Error(`no answer within ${headersTimeoutMs} ms`));
      }, headersTimeoutMs);
      // Stays for as long as the stream: the reader of the body gets the error too, but may not have begun.
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
        this.#life.heard();
        const header = (name: string) => {
          const value = fields[name];
          return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
        };
        resolve({
          status: fields[':status'] ?? 0,
          header,
          body: this.#read(stream),
          lastHeardMs: () => toEpochMs(this.#life.heardAtMs),
        });
      });
    });
  }

  /** Requests under way may end; no other is taken. */
  close(): void {
    this.#life.leave();
  }

  /** Cuts everything that is under way. */
  destroy(): void {
    this.#cut(new Error('the connection was cut'));
  }

  /** Streams end with `reason`; the socket goes at once, whether the peer closes or not. */
  #cut(reason: Error): void {
    this.#problem ??= reason;
    this.#life.leave();
    if (!this.#session.destroyed) this.#session.destroy(reason, constants.NGHTTP2_CANCEL);
    this.#socket.destroy();
  }

  #ask(answered: () => void): void {
    const session = this.#session;
    // It says by itself that it ended, by the close of its socket.
    if (session.destroyed) return;
    const heard = (error: Error | null) => {
      if (error === null) answered();
    };
    // Nothing is changed by empty settings, but they are acknowledged.
    if (session.closed) session.settings({}, heard);
    else session.ping(heard);
  }

  async *#read(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
    try {
      for (;;) {
        // What lay here already came before now, and the time is not known.
        const waiting = stream.readableLength === 0;
        const { done, value } = await chunks.next();
        if (done === true) break;
        if (waiting) this.#life.heard();
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
    // Node ends the iteration without an error when a stream is reset with CANCEL.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.aborted) {
      throw this.#problem ?? new Error(`the stream was reset with code ${stream.rstCode}`);
    }
  }
}

/** Of a moment of the monotonic clock, which no correction of the time of day moves. */
export function toEpochMs(momentMs: number): number {
  return Date.now() - (performance.now() - momentMs);
}

function wasRefused(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}
