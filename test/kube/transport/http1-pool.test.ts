// HTTP/1.1 connections between two requests: how long they are kept, whatever the server offers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { createHttp1Pool } from '../../../src/kube/transport/http1-pool.ts';

const IDLE_MS = 300;

for (const [offer, keepAliveTimeout] of [
  ['offers ten minutes', 600_000],
  ['offers nothing', 0],
] as const) {
  test(`a connection without a request is used again and then closed in time by a client whose server ${offer}`, async (context) => {
    const sockets: Socket[] = [];
    const server = createServer((_request, response) => {
      response.end('here');
    });
    // Told in `Keep-Alive`.
    server.keepAliveTimeout = keepAliveTimeout;
    server.on('connection', (socket: Socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const pool = createHttp1Pool({
      server: url,
      tls: { ca: undefined, cert: undefined, key: undefined, serverName: undefined, rejectUnauthorized: true },
      proxyUrl: undefined,
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 5_000,
      keepAliveDelayMs: 15_000,
      idleMs: IDLE_MS,
    });
    context.after(async () => {
      await pool.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    for (let n = 0; n < 2; n += 1) {
      const { body } = await pool.request({ origin: url.origin, path: '/', method: 'GET' });
      assert.equal(await body.text(), 'here');
      // The answer has been read a turn before its connection is free.
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(sockets.length, 1);
    // A connection that died meanwhile would take the next watch with it, and is noticed only when that should have
    // ended.
    await once(sockets[0] as Socket, 'close', { signal: AbortSignal.timeout(10_000) });
  });
}
