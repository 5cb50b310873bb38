// HTTP/1.1 to the API server, by undici: for plain `http:` (a simulator, `kubectl proxy`), for servers and proxies in
// between that do not offer HTTP/2, and for SOCKS proxies. A connection per request under way.
//
// What it cannot do: tell a quiet watch from a peer that is gone while its network still acknowledges. HTTP/1.1 has no
// ping, and no idle time is long enough to be sure, because bookmarks are a favour. There the hard limit on a watch's
// life (its timeoutSeconds and a bit) is the only clock; a peer that stopped acknowledging is found by TCP keepalive.

import type { TLSSocket } from 'node:tls';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { TlsMaterial } from '../credentials/credentials.ts';
import { canTunnel, dial } from './dial.ts';

export interface Http1PoolOptions {
  readonly server: URL;
  readonly tls: TlsMaterial;
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** Idle time before the kernel probes the peer. */
  readonly keepAliveDelayMs: number;
  /** A connection without a request is closed after this. Default: 10 s, enough for the next page or watch. */
  readonly idleMs?: number;
}

const IDLE_MS = 10_000;

export function createHttp1Pool(options: Http1PoolOptions): Dispatcher {
  const { tls, proxyUrl, idleMs = IDLE_MS } = options;
  const tlsOptions = {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    rejectUnauthorized: tls.rejectUnauthorized,
  };
  const socketOptions = {
    timeout: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: options.keepAliveDelayMs,
  };
  const pool = {
    // Where there is HTTP/2 it is spoken with pings, see http2-connection.ts.
    allowH2: false,
    headersTimeout: options.headersTimeoutMs,
    // Silence on a watch is healthy; reflectors have their own clocks.
    bodyTimeout: 0,
    keepAliveTimeout: idleMs,
    // Whatever longer time the server offers: an idle connection that died would take the next watch with it.
    keepAliveMaxTimeout: idleMs,
  };
  if (proxyUrl === undefined) return new Agent({ ...pool, connect: { ...socketOptions, ...tlsOptions } });
  const proxy = new URL(proxyUrl);
  if (options.server.protocol === 'https:' && canTunnel(proxy)) {
    // The same tunnel as for HTTP/2: undici takes no other answer to CONNECT than 200.
    const { server, connectTimeoutMs: timeoutMs, keepAliveDelayMs } = options;
    return new Agent({
      ...pool,
      connect: (_target, callback) => {
        const tunnel = { server, tls, proxy, timeoutMs, keepAliveDelayMs, protocols: ['http/1.1'] };
        void hand(dial(tunnel), callback);
      },
    });
  }
  return new ProxyAgent({
    ...pool,
    // undici leaves names to SOCKS proxies always, which is what the `h` asks for.
    uri: proxyUrl.replace(/^socks5h:/i, 'socks5:'),
    requestTls: { ...socketOptions, ...tlsOptions },
    connect: socketOptions,
  });
}

/** Hands undici the socket, or the error that prevented it. */
async function hand(dialled: Promise<TLSSocket>, callback: buildConnector.Callback): Promise<void> {
  let socket: TLSSocket;
  try {
    socket = await dialled;
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null);
    return;
  }
  callback(null, socket);
}
