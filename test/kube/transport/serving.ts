// Servers, a proxy that holds, and the transport in front of them, for the tests of this folder.

import assert from 'node:assert/strict';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
  connect as connectTcp,
} from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { Credentials, Identity, RequestHeaders, TlsMaterial } from '../../../src/kube/credentials/credentials.ts';
import { createTransport, type Transport } from '../../../src/kube/transport/transport.ts';
import type { Certificate } from '../../simulator/server/certificate.ts';

export const DEADLINE_MS = 10_000;

/** Credentials whose TLS material a test replaces. */
export class GivenCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  tls: TlsMaterial;
  headers: RequestHeaders = { authorization: 'Bearer it-is-me' };
  readonly given: Identity[] = [];
  readonly refusals: Identity[] = [];

  constructor(server: string, ca: string | undefined, proxyUrl?: string) {
    this.server = server;
    this.proxyUrl = proxyUrl;
    this.tls = { ca: toBuffer(ca), cert: undefined, key: undefined, serverName: undefined, rejectUnauthorized: true };
  }

  async current(_signal: AbortSignal): Promise<Identity> {
    const identity = { headers: this.headers, tls: this.tls };
    this.given.push(identity);
    return identity;
  }

  refused(identity: Identity): void {
    this.refusals.push(identity);
  }
}

export interface Serving {
  readonly url: string;
  readonly port: number;
  readonly sessions: Set<ServerHttp2Session>;
  /** Sessions that were ever opened. */
  opened(): number;
  readonly server: Http2SecureServer;
  stop(): Promise<void>;
}

export type Handler = (stream: ServerHttp2Stream, path: string) => void;

/** An HTTP/2 server; `/small` answers at once, everything else is the handler's. */
export async function serveHttp2(
  context: TestContext,
  certificate: Certificate,
  handler: Handler = (stream) => stream.respond({ ':status': 200 }),
  options: { readonly port?: number; readonly requestCert?: boolean; readonly maxStreams?: number } = {},
): Promise<Serving> {
  const sessions = new Set<ServerHttp2Session>();
  let opened = 0;
  const server = createSecureServer({
    key: certificate.key,
    cert: certificate.cert,
    maxSessionMemory: 1_000,
    requestCert: options.requestCert ?? false,
    rejectUnauthorized: false,
    ...(options.maxStreams === undefined ? {} : { settings: { maxConcurrentStreams: options.maxStreams } }),
  });
  server.on('session', (session) => {
    opened += 1;
    sessions.add(session);
    session.on('error', () => session.destroy());
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    const path = headers[':path'] ?? '';
    if (path === '/small') {
      stream.respond({ ':status': 200, 'content-type': 'text/plain; charset=x' });
      stream.end(`over h2 as ${headers.authorization}`);
    } else handler(stream, path);
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const session of sessions) session.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  context.after(stop);
  return { url: `https://127.0.0.1:${port}`, port, sessions, opened: () => opened, server, stop };
}

export function transportTo(
  context: TestContext,
  credentials: Credentials,
  ping = { pingAfterMs: 15_000, pingTimeoutMs: 10_000 },
): Transport {
  const transport = createTransport({ credentials, userAgent: 'digger/test', ping });
  context.after(() => transport.close());
  return transport;
}

export async function get(transport: Transport, path = '/small'): Promise<string> {
  const response = await transport.request({ path, accept: '*/*', signal: AbortSignal.timeout(DEADLINE_MS) });
  assert.equal(response.status, 200);
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Opens a stream and returns it with its first bytes read. */
export async function open(transport: Transport, path: string, signal = AbortSignal.timeout(60_000)) {
  const response = await transport.request({ path, accept: '*/*', signal });
  const body = response.body[Symbol.asyncIterator]();
  const first = await body.next();
  return { response, body, first: first.done === true ? '' : first.value.toString() };
}

export async function until(what: string, condition: () => boolean, seen: () => unknown = () => ''): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`${what}: not within ${DEADLINE_MS} ms; seen ${JSON.stringify(seen())}`);
    await delay(5);
  }
}

/** Of the connections of the server; those that are over are gone. */
export async function untilOneIsLeft(server: Serving): Promise<void> {
  const left = (): number => server.sessions.size;
  await until('one connection is left', () => left() === 1, left);
}

export const keepOpen: Handler = (stream, path) => {
  stream.respond({ ':status': 200 });
  stream.write(path);
};

/** A TCP proxy that can stop passing bytes on while both ends still get their acknowledgements. */
export class HoldingProxy {
  readonly port: number;
  readonly clients = new Set<Socket>();
  readonly #held: Set<Socket>;
  readonly #state: { hold: boolean };

  private constructor(server: Server, held: Set<Socket>, state: { hold: boolean }, clients: Set<Socket>) {
    this.port = (server.address() as AddressInfo).port;
    this.#held = held;
    this.#state = state;
    this.clients = clients;
  }

  static async start(context: TestContext, targetPort: number): Promise<HoldingProxy> {
    const sockets = new Set<Socket>();
    const clients = new Set<Socket>();
    const state = { hold: false };
    const server = createTcpServer((client) => {
      const target = connectTcp(targetPort, '127.0.0.1');
      clients.add(client);
      for (const [from, to] of [
        [client, target],
        [target, client],
      ] as const) {
        sockets.add(from);
        from.on('data', (chunk) => void to.write(chunk));
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        if (state.hold) from.pause();
      }
    });
    await listen(server, 0);
    context.after(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return new HoldingProxy(server, sockets, state, clients);
  }

  hold(): void {
    this.#state.hold = true;
    for (const socket of this.#held) socket.pause();
  }

  pass(): void {
    this.#state.hold = false;
    for (const socket of this.#held) socket.resume();
  }
}

/** Starts a server that speaks one protocol or several; it ends with the test, whatever is open then. Returns its URL. */
export async function serveSecurely(context: TestContext, server: Http2SecureServer): Promise<string> {
  const held = new Set<{ destroy(): void }>();
  server.on('session', (session) => held.add(session));
  server.on('secureConnection', (socket) => held.add(socket));
  await listen(server, 0);
  context.after(async () => {
    for (const each of held) each.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function listen(
  server: { listen(port: number, host: string, done: () => void): unknown },
  port: number,
): Promise<void> {
  return new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve));
}

export function toBuffer(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}
