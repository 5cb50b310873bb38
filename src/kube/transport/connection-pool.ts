// All connections to one API server with one set of TLS material: HTTP/2 where the server offers it, else HTTP/1.1.
//
// Which of the two is found out by the first handshake, and again after HTTP/1.1 failed (another server may have taken
// over). Over HTTP/2 lists and watches share connections; a further one is opened when the ones there are have no room.
// Bound: one connection per 64 requests under way, and those that the server told to end.

import type { Dispatcher } from 'undici';
import type { RequestHeaders, TlsMaterial } from '../credentials/credentials.ts';
import { unlessAborted } from '../credentials/shared-wait.ts';
import { canTunnel, dial } from './dial.ts';
import type { PingOptions } from './connection-life.ts';
import { Http2Connection, NotProcessedError, toEpochMs } from './http2-connection.ts';

export interface PoolOptions {
  readonly server: URL;
  readonly tls: TlsMaterial;
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveDelayMs: number;
  /** For the next connection. */
  readonly ping: () => PingOptions;
  /** The peer ended a connection because it was asked for too much, and pings are what we ask for most often. */
  readonly onTooManyPings: () => void;
  /** The last connection of a pool that was closed is gone. */
  readonly onGone: () => void;
}

export interface PoolResponse {
  readonly status: number;
  header(name: string): string;
  readonly body: AsyncIterable<Buffer>;
  /** Ms since the epoch. */
  lastHeardMs(): number;
}

/** The pool was closed before the request was sent: another one may take it. */
export class PoolClosedError extends Error {
  override readonly name = 'PoolClosedError';

  constructor() {
    super('the connection pool is closed');
  }
}

export class ConnectionPool {
  readonly tls: TlsMaterial;
  readonly #options: PoolOptions;
  readonly #proxy: URL | undefined;
  readonly #connections = new Set<Http2Connection>();
  #dialing: Promise<Http2Connection | undefined> | undefined;
  #http1: Dispatcher | undefined;
  /** HTTP/2 was not offered, or there is nothing to negotiate it by. */
  #onlyHttp1: boolean;
  readonly #alwaysHttp1: boolean;
  #closing = false;
  #destroyed = false;

  constructor(options: PoolOptions) {
    this.tls = options.tls;
    this.#options = options;
    this.#proxy = options.proxyUrl === undefined ? undefined : new URL(options.proxyUrl);
    this.#alwaysHttp1 = options.server.protocol !== 'https:' || (this.#proxy !== undefined && !canTunnel(this.#proxy));
    this.#onlyHttp1 = this.#alwaysHttp1;
  }

  /** HTTP/2 connections that exist, also those about to end. */
  get connections(): number {
    return this.#connections.size;
  }

  /** `path` is whole; with a `body` it is a POST. Rejects with whatever went wrong, or with the signal's reason. */
  async request(path: string, headers: RequestHeaders, signal: AbortSignal, body?: Buffer): Promise<PoolResponse> {
    const method = body === undefined ? 'GET' : 'POST';
    for (let attempt = 1; ; attempt += 1) {
      const connection = this.#onlyHttp1 ? undefined : await this.#connection(signal);
      signal.throwIfAborted();
      if (connection === undefined) return this.#requestHttp1(path, headers, signal, body);
      const { server, headersTimeoutMs } = this.#options;
      const fields = { ...headers, ':method': method, ':scheme': 'https', ':authority': server.host, ':path': path };
      try {
        return await connection.request({ headers: fields, signal, headersTimeoutMs, body });
      } catch (error) {
        signal.throwIfAborted();
        // Once more: the server told this connection to end between two requests.
        if (!(error instanceof NotProcessedError) || attempt === 2) throw error;
      }
    }
  }

  /** No further requests; those under way may end. */
  close(): void {
    this.#closing = true;
    for (const connection of this.#connections) connection.close();
    this.#closeHttp1();
    this.#tellIfGone();
  }

  /** Cuts everything. */
  async destroy(): Promise<void> {
    this.#closing = true;
    this.#destroyed = true;
    for (const connection of this.#connections) connection.destroy();
    await this.#http1?.destroy();
  }

  #closeHttp1(): void {
    const http1 = this.#http1;
    if (http1 === undefined) return;
    // A pool that cannot wait for its requests is cut.
    void http1
      .close()
      .catch(() => http1.destroy())
      .finally(() => {
        this.#http1 = undefined;
        this.#tellIfGone();
      });
  }

  async #openHttp1(): Promise<Dispatcher> {
    if (this.#http1 !== undefined) return this.#http1;
    // Loaded only here: where the server speaks HTTP/2, which is nearly everywhere, undici is not needed.
    const { createHttp1Pool } = await import('./http1-pool.ts');
    if (this.#destroyed) throw new Error('the connections were cut');
    this.#http1 ??= createHttp1Pool(this.#options);
    return this.#http1;
  }

  async #requestHttp1(
    path: string,
    headers: RequestHeaders,
    signal: AbortSignal,
    body: Buffer | undefined,
  ): Promise<PoolResponse> {
    const http1 = await this.#openHttp1();
    try {
      const { origin } = this.#options.server;
      const method = body === undefined ? 'GET' : 'POST';
      const answered = http1.request({ origin, path, method, headers: toUndici(headers), signal, body: body ?? null });
      // It was closed while undici was loaded: this is the last request, and it may end.
      if (this.#closing) this.#closeHttp1();
      const response = await answered;
      return {
        status: response.statusCode,
        header: (name) => {
          const value = response.headers[name];
          return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
        },
        ...noticing(response.body),
      };
    } catch (error) {
      this.#onlyHttp1 = this.#alwaysHttp1;
      throw error;
    }
  }

  /** One with room; `undefined`: the server speaks HTTP/1.1. All who wait share a dial. */
  async #connection(signal: AbortSignal): Promise<Http2Connection | undefined> {
    for (;;) {
      for (const connection of this.#connections) if (connection.hasRoom) return connection;
      if (this.#closing) throw new PoolClosedError();
      this.#dialing ??= this.#dial().finally(() => {
        this.#dialing = undefined;
        this.#tellIfGone();
      });
      const dialled = await unlessAborted(this.#dialing, signal);
      if (dialled === undefined) return undefined;
    }
  }

  async #dial(): Promise<Http2Connection | undefined> {
    const { server, tls, connectTimeoutMs, keepAliveDelayMs } = this.#options;
    const options = { server, tls, proxy: this.#proxy, timeoutMs: connectTimeoutMs, keepAliveDelayMs };
    const socket = await dial(options).catch((error: unknown) => {
      // With material that was replaced meanwhile: no word about the server.
      throw this.#closing ? new PoolClosedError() : error;
    });
    if (this.#closing || socket.alpnProtocol !== 'h2') {
      socket.destroy();
      if (this.#closing) throw new PoolClosedError();
      this.#onlyHttp1 = true;
      return undefined;
    }
    const connection = new Http2Connection(socket, server.origin, this.#options.ping(), {
      onTooManyPings: this.#options.onTooManyPings,
      onGone: () => {
        this.#connections.delete(connection);
        this.#tellIfGone();
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  #tellIfGone(): void {
    const idle = this.#connections.size === 0 && this.#dialing === undefined && this.#http1 === undefined;
    if (this.#closing && idle) this.#options.onGone();
  }
}

/** Passes a body on, and remembers when its last piece came. */
function noticing(body: AsyncIterable<Buffer>): Pick<PoolResponse, 'body' | 'lastHeardMs'> {
  let heardAtMs = performance.now();
  const pieces = async function* () {
    for await (const piece of body) {
      heardAtMs = performance.now();
      yield piece;
    }
  };
  return { body: pieces(), lastHeardMs: () => toEpochMs(heardAtMs) };
}

function toUndici(headers: RequestHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}
