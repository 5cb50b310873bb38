// Answers that are discarded, compressed or aborted let their stream or socket go.

import assert from 'node:assert/strict';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WireError } from '../../../src/kube/wire-error.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';
import {
  DEADLINE_MS,
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

for (const protocol of ['h2', 'http/1.1']) {
  test(`12.8 an answer that is discarded unread lets its stream or socket go, 50 times over (${protocol})`, async (context) => {
    const certificate = createCertificate();
    let open = 0;
    const server = createSecureServer({ ...certificate, allowHTTP1: true, ALPNProtocols: [protocol] });
    server.on('request', (_request, response) => {
      open += 1;
      response.once('close', () => (open -= 1));
      response.writeHead(200, { 'content-type': 'text/html' });
      // And nothing more, as from a proxy that holds the request.
      response.write('<html>');
    });
    const url = await serveSecurely(context, server);
    const transport = transportTo(context, new GivenCredentials(url, certificate.cert));
    for (let n = 0; n < 50; n += 1) {
      const response = await transport.request({ path: '/', accept: '*/*', signal: AbortSignal.timeout(60_000) });
      assert.equal(response.contentType, 'text/html');
      response.discard();
      response.discard();
    }
    await until(
      'all are let go',
      () => open === 0,
      () => open,
    );
  });
}

for (const protocol of ['h2', 'http/1.1']) {
  test(`a compressed answer is read, one that cannot be read is refused at once, and its stream let go (${protocol})`, async (context) => {
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
