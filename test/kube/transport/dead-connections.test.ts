// Connections that die: how that is noticed while the network still acknowledges, and that nothing which was cut looks
// like an end.

import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { TransportError } from '../../../src/kube/transport/transport.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';
import {
  GivenCredentials,
  serveHttp2,
  transportTo,
  get,
  open,
  until,
  keepOpen,
  listen,
  HoldingProxy,
} from './serving.ts';

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

test('12.15 over HTTP/1.1 an answer is heard of by its own bytes', async (context) => {
  const isFirstRead = Promise.withResolvers<void>();
  const server = createHttpServer((_request, response) => {
    response.write('first');
    void isFirstRead.promise.then(() => setTimeout(() => response.end('second'), 50));
  });
  await listen(server, 0);
  context.after(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { body, response } = await open(transportTo(context, new GivenCredentials(url, undefined)), '/');
  const first = response.lastHeardMs();
  isFirstRead.resolve();
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
