// HTTP to one API server: credentials added, TLS material followed, bodies as streams of Buffers.
//
// One pool of connections per cluster: HTTP/2 where the server offers it, so that pings tell a dead connection from a
// quiet watch (docs/decisions/http2-with-pings.md). It is rebuilt when the CA, certificate or key change; requests
// under way finish on the old one. Speaks of failures in two ways: an answer of any status is a value, no answer is a
// TransportError. A 401 discards the identity that it was said to. Bodies that come compressed are taken so, asked for
// or not (docs/decisions/gzip-for-lists.md).

import { ConnectionPool, PoolClosedError, type PoolResponse } from './connection-pool.ts';
import type { Credentials, Identity, TlsMaterial } from '../credentials/credentials.ts';
import { gunzip } from './gunzip.ts';
import type { PingOptions } from './connection-life.ts';
import { parseRetryAfter } from '../retry-after.ts';
import { WireError } from '../wire-error.ts';

export interface ApiResponse {
  readonly status: number;
  /** Without parameters, lower case. */
  readonly contentType: string;
  /** From `Retry-After`, capped; 0: none. */
  readonly retryAfterMs: number;
  /** Where the server redirects to, without user and query, which may hold secrets. Redirects are not followed. */
  readonly redirect?: string;
  /**
   * Must be read or dropped by ending the iteration. Rejects with a TransportError when the connection breaks, and with
   * a WireError when it is compressed and damaged.
   */
  readonly body: AsyncIterable<Buffer>;
  /**
   * When anything last arrived on the connection that carries this answer, ms since the epoch: bytes of other requests
   * and answers to pings count over HTTP/2, also while the connection is leaving. Over HTTP/1.1 the bytes of this
   * answer.
   */
  lastHeardMs(): number;
  /** Ends the request, read or not: its stream or socket is let go. Does nothing when it has ended. */
  discard(): void;
}

export interface ApiRequest {
  /** Path and query. */
  readonly path: string;
  readonly accept: string;
  /** Ask for gzip, unless the transport is not to. Default: false. */
  readonly gzip?: boolean;
  /** JSON, to be posted; unset: a GET. */
  readonly json?: Buffer;
  /** Ends the request and its body. */
  readonly signal: AbortSignal;
  /** Called when credentials are there and the request begins; again when it begins anew on another connection. */
  readonly onBegin?: () => void;
}

/** All that a reflector knows of HTTP: small enough to be another protocol one day. */
export interface Transport {
  /** Rejects with a TransportError, a CredentialsError, a WireError; with the signal's reason when that aborted. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** Cuts everything that is still open. */
  close(): Promise<void>;
}

/** Bytes of bodies since the start, as they came. */
export interface ReceivedBytes {
  readonly identity: number;
  readonly gzip: number;
  /** What those of `gzip` came to. */
  readonly inflated: number;
}

export interface PooledTransport extends Transport {
  readonly received: ReceivedBytes;
}

/** No answer, or only a part of one. Always retryable. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** `ECONNREFUSED`, `ECONNRESET`, `UND_ERR_CONNECT_TIMEOUT`, …; `''` when the error has no code. */
  readonly code: string;

  constructor(cause: unknown) {
    super(cause instanceof Error ? describe(cause) : String(cause), { cause });
    this.code = codeOf(cause);
  }
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly userAgent: string;
  /** Default: PING. */
  readonly ping?: PingOptions;
  /** Ask for gzip where a request may. Default: true. */
  readonly compression?: boolean;
}

/**
 * A connection that died is noticed 25 s after its last byte at the latest (client-go: 45 s, a ping after 30 s and 15 s
 * for its answer). A quiet connection is pinged four times a second, so that a healthy one has been heard of within the
 * last 250 ms and a round trip: when it is cut, its quiet watches are believed up to then, and answers about the time
 * before that are UNKNOWN. More often would tell little: an event on its way is allowed as long (DELIVERY_MS).
 */
export const PING: PingOptions = { pingAfterMs: 250, pingTimeoutMs: 24_750 };
/** For a peer that finds so many pings too many. The next is less than half as often, up to once a minute. */
const CALM_PING: PingOptions = { pingAfterMs: 15_000, pingTimeoutMs: 10_000 };
const CALMEST_PING_MS = 60_000;
/** A server that does not even accept. client-go dials for 30 s; a pod on the same network needs no such patience. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Material that is replaced this often while a request waits for a connection is no rotation any more. */
const MAX_ATTEMPTS = 5;
/** The API server ends any list after 60 s by itself (`--request-timeout`) and sends a watch's headers at once. */
const HEADERS_TIMEOUT_MS = 65_000;
/**
 * Idle time before the kernel probes the peer. libuv then probes each second and gives up after ten, so a peer that
 * vanished is noticed 25 s after its last byte over HTTP/1.1 too.
 */
const TCP_KEEPALIVE_DELAY_MS = 15_000;

export function createTransport(options: TransportOptions): PooledTransport {
  return new Transporting(options);
}

class Transporting implements PooledTransport {
  readonly #credentials: Credentials;
  readonly #userAgent: string;
  #ping: PingOptions;
  readonly #compression: boolean;
  readonly received = { identity: 0, gzip: 0, inflated: 0 };
  readonly #server: URL;
  readonly #basePath: string;
  #pool: ConnectionPool | undefined;
  /** With requests under way under material that was replaced; each goes when its last request ends. */
  readonly #oldPools = new Set<ConnectionPool>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#credentials = options.credentials;
    this.#userAgent = options.userAgent;
    this.#ping = options.ping ?? PING;
    this.#compression = options.compression ?? true;
    this.#server = new URL(options.credentials.server);
    this.#basePath = this.#server.pathname === '/' ? '' : this.#server.pathname;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    request.signal.throwIfAborted();
    const discarding = new AbortController();
    const discard = () => discarding.abort();
    const signal = AbortSignal.any([request.signal, discarding.signal]);
    const response = await this.#send(request, signal);
    const encoding = encodingOf(response.header('content-encoding'));
    if (encoding === undefined) {
      discard();
      const unknown = JSON.stringify(response.header('content-encoding'));
      throw new WireError(`the answer has the content encoding ${unknown}, which was not asked for`);
    }
    const redirect = redirectOf(response, this.#server);
    return {
      ...(redirect === undefined ? {} : { redirect }),
      status: response.status,
      contentType: (response.header('content-type').split(';')[0] ?? '').trim().toLowerCase(),
      retryAfterMs: parseRetryAfter(response.header('retry-after'), Date.now()),
      body: this.#read(encoding, response.body, request.signal),
      lastHeardMs: () => response.lastHeardMs(),
      discard,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#oldPools, ...(this.#pool === undefined ? [] : [this.#pool])];
    this.#pool = undefined;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #read(encoding: 'identity' | 'gzip', body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
    const pieces = readBody(body, signal, (length) => {
      this.received[encoding] += length;
    });
    return encoding === 'identity' ? pieces : this.#inflate(pieces);
  }

  async *#inflate(pieces: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
    for await (const block of gunzip(pieces)) {
      this.received.inflated += block.length;
      yield block;
    }
  }

  /** With the credentials of this moment; again when its connections were replaced before it was sent. */
  async #send(request: ApiRequest, signal: AbortSignal): Promise<PoolResponse> {
    for (let attempt = 1; ; attempt += 1) {
      const identity = await this.#credentials.current(request.signal);
      request.signal.throwIfAborted();
      if (this.#closed) throw new TransportError(new Error('the transport is closed'));
      request.onBegin?.();
      try {
        const response = await this.#sendAs(identity, request, signal);
        // What the server refused is discarded here, where it is known which identity that was.
        if (response.status === 401) this.#credentials.refused(identity);
        return response;
      } catch (error) {
        request.signal.throwIfAborted();
        const replaced = error instanceof PoolClosedError && !this.#closed && attempt < MAX_ATTEMPTS;
        if (!replaced) throw new TransportError(error);
      }
    }
  }

  #sendAs(
    { headers, tls }: Identity,
    { path, accept, gzip, json }: ApiRequest,
    signal: AbortSignal,
  ): Promise<PoolResponse> {
    const fields = {
      ...headers,
      accept,
      'accept-encoding': gzip === true && this.#compression ? 'gzip' : 'identity',
      'user-agent': this.#userAgent,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return this.#poolFor(tls).request(`${this.#basePath}${path}`, fields, signal, json);
  }

  #poolFor(tls: TlsMaterial): ConnectionPool {
    if (this.#pool !== undefined && sameMaterial(this.#pool.tls, tls)) return this.#pool;
    const old = this.#pool;
    const pool: ConnectionPool = new ConnectionPool({
      ping: () => this.#ping,
      onTooManyPings: () => {
        this.#ping = calmer(this.#ping);
      },
      server: this.#server,
      tls,
      proxyUrl: this.#credentials.proxyUrl,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
      keepAliveDelayMs: TCP_KEEPALIVE_DELAY_MS,
      onGone: () => this.#oldPools.delete(pool),
    });
    this.#pool = pool;
    if (old !== undefined) {
      // Its watches end within their timeoutSeconds.
      this.#oldPools.add(old);
      old.close();
    }
    return pool;
  }
}

function calmer({ pingAfterMs }: PingOptions): PingOptions {
  const longerMs = Math.min(CALMEST_PING_MS, 2 * pingAfterMs);
  return { ...CALM_PING, pingAfterMs: Math.max(CALM_PING.pingAfterMs, longerMs) };
}

/** `undefined`: it cannot be read. */
function encodingOf(contentEncoding: string): 'identity' | 'gzip' | undefined {
  switch (contentEncoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    // Its old name (RFC 9110, section 8.4.1.3).
    case 'x-gzip':
      return 'gzip';
    default:
      return undefined;
  }
}

async function* readBody(
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
  received: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) {
      received(chunk.length);
      yield chunk;
    }
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

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return 'cause' in cause ? codeOf(cause.cause) : '';
}

function describe(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(String).join('; ');
  return error.message === '' ? codeOf(error) : error.message;
}

function redirectOf({ status, header }: Pick<PoolResponse, 'status' | 'header'>, server: URL): string | undefined {
  if (status < 300 || status > 399) return undefined;
  const to = URL.parse(header('location'), server.href);
  return to === null ? undefined : `${to.origin}${to.pathname}`;
}
