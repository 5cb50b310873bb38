// Connections to the API server: which protocol, how many, what happens to them, and what a caller sees of it.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
  connect as connectTcp,
} from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { Credentials, TlsMaterial } from '../../../src/kube/credentials/credentials.ts';
import { dial } from '../../../src/kube/transport/dial.ts';
import { Http2Connection, NotProcessedError } from '../../../src/kube/transport/http2-connection.ts';
import { createTransport, type Transport, TransportError } from '../../../src/kube/transport/transport.ts';
import { WireError } from '../../../src/kube/wire-error.ts';
import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';

const DEADLINE_MS = 10_000;

/** Credentials whose TLS material a test replaces. */
class GivenCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  tls: TlsMaterial;

  constructor(server: string, ca: string | undefined, proxyUrl?: string) {
    this.server = server;
    this.proxyUrl = proxyUrl;
    this.tls = { ca: toBuffer(ca), cert: undefined, key: undefined, serverName: undefined, rejectUnauthorized: true };
  }

  async current() {
    return { headers: { authorization: 'Bearer it-is-me' }, tls: this.tls };
  }

  discard(): void {}
}

interface Serving {
  readonly url: string;
  readonly port: number;
  readonly sessions: Set<ServerHttp2Session>;
  /** Sessions that were ever opened. */
  opened(): number;
  readonly server: Http2SecureServer;
  stop(): Promise<void>;
}

type Handler = (stream: ServerHttp2Stream, path: string) => void;

/** An HTTP/2 server; `/small` answers at once, everything else is the handler's. */
async function serveHttp2(
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

function transportTo(
  context: TestContext,
  credentials: Credentials,
  ping = { pingAfterMs: 15_000, pingTimeoutMs: 10_000 },
): Transport {
  const transport = createTransport({ credentials, userAgent: 'digger/test', ping });
  context.after(() => transport.close());
  return transport;
}

async function get(transport: Transport, path = '/small'): Promise<string> {
  const response = await transport.request({ path, accept: '*/*', signal: AbortSignal.timeout(DEADLINE_MS) });
  assert.equal(response.status, 200);
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Opens a stream and returns it with its first bytes read. */
async function open(transport: Transport, path: string, signal = AbortSignal.timeout(60_000)) {
  const response = await transport.request({ path, accept: '*/*', signal });
  const body = response.body[Symbol.asyncIterator]();
  const first = await body.next();
  return { response, body, first: first.done === true ? '' : first.value.toString() };
}

async function until(what: string, condition: () => boolean, seen: () => unknown = () => ''): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`${what}: not within ${DEADLINE_MS} ms; seen ${JSON.stringify(seen())}`);
    await delay(5);
  }
}

const keepOpen: Handler = (stream, path) => {
  stream.respond({ ':status': 200 });
  stream.write(path);
};

test('HTTP/2 is spoken where it is offered, and requests share a connection', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate);
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(transport)));
  assert.deepEqual(new Set(answers), new Set(['over h2 as Bearer it-is-me']));
  assert.equal(server.opened(), 1);
});

test('HTTP/1.1 is spoken where HTTP/2 is not offered, and HTTP/2 again after another server took over', async (context) => {
  const certificate = createCertificate();
  const old = createHttpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    response.end(`over ${request.httpVersion}`);
  });
  await listen(old, 0);
  const { port } = old.address() as AddressInfo;
  const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${port}`, certificate.cert));
  assert.equal(await get(transport), 'over 1.1');
  assert.equal(await get(transport), 'over 1.1');
  old.closeAllConnections();
  await new Promise((resolve) => old.close(resolve));
  await assert.rejects(get(transport), TransportError);
  await serveHttp2(context, certificate, keepOpen, { port });
  assert.match(await get(transport), /over h2/);
});

test('plain http stays HTTP/1.1', async (context) => {
  const server = createHttpServer((request, response) => response.end(`over ${request.httpVersion}`));
  await listen(server, 0);
  context.after(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = transportTo(context, new GivenCredentials(url, undefined));
  assert.equal(await get(transport), 'over 1.1');
});

test('a proxy of the kubeconfig is asked for a tunnel, and HTTP/2 goes through it', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate);
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const target = connectTcp(server.port, '127.0.0.1');
    for (const each of [socket, target]) sockets.add(each.on('error', () => each.destroy()));
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  await listen(proxy, 0);
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const proxyUrl = `http://me:s%40fe@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert, proxyUrl));
  assert.match(await get(transport), /over h2/);
  assert.deepEqual(asked, [`127.0.0.1:${server.port} Basic ${Buffer.from('me:s@fe').toString('base64')}`]);
});

test('a server whose certificate is not trusted gets no request', async (context) => {
  const server = await serveHttp2(context, createCertificate());
  const transport = transportTo(context, new GivenCredentials(server.url, createCertificate().cert));
  await assert.rejects(get(transport), (error) => {
    assert.ok(error instanceof TransportError);
    assert.match(error.code, /SELF_SIGNED|VERIFY|SIGNATURE/);
    return true;
  });
  assert.equal(server.opened(), 0);
});

test('a connection that hears nothing is noticed by a ping, also while the peer still acknowledges', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const proxy = await HoldingProxy.start(context, server.port);
  const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${proxy.port}`, certificate.cert), {
    pingAfterMs: 100,
    pingTimeoutMs: 300,
  });
  const watches = await Promise.all([open(transport, '/a'), open(transport, '/b')]);
  proxy.hold();
  for (const { body } of watches) {
    await assert.rejects(body.next(), (error) => {
      assert.ok(error instanceof TransportError, String(error));
      assert.equal(error.code, 'ERR_PING_TIMEOUT');
      return true;
    });
  }
  proxy.pass();
  assert.match(await get(transport), /over h2/, 'the next request takes another connection');
});

test('a quiet watch stays up for as long as pings are answered', async (context) => {
  const certificate = createCertificate();
  let pings = 0;
  let quiet: ServerHttp2Stream | undefined;
  const server = await serveHttp2(context, certificate, (stream, path) => {
    keepOpen(stream, path);
    quiet = stream;
  });
  server.server.on('session', (session) => session.on('ping', () => (pings += 1)));
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert), {
    pingAfterMs: 20,
    pingTimeoutMs: 2_000,
  });
  const { body } = await open(transport, '/quiet');
  await until(
    'many pings',
    () => pings >= 20,
    () => pings,
  );
  quiet?.write('at last');
  assert.equal((await body.next()).value?.toString(), 'at last');
  assert.equal(server.opened(), 1);
});

test('12.15 what arrives on a connection is heard of by every request on it, also while the connection is leaving', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const proxy = await HoldingProxy.start(context, server.port);
  const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${proxy.port}`, certificate.cert), {
    pingAfterMs: 10,
    pingTimeoutMs: 60_000,
  });
  const { response } = await open(transport, '/quiet');
  for (const leaving of [false, true]) {
    if (leaving) for (const session of server.sessions) session.goaway(0);
    const openedAtMs = Date.now();
    await until('a ping is heard of', () => response.lastHeardMs() > openedAtMs + 100);
  }
  proxy.hold();
  await until('nothing arrives any more', () => Date.now() - response.lastHeardMs() > 300);
  proxy.pass();
});

for (const how of ['the server said goodbye', 'its TLS material was replaced']) {
  test(`12.1 a dead peer is noticed by a ping after ${how}, for as long as a watch lives on the connection`, async (context) => {
    const certificate = createCertificate();
    const server = await serveHttp2(context, certificate, keepOpen);
    const proxy = await HoldingProxy.start(context, server.port);
    const credentials = new GivenCredentials(`https://127.0.0.1:${proxy.port}`, certificate.cert);
    const transport = transportTo(context, credentials, { pingAfterMs: 50, pingTimeoutMs: 300 });
    const { body, response } = await open(transport, '/watch');
    if (how === 'the server said goodbye') for (const session of server.sessions) session.goaway(0);
    else
      credentials.tls = { ...credentials.tls, ca: Buffer.concat([Buffer.from(certificate.cert), Buffer.from('\n')]) };
    // The next request takes another connection, so the watch is alone on one that is leaving.
    await until('another connection', () => server.opened() === 2 || (void get(transport).catch(() => {}), false));
    const leftAtMs = Date.now();
    await until('it is heard of while leaving', () => response.lastHeardMs() > leftAtMs + 100);
    proxy.hold();
    await assert.rejects(body.next(), (error) => error instanceof TransportError && error.code === 'ERR_PING_TIMEOUT');
    proxy.pass();
  });
}

test('12.2 a peer that never closes after the last stream of a leaving connection is cut, and nothing throws in a timer', async (context) => {
  const certificate = createCertificate();
  const streams: ServerHttp2Stream[] = [];
  const server = await serveHttp2(context, certificate, (stream, path) => {
    keepOpen(stream, path);
    streams.push(stream);
  });
  const proxy = await HoldingProxy.start(context, server.port);
  const socket = await dial({
    server: new URL(`https://127.0.0.1:${proxy.port}`),
    tls: new GivenCredentials('https://x', certificate.cert).tls,
    proxy: undefined,
    timeoutMs: DEADLINE_MS,
    keepAliveDelayMs: 15_000,
  });
  let gone = false;
  const connection = new Http2Connection(socket, 'https://x', { pingAfterMs: 5, pingTimeoutMs: 60_000 }, () => {
    gone = true;
  });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await connection.request({
    headers: { ':path': '/' },
    signal,
    headersTimeoutMs: 5_000,
    body: undefined,
  });
  const body = response.body[Symbol.asyncIterator]();
  await body.next();
  connection.close();
  streams[0]?.end();
  assert.equal((await body.next()).done, true);
  // Now the peer owes a FIN, and the network does not bring it.
  proxy.hold();
  await until('it is cut', () => gone);
  assert.ok(socket.destroyed);
  proxy.pass();
});

test('12.2 a connection that is cut in the turn in which it was made throws nothing', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const socket = await dial({
    server: new URL(server.url),
    tls: new GivenCredentials('https://x', certificate.cert).tls,
    proxy: undefined,
    timeoutMs: DEADLINE_MS,
    keepAliveDelayMs: 15_000,
  });
  let gone = 0;
  const ping = { pingAfterMs: 1, pingTimeoutMs: 1 };
  const connection = new Http2Connection(socket, 'https://x', ping, () => (gone += 1));
  connection.destroy();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const late = { headers: { ':path': '/' }, signal, headersTimeoutMs: 5_000, body: undefined };
  await assert.rejects(connection.request(late), NotProcessedError);
  await until('it is gone', () => gone === 1);
});

test('12.15 over HTTP/1.1 an answer is heard of by its own bytes', async (context) => {
  const server = createHttpServer((_request, response) => {
    response.write('first');
    setTimeout(() => response.end('second'), 50);
  });
  await listen(server, 0);
  context.after(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { body, response } = await open(transportTo(context, new GivenCredentials(url, undefined)), '/');
  const first = response.lastHeardMs();
  assert.equal((await body.next()).value?.toString(), 'second');
  assert.ok(response.lastHeardMs() > first);
});

for (const [how, cut] of [
  ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ['closed', (socket: Socket) => socket.end()],
] as const) {
  test(`a connection ${how} in mid-frame is an error and never an end`, async (context) => {
    const certificate = createCertificate();
    const server = await serveHttp2(context, certificate, keepOpen);
    const proxy = await HoldingProxy.start(context, server.port);
    const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${proxy.port}`, certificate.cert));
    const { body, first } = await open(transport, '/watch');
    assert.equal(first, '/watch');
    for (const socket of proxy.clients) cut(socket);
    await assert.rejects(body.next(), TransportError);
  });
}

test('a stream that the server resets is an error and never an end', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, (stream, path) => {
    keepOpen(stream, path);
    setTimeout(() => stream.destroy(new Error('lost it')), 20);
  });
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const { body } = await open(transport, '/watch');
  await assert.rejects(body.next(), TransportError);
});

test('an abort ends the request and its body with the reason of the signal', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const stopping = new AbortController();
  const { body } = await open(transport, '/watch', stopping.signal);
  const reason = new Error('enough');
  stopping.abort(reason);
  await assert.rejects(body.next(), reason);
  assert.match(await get(transport), /over h2/);
  assert.equal(server.opened(), 1, 'the connection outlives a cancelled request');
});

test('a server that says goodbye lets requests end, and the next one takes another connection', async (context) => {
  const certificate = createCertificate();
  const streams: ServerHttp2Stream[] = [];
  const server = await serveHttp2(context, certificate, (stream, path) => {
    keepOpen(stream, path);
    streams.push(stream);
  });
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const { body } = await open(transport, '/watch');
  const [session] = server.sessions;
  session?.goaway(0);
  assert.match(await get(transport), /over h2/);
  await until('another connection', () => server.opened() === 2, server.opened);
  streams[0]?.end('the last word');
  assert.equal((await body.next()).value?.toString(), 'the last word');
  assert.equal((await body.next()).done, true);
  await until(
    'the first connection is gone',
    () => server.sessions.size === 1,
    () => server.sessions.size,
  );
});

test('a list that nobody reads holds up no watch on the same connection', async (context) => {
  const certificate = createCertificate();
  let unread: ServerHttp2Stream | undefined;
  const server = await serveHttp2(context, certificate, (stream, path) => {
    stream.respond({ ':status': 200 });
    stream.write(path);
    if (path !== '/list') return;
    unread = stream;
    // Far more than a window holds.
    stream.write(Buffer.alloc(32 * 1024 * 1024));
  });
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  await open(transport, '/list');
  const session = unread?.session;
  await until(
    'the window of the list is used up',
    () => (session?.state.outboundQueueSize ?? 0) >= 0 && (unread?.writableLength ?? 0) > 0,
  );
  await open(transport, '/watch');
  for (let n = 0; n < 20; n += 1) assert.match(await get(transport), /over h2/);
  assert.equal(server.opened(), 1);
});

test('a connection takes as many requests as the server allows, and another one takes the rest', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen, { maxStreams: 5 });
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  assert.match(await get(transport), /over h2/);
  const watches = [];
  for (let n = 0; n < 12; n += 1) watches.push(await open(transport, `/${n}`));
  assert.equal(server.opened(), 3);
});

test('a new CA makes a new connection, without a restart; what runs on the old one may end', async (context) => {
  const before = createCertificate();
  const after = createCertificate();
  const streams: ServerHttp2Stream[] = [];
  const server = await serveHttp2(context, before, (stream, path) => {
    keepOpen(stream, path);
    streams.push(stream);
  });
  const credentials = new GivenCredentials(server.url, before.cert);
  const transport = transportTo(context, credentials);
  const { body } = await open(transport, '/watch');
  server.server.setSecureContext({ key: after.key, cert: after.cert });
  credentials.tls = { ...credentials.tls, ca: toBuffer(after.cert) };
  assert.match(await get(transport), /over h2/);
  assert.equal(server.opened(), 2);
  streams[0]?.end('still here');
  assert.equal((await body.next()).value?.toString(), 'still here');
  assert.equal((await body.next()).done, true);
  await until(
    'the old connection is gone',
    () => server.sessions.size === 1,
    () => server.sessions.size,
  );
});

test('a client certificate is shown, and a renewed one on a new connection', async (context) => {
  const serving = createCertificate();
  const clients = [createCertificate(), createCertificate()] as const;
  const seen: string[] = [];
  const server = await serveHttp2(
    context,
    serving,
    (stream) => {
      const peer = (stream.session?.socket as TLSSocket | undefined)?.getPeerX509Certificate();
      seen.push(peer?.toString() ?? '');
      stream.respond({ ':status': 200 });
      stream.end();
    },
    { requestCert: true },
  );
  const credentials = new GivenCredentials(server.url, serving.cert);
  const transport = transportTo(context, credentials);
  for (const { cert, key } of clients) {
    credentials.tls = { ...credentials.tls, cert: toBuffer(cert), key: toBuffer(key) };
    await get(transport, '/who');
  }
  assert.deepEqual(
    seen,
    clients.map(({ cert }) => cert),
  );
});

for (const protocol of ['h2', 'http/1.1']) {
  test(`a compressed answer is read, one that nobody can read is refused at once, and its stream let go (${protocol})`, async (context) => {
    const certificate = createCertificate();
    let open = 0;
    const answer = (path: string, respond: (encoding: string, first: Buffer) => void) => {
      open += 1;
      if (path === '/gzip') respond('gzip', Buffer.concat([gzipSync('one '), gzipSync('two')]));
      // Nothing follows, as on a quiet watch.
      else respond('zstd', Buffer.alloc(0));
    };
    const server = createSecureServer({
      key: certificate.key,
      cert: certificate.cert,
      allowHTTP1: protocol !== 'h2',
      ALPNProtocols: [protocol],
    });
    server.on('request', (request, response) => {
      response.once('close', () => (open -= 1));
      answer(request.url, (encoding, first) => {
        response.writeHead(200, { 'content-encoding': encoding });
        response.write(first);
      });
    });
    const sessions = new Set<{ destroy(): void }>();
    server.on('session', (session) => sessions.add(session));
    server.on('secureConnection', (socket) => sessions.add(socket));
    await listen(server, 0);
    context.after(async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = transportTo(context, new GivenCredentials(url, certificate.cert));
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { body } = await transport.request({ path: '/gzip', accept: '*/*', gzip: true, signal });
    let text = '';
    for await (const block of body) {
      text += block.toString();
      if (text === 'one two') break;
    }
    await assert.rejects(transport.request({ path: '/zstd', accept: '*/*', signal }), (error) => {
      assert.ok(error instanceof WireError, String(error));
      assert.match(error.message, /"zstd"/);
      return true;
    });
    await until(
      'every stream is let go',
      () => open === 0,
      () => open,
    );
  });
}

test('connections, listeners and heap do not grow over 1,000 reconnects', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const stopping = new AbortController();
  const reconnect = async () => {
    const { body } = await open(transport, '/watch', stopping.signal);
    for (const session of server.sessions) (session.socket as unknown as Socket).destroy();
    for (const session of server.sessions) session.destroy();
    await assert.rejects(body.next(), TransportError);
    await until(
      'the server has forgotten it',
      () => server.sessions.size === 0,
      () => server.sessions.size,
    );
  };
  for (let n = 0; n < 200; n += 1) await reconnect();
  const before = await settledHeap();
  for (let n = 0; n < 1_000; n += 1) await reconnect();
  const growth = (await settledHeap()) - before;
  assert.equal(server.opened(), 1_200);
  assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  // Less than what one connection costs, for a thousand of them.
  assert.ok(growth < 2_000_000, `the heap grew by ${growth} bytes`);
  const open_ = process.getActiveResourcesInfo().filter((resource) => /TCP|TLS|HTTP2/i.test(resource));
  assert.ok(open_.length <= 4, open_.join());
});

async function settledHeap(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let n = 0; n < 5; n += 1) {
    collect();
    await delay(20);
  }
  return process.memoryUsage().heapUsed;
}

/** A TCP proxy that can stop passing bytes on while both ends still get their acknowledgements. */
class HoldingProxy {
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

function listen(
  server: { listen(port: number, host: string, done: () => void): unknown },
  port: number,
): Promise<void> {
  return new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve));
}

function toBuffer(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}
