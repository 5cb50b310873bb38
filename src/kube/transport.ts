// HTTP to one API server: credentials added, TLS material followed, bodies as streams of Buffers.
//
// One undici pool per cluster: HTTP/1.1, a connection per request in flight, so a list never waits behind a watch.
// It is rebuilt when the CA, certificate or key change; requests under way finish on the old one. Speaks of failures
// in two ways: an answer of any status is a value, no answer is a TransportError. Bodies are asked for uncompressed:
// gzip doubles the API server's CPU time for a list, and the network between the two is rarely the bottleneck.

import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Credentials, TlsMaterial } from './credentials.ts';
import { CredentialsError } from './credentials.ts';

export interface ApiResponse {
  readonly status: number;
  /** Without parameters, lower case. */
  readonly contentType: string;
  /** From `Retry-After` in seconds; 0: none, or not a number. */
  readonly retryAfterMs: number;
  /** Must be read or dropped by ending the iteration. Rejects with a TransportError when the connection breaks. */
  readonly body: AsyncIterable<Buffer>;
}

export interface ApiRequest {
  /** Path and query. */
  readonly path: string;
  readonly accept: string;
  /** Ends the request and its body. */
  readonly signal: AbortSignal;
}

/** All that a reflector knows of HTTP: small enough to be another protocol one day. */
export interface Transport {
  /** Rejects with a TransportError or a CredentialsError; with the signal's reason when that aborted. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** The server said 401. */
  discardCredentials(): void;
  /** Cuts everything that is still open. */
  close(): Promise<void>;
}

/** No answer, or only a part of one. Always retryable. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** `ECONNREFUSED`, `ECONNRESET`, `UND_ERR_CONNECT_TIMEOUT`, …; `''` when there is none. */
  readonly code: string;

  constructor(cause: unknown) {
    super(cause instanceof Error ? describe(cause) : String(cause), { cause });
    this.code = codeOf(cause);
  }
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly userAgent: string;
}

/** A server that does not even accept. client-go dials for 30 s; a pod on the same network needs no such patience. */
const CONNECT_TIMEOUT_MS = 10_000;
/** The API server ends any list after 60 s by itself (`--request-timeout`) and sends a watch's headers at once. */
const HEADERS_TIMEOUT_MS = 65_000;
/**
 * Idle time before the kernel probes the peer. libuv then probes each second and gives up after ten, so a peer that
 * vanished is noticed 25 s after its last byte, within the 45 s that are promised.
 */
const TCP_KEEPALIVE_DELAY_MS = 15_000;
/** Idle connections are kept for the next page or watch, not longer. */
const IDLE_CONNECTION_MS = 10_000;

export function createTransport(options: TransportOptions): Transport {
  return new UndiciTransport(options);
}

class UndiciTransport implements Transport {
  readonly #credentials: Credentials;
  readonly #userAgent: string;
  readonly #origin: string;
  readonly #basePath: string;
  #pool: { readonly dispatcher: Dispatcher; readonly tls: TlsMaterial } | undefined;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#credentials = options.credentials;
    this.#userAgent = options.userAgent;
    const url = new URL(options.credentials.server);
    this.#origin = url.origin;
    this.#basePath = url.pathname === '/' ? '' : url.pathname;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    request.signal.throwIfAborted();
    const { headers, tls } = await this.#credentials.current();
    request.signal.throwIfAborted();
    if (this.#closed) throw new TransportError(new Error('the transport is closed'));
    try {
      const response = await this.#dispatcher(tls).request({
        origin: this.#origin,
        path: `${this.#basePath}${request.path}`,
        method: 'GET',
        headers: { ...headers, accept: request.accept, 'user-agent': this.#userAgent },
        signal: request.signal,
      });
      return {
        status: response.statusCode,
        contentType: (one(response.headers['content-type']).split(';')[0] ?? '').trim().toLowerCase(),
        retryAfterMs: toRetryAfterMs(one(response.headers['retry-after'])),
        body: readBody(response.body, request.signal),
      };
    } catch (error) {
      request.signal.throwIfAborted();
      throw error instanceof CredentialsError ? error : new TransportError(error);
    }
  }

  discardCredentials(): void {
    this.#credentials.discard();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.dispatcher.destroy();
    this.#pool = undefined;
  }

  #dispatcher(tls: TlsMaterial): Dispatcher {
    if (this.#pool !== undefined && sameMaterial(this.#pool.tls, tls)) return this.#pool.dispatcher;
    const old = this.#pool?.dispatcher;
    const dispatcher = this.#createDispatcher(tls);
    this.#pool = { dispatcher, tls };
    // Waits for the requests that run on it; they end by themselves, watches within their timeoutSeconds.
    old?.close().catch(() => old.destroy());
    return dispatcher;
  }

  #createDispatcher(tls: TlsMaterial): Dispatcher {
    const tlsOptions = {
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      rejectUnauthorized: tls.rejectUnauthorized,
    };
    const socketOptions = {
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE_DELAY_MS,
    };
    const pool = {
      allowH2: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Silence on a watch is healthy; reflectors have their own clocks.
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_CONNECTION_MS,
    };
    const { proxyUrl } = this.#credentials;
    if (proxyUrl === undefined) return new Agent({ ...pool, connect: { ...socketOptions, ...tlsOptions } });
    return new ProxyAgent({
      ...pool,
      uri: proxyUrl,
      requestTls: { ...socketOptions, ...tlsOptions },
      connect: socketOptions,
    });
  }
}

async function* readBody(body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw new TransportError(error);
  }
}

function sameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return (
    sameBytes(a.ca, b.ca) &&
    sameBytes(a.cert, b.cert) &&
    sameBytes(a.key, b.key) &&
    a.serverName === b.serverName &&
    a.rejectUnauthorized === b.rejectUnauthorized
  );
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

function toRetryAfterMs(header: string): number {
  const seconds = Number(header);
  return header !== '' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

function one(header: string | string[] | undefined): string {
  return Array.isArray(header) ? (header[0] ?? '') : (header ?? '');
}

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return 'cause' in cause ? codeOf(cause.cause) : '';
}

function describe(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(String).join('; ');
  return error.message === '' ? codeOf(error) : error.message;
}
