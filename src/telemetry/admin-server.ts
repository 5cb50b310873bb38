// The admin listener: /livez, /readyz and /metrics over plain HTTP, for kubelets, load balancers and Prometheus.
//
// Answers GET and HEAD only, reads no request body, and changes nothing. A client that reaches it learns names of resources
// and counts, never an address or an object. A caller that is slow or sends a lot is cut off.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AdminServerOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Tasks that keep the service from being ready, for people; empty: ready. */
  readonly pending: () => readonly string[];
  readonly registry: MetricsSource;
}

/** What is needed of a Prometheus registry. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface AdminServer {
  /** `127.0.0.1:9464`, with the port that the system chose. */
  readonly address: string;
  /** Ends open connections, then resolves. */
  close(): Promise<void>;
}

// Probes and scrapes send a few hundred bytes of headers.
const MAX_HEADER_BYTES = 8 * 1024;
// A scrape takes milliseconds; kubelet probes give up after 1 s by default, Prometheus after 10 s.
const REQUEST_TIMEOUT_MS = 10_000;
// Prometheus scrapes every 15–60 s; a shorter keep-alive only costs it a connection.
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
// A few probes and scrapers; more are refused by the socket.
const MAX_CONNECTIONS = 64;

/** Resolves when it listens; rejects with the system's error (`EADDRINUSE`) when it cannot. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      // Errors end this one answer; a bug must not take the probes of a working service down.
      answer(request, response, options).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options.host, options.port);
  const { address, port, family } = server.address() as AddressInfo;
  return { address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, close: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: AdminServerOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, 'only GET and HEAD\n');
    return;
  }
  switch (request.url?.split('?')[0]) {
    case '/livez':
      // That this line runs is the proof: the event loop turns.
      send(response, 200, 'ok\n');
      return;
    case '/readyz': {
      const pending = options.pending();
      if (pending.length === 0) send(response, 200, 'ok\n');
      else send(response, 503, `not ready, pending:\n${pending.map((task) => `${task}\n`).join('')}`);
      return;
    }
    case '/metrics':
      send(response, 200, await options.registry.metrics(), options.registry.contentType);
      return;
    default:
      send(response, 404, 'not found; there are /livez, /readyz and /metrics\n');
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
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
