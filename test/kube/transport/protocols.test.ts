// HTTP/2 and HTTP/1.1 to the API server: which is spoken when, and how requests share connections.

import assert from 'node:assert/strict';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
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
  serveSecurely,
} from './serving.ts';

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

test('an unread list does not hold up a watch on the same connection', async (context) => {
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

test('several values of a header travel as several fields, over HTTP/2 and HTTP/1.1', async (context) => {
  const certificate = createCertificate();
  const seen: unknown[] = [];
  for (const protocol of ['h2', 'http/1.1']) {
    const server = createSecureServer({ ...certificate, allowHTTP1: true, ALPNProtocols: [protocol] });
    server.on('request', (request, response) => {
      const names = request.rawHeaders as unknown as string[];
      seen.push(names.flatMap((name, at) => (/^impersonate-group$/i.test(name) ? [names[at + 1]] : [])));
      response.end();
    });
    const url = await serveSecurely(context, server);
    const credentials = new GivenCredentials(url, certificate.cert);
    credentials.headers = { 'impersonate-group': ['one', 'two, three'] };
    await get(transportTo(context, credentials));
  }
  assert.deepEqual(seen, [
    ['one', 'two, three'],
    ['one', 'two, three'],
  ]);
});
