// Certificates and credentials that change under the transport, are refused, or are waited for.

import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
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
  toBuffer,
  HoldingProxy,
} from './serving.ts';

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
  await untilOneIsLeft(server);
});

test('12.13 material that is replaced during a dial fails no request that waits for it', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const proxy = await HoldingProxy.start(context, server.port);
  const credentials = new GivenCredentials(`https://127.0.0.1:${proxy.port}`, certificate.cert);
  const transport = transportTo(context, credentials);
  proxy.hold();
  const waiting = Array.from({ length: 5 }, () => get(transport));
  await until('the dial is under way', () => proxy.clients.size === 1);
  credentials.tls = { ...credentials.tls, ca: Buffer.concat([Buffer.from(certificate.cert), Buffer.from('\n')]) };
  const next = get(transport);
  await until('the next dial is under way', () => proxy.clients.size === 2);
  proxy.pass();
  for (const answer of await Promise.all([...waiting, next])) assert.match(answer, /over h2/);
  assert.equal(server.sessions.size, 1);
});

test('12.12 the identity that was refused is discarded, and by the answer itself', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, (stream) => {
    stream.respond({ ':status': 401 });
    stream.end();
  });
  const credentials = new GivenCredentials(server.url, certificate.cert);
  const transport = transportTo(context, credentials);
  const response = await transport.request({ path: '/x', accept: '*/*', signal: AbortSignal.timeout(DEADLINE_MS) });
  assert.equal(response.status, 401);
  assert.deepEqual(credentials.refusals, credentials.given.slice(-1));
});

test('12.4 a request that waits for credentials ends with its signal', async (context) => {
  const credentials = new GivenCredentials('https://127.0.0.1:1', undefined);
  credentials.current = (signal) =>
    new Promise((_resolve, reject) => void signal.addEventListener('abort', () => reject(signal.reason)));
  const stopping = new AbortController();
  const request = transportTo(context, credentials).request({ path: '/', accept: '*/*', signal: stopping.signal });
  const reason = new Error('enough');
  stopping.abort(reason);
  await assert.rejects(request, reason);
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
