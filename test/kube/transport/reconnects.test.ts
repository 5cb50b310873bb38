// What a thousand broken connections leave behind.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TransportError } from '../../../src/kube/transport/transport.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { GivenCredentials, serveHttp2, transportTo, open, until, keepOpen } from './serving.ts';

test('connections, timers, listeners and heap do not grow over 1,000 reconnects', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate, keepOpen);
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert));
  const stopping = new AbortController();
  const held = () => {
    const resources = process.getActiveResourcesInfo();
    const count = (kind: RegExp) => resources.filter((resource) => kind.test(resource)).length;
    return { sockets: count(/TCPSocket|TLS|HTTP2/i), timers: count(/^(Timeout|Immediate)$/) };
  };
  const atFirst = held();
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
  const afterwards = held();
  context.diagnostic(JSON.stringify({ heapGrowthBytes: growth, ...afterwards, before: atFirst }));
  assert.equal(server.opened(), 1_200);
  assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  // Less than what one connection costs, for a thousand of them.
  assert.ok(growth < 2_000_000, `the heap grew by ${growth} bytes`);
  assert.deepEqual(afterwards, atFirst, 'no socket and no timer is left');
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
