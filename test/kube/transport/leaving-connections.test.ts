// Connections that were told to go: they live until their last request has ended, and not longer.

import assert from 'node:assert/strict';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { dial } from '../../../src/kube/transport/dial.ts';
import { Http2Connection, NotProcessedError } from '../../../src/kube/transport/http2-connection.ts';
import { TransportError } from '../../../src/kube/transport/transport.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';
import {
  DEADLINE_MS,
  GivenCredentials,
  serveHttp2,
  transportTo,
  get,
  open,
  until,
  untilOneIsLeft,
  keepOpen,
  HoldingProxy,
} from './serving.ts';

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
  const connection = new Http2Connection(
    socket,
    'https://x',
    { pingAfterMs: 5, pingTimeoutMs: 60_000 },
    {
      onTooManyPings: () => {},
      onGone: () => {
        gone = true;
      },
    },
  );
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
  const connection = new Http2Connection(socket, 'https://x', ping, {
    onTooManyPings: () => {},
    onGone: () => (gone += 1),
  });
  connection.destroy();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const late = { headers: { ':path': '/' }, signal, headersTimeoutMs: 5_000, body: undefined };
  await assert.rejects(connection.request(late), NotProcessedError);
  await until('it is gone', () => gone === 1);
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
  await untilOneIsLeft(server);
});

test('a peer that objects to pings is pinged hardly ever from then on', async (context) => {
  const certificate = createCertificate();
  const pings = new Map<ServerHttp2Session, number>();
  const server = await serveHttp2(context, certificate, keepOpen);
  server.server.on('session', (session) => {
    pings.set(session, 0);
    session.on('ping', () => {
      const count = (pings.get(session) ?? 0) + 1;
      pings.set(session, count);
      // As proxies do that count them: nghttp2's name for code 11.
      if (count === 5) session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });
  const credentials = new GivenCredentials(server.url, certificate.cert);
  const transport = transportTo(context, credentials, { pingAfterMs: 10, pingTimeoutMs: 5_000 });
  const first = await open(transport, '/first');
  // With an error for a reason, GOAWAY ends what is under way too.
  await assert.rejects(first.body.next(), TransportError);
  const second = await open(transport, '/second');
  const heardAtMs = second.response.lastHeardMs();
  await until('fifty pings could have been sent', () => Date.now() - heardAtMs > 500);
  assert.deepEqual([...pings.values()], [5, 0]);
});
