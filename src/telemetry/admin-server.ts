// The admin listener: /livez, /readyz and /metrics over plain HTTP, for kubelets, load balancers and Prometheus.
//
// Answers GET and HEAD only, takes no request with a body, and changes nothing. Its callers learn names of resources
// and counts, never an address or an object, unless the page for people is asked for (`page`). Probes come through
// whatever others do here: connections have bounds at which the new one gets in (admin-connections.ts), requests of one
// source have a rate above which they wait, and /metrics is computed once a second at most, in parts, and answered once
// in a turn of the event loop (metrics-page.ts). None of these bounds is shared with the gRPC port.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { networkOf } from '../model/ip/network.ts';
import { AdminConnections } from './admin-connections.ts';
import { MetricsPage, metricsInParts, OneATurn } from './metrics-page.ts';
import { SourceRates } from './source-rates.ts';

export interface AdminServerOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Tasks that keep the service from being ready, for people; empty: ready. */
  readonly pending: () => readonly string[];
  readonly registry: Registry;
  /** Further paths (GET): a page for people; `undefined` for a path that it does not have. */
  readonly page?: (url: string, host: string | undefined) => AdminAnswer | undefined;
  /** A monotonic clock; unset: the process's. */
  readonly nowMs?: () => number;
}

/** Of a further path. */
export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AdminServer {
  /** `127.0.0.1:9464`, with the port that the system chose. */
  readonly address: string;
  /** Ends open connections, then resolves. */
  close(): Promise<void>;
}

// Probes and scrapes send a few hundred bytes of headers.
const MAX_HEADER_BYTES = 8 * 1024;
// A probe sends its request at once, in one packet.
const HEADERS_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** From the request to the last byte of the answer; Prometheus gives up after 10 s by default. */
const ANSWER_TIMEOUT_MS = 10_000;
// Prometheus scrapes every 15–60 s; a shorter keep-alive only costs it a connection.
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** A few probes and scrapers, several times over; 64 answers of 100 kB are below 10 MB. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_OF_SOURCE = 8;
/**
 * Of one source. A kubelet asks once or twice a second. Behind a gateway it shares its address with others: a probe
 * waits for a quarter of a second at most, so that its timeout of a second holds whatever they do.
 */
const REQUESTS = { perSecond: 20, burst: 40, maxDelayMs: 250, maxSources: 1_024 };
/**
 * Of one source, /metrics: several scrapers at once; 64 connections of 64 sources get 64 answers of 100 kB a second.
 */
const SCRAPES = { perSecond: 10, burst: 20, maxDelayMs: 1_000, maxSources: 1_024 };

/** Resolves when it listens; rejects with the system's error (`EADDRINUSE`) when it cannot. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { registry, nowMs = () => performance.now() } = options;
  const metrics = createAdminMetrics(registry, () => connections.size);
  const connections = new AdminConnections<Socket>({
    max: MAX_CONNECTIONS,
    maxOfSource: MAX_CONNECTIONS_OF_SOURCE,
    onPushedOut: () => metrics.pushedOut.inc(),
  });
  const metricsPage = new MetricsPage({
    compute: () => metricsInParts(registry, { nowMs, later: setImmediate }),
    nowMs,
  });
  const scrapeTurns = new OneATurn(setImmediate);
  const context: Answering = {
    pending: options.pending,
    metrics: async () => {
      const bytes = await metricsPage.bytes();
      await scrapeTurns.pass();
      return bytes;
    },
    page: options.page,
    contentType: registry.contentType,
    requests: new SourceRates({ ...REQUESTS, nowMs }),
    scrapes: new SourceRates({ ...SCRAPES, nowMs }),
    onDelayed: () => metrics.delayed.inc(),
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    // A second request before the answer to the first: neither probes nor scrapers do that.
    if (!connections.beginAnswer(socket)) {
      socket.destroy();
      return;
    }
    const late = setTimeout(() => socket.destroy(), ANSWER_TIMEOUT_MS);
    response.once('close', () => {
      clearTimeout(late);
      connections.endAnswer(socket);
    });
    // Errors end this one answer; a bug must not take the probes of a working service down.
    answer(request, response, context).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else send(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
    });
  };
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 500,
    },
    onRequest,
  );
  // Node would answer these by itself, as many as come one after the other, past every bound.
  server.on('checkExpectation', onRequest).on('checkContinue', onRequest);
  server.on('connection', (socket: Socket) => {
    connections.add(socket, networkOf(socket.remoteAddress ?? ''));
    socket.once('close', () => connections.remove(socket));
  });
  await listen(server, options.host, options.port);
  const { address, port, family } = server.address() as AddressInfo;
  return { address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, close: () => close(server) };
}

/** What answers are made of. */
interface Answering {
  readonly pending: () => readonly string[];
  readonly metrics: () => Promise<Buffer>;
  readonly page: AdminServerOptions['page'];
  readonly contentType: string;
  readonly requests: SourceRates;
  readonly scrapes: SourceRates;
  readonly onDelayed: () => void;
}

function createAdminMetrics(registry: Registry, connections: () => number): { pushedOut: Counter; delayed: Counter } {
  const registers = [registry];
  const open: Gauge = new Gauge({
    name: 'digger_admin_connections',
    help: 'Open connections of the admin listener.',
    registers,
    collect: () => open.set(connections()),
  });
  return {
    pushedOut: new Counter({
      name: 'digger_admin_connections_pushed_out_total',
      help: 'Connections of the admin listener that were closed to make room for newer ones.',
      registers,
    }),
    delayed: new Counter({
      name: 'digger_admin_requests_delayed_total',
      help: 'Requests to the admin listener that waited, because their source asks too often.',
      registers,
    }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Answering): Promise<void> {
  const path = request.url?.split('?')[0];
  const source = networkOf(request.socket.remoteAddress ?? '');
  const delayMs = Math.max(context.requests.take(source), path === '/metrics' ? context.scrapes.take(source) : 0);
  if (delayMs > 0) {
    context.onDelayed();
    await delay(delayMs);
    if (response.destroyed) return;
  }
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const hasBody = (length !== undefined && length !== '0') || encoding !== undefined;
  // A body is not read; the connection ends with the answer.
  if (hasBody) response.setHeader('connection', 'close');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, 'only GET and HEAD\n');
    return;
  }
  if (hasBody) {
    send(response, 400, 'requests with a body are not taken\n');
    return;
  }
  switch (path) {
    case '/livez':
      // That this line runs is the proof: the event loop turns.
      send(response, 200, 'ok\n');
      return;
    case '/readyz': {
      const pending = context.pending();
      if (pending.length === 0) send(response, 200, 'ok\n');
      else send(response, 503, `not ready, pending:\n${pending.map((task) => `${task}\n`).join('')}`);
      return;
    }
    case '/metrics':
      send(response, 200, await context.metrics(), context.contentType);
      return;
    default: {
      const found = context.page?.(request.url ?? '', request.headers.host);
      if (found !== undefined) {
        for (const [name, value] of Object.entries(found.headers)) response.setHeader(name, value);
        send(response, found.status, found.body, found.type);
        return;
      }
      send(response, 404, 'not found; there are /livez, /readyz and /metrics\n');
    }
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  // Node leaves the body of an answer to HEAD out.
  response.end(body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
