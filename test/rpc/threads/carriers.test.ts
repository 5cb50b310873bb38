// Connections that another thread carries: the same answers, the same bounds, and what becomes of calls and of their
// room when such a thread ends, hangs or cannot be had.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, mock, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';

import { createLogger } from '../../../src/telemetry/logger.ts';
import { done, eventually as eventuallyAsync, notYet } from '../../observers/eventually.ts';
import { eventually, type Serving, serve, TestClient, toFailure } from '../serving.ts';

const WATCH = '/digger.v1.ChangeFeedService/Watch';

/** A server with one thread that carries its connections, and the threads that it has had. */
async function serveWithThread(t: TestContext, threads = 2): Promise<Serving & { readonly workers: Worker[] }> {
  const workers: Worker[] = [];
  const note = (worker: unknown): void => void workers.push(worker as Worker);
  process.on('worker', note);
  const serving = await serve({ threads, logger: createLogger({ level: 'silent', pretty: false }) });
  t.after(async () => {
    process.off('worker', note);
    await serving.stop();
  });
  return { ...serving, workers };
}

async function metric({ registry }: Serving, line: string): Promise<number> {
  const text = await registry.metrics();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  assert.ok(found, `no ${line} in ${text}`);
  return Number(found.slice(line.length + 1));
}

function waitingLookup(client: TestClient): Promise<string | undefined> {
  return client.call('ResolveAddress', { address: '10.0.0.1', wait: { seconds: 30 } }).then(
    () => 'OK',
    (error: unknown) => toFailure(error).code,
  );
}

describe('a thread that carries connections', () => {
  it('gives the bytes of answers and of errors that the main thread gives', async (t) => {
    const carried = await serveWithThread(t);
    const one = await serve({ threads: 1 }, carried.picture);
    t.after(() => one.stop());
    const calls = [
      ['ResolveAddress', { address: '10.0.0.1' }],
      ['ResolveAddress', { address: 'not one' }],
      ['BatchResolveAddresses', { queries: [{ address: '10.0.0.1' }, { address: '' }, { address: 'fd00::1' }] }],
      ['BatchResolveAddresses', { queries: Array.from({ length: 1_001 }, () => ({ address: '10.0.0.1' })) }],
      ['GetPod', { namespace: 'shop', name: 'nothing-like-it' }],
      ['digger.v1.StatusService/GetStatus', {}],
      ['digger.v1.LookupService/NoSuchMethod', {}],
    ] as const;
    const ask = async (client: TestClient, method: string, request: object): Promise<string> => {
      const path = method.includes('/') ? `/${method}` : `/digger.v1.LookupService/${method}`;
      const known = method.endsWith('NoSuchMethod') ? 'GetPod' : method;
      try {
        if (known !== method) return (await client.callBytes(path, Buffer.alloc(0))).toString('hex');
        return JSON.stringify(await client.call(method, request as Record<string, unknown>));
      } catch (error) {
        const { code, message, details } = toFailure(error);
        // Ids of requests count up.
        const { RequestInfo: _, ...rest } = details;
        return JSON.stringify({ code, message, rest });
      }
    };
    for (const [method, request] of calls) {
      const alike = (answer: string): string => answer.replace(/"(serverTime|asOf|startTime)":\{[^}]*\}/g, '');
      assert.equal(
        alike(await ask(carried.client, method, request)),
        alike(await ask(one.client, method, request)),
        method,
      );
    }
  });

  it('that dies takes its calls with it, gives their room back, and is there again for those who connect anew', async (t) => {
    const serving = await serveWithThread(t);
    const { client, server, picture, workers } = serving;
    const waiting = waitingLookup(client);
    const feed = client.makeServerStreamRequest(
      WATCH,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.alloc(0),
    );
    const feedEnded = new Promise<string | undefined>((resolve) => {
      feed.on('error', (error) => resolve(toFailure(error).code));
    });
    feed.resume();
    await eventually(
      () => server.openCalls === 2 && picture.waiters.size === 1,
      () => `${server.openCalls} calls, ${picture.waiters.size} wait`,
    );
    await workers[0]?.terminate();
    assert.equal(await waiting, 'UNAVAILABLE');
    assert.equal(await feedEnded, 'UNAVAILABLE');
    await eventually(
      () => server.openCalls === 0 && picture.waiters.size === 0,
      () => `${server.openCalls} calls, ${picture.waiters.size} wait`,
    );
    assert.equal(await metric(serving, 'digger_grpc_open_calls'), 0);
    assert.equal(await metric(serving, 'digger_grpc_call_memory_bytes'), 0);
    assert.equal(await metric(serving, 'digger_grpc_connections'), 0);
    assert.equal(await metric(serving, 'digger_serving_thread_ends_total{reason="died"}'), 1);
    await client
      .call('ResolveAddress', { address: '10.0.0.1' }, { deadline: Date.now() + 20_000 })
      .catch(() => undefined);
    const again = new TestClient(serving.target);
    t.after(() => again.close());
    await untilAnswered(again);
    assert.equal(workers.length, 2);
    assert.equal(await metric(serving, 'digger_serving_threads'), 2);
  });

  it('that dies twice in ten seconds is not started at once: the main thread accepts connections meanwhile', async (t) => {
    const serving = await serveWithThread(t);
    const { workers } = serving;
    await untilAnswered(serving.client);
    await workers[0]?.terminate();
    const second = new TestClient(serving.target);
    t.after(() => second.close());
    await untilAnswered(second);
    await workers[1]?.terminate();
    const third = new TestClient(serving.target);
    t.after(() => third.close());
    await untilAnswered(third);
    assert.equal(workers.length, 2);
    assert.equal(await metric(serving, 'digger_serving_threads'), 1);
    assert.equal(await metric(serving, 'digger_serving_thread_ends_total{reason="died"}'), 2);
  });

  it('that does not answer for ten beats is ended, and another one takes its place', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.after(() => mock.timers.reset());
    const serving = await serveWithThread(t);
    await untilAnswered(serving.client);
    // No time for an answer between two of them, as if the thread hung.
    for (let beat = 0; beat < 11; beat++) mock.timers.tick(1_000);
    const again = new TestClient(serving.target);
    t.after(() => again.close());
    await eventually(
      () => serving.workers.length === 2,
      () => 'no second thread',
    );
    await untilAnswered(again);
    assert.equal(await metric(serving, 'digger_serving_thread_ends_total{reason="silent"}'), 1);
  });

  it('refuses a port that another process listens on, as one thread does', async (t) => {
    const first = await serveWithThread(t);
    const port = Number(first.target.split(':')[1]);
    const { createRpcServer } = await import('../../../src/rpc/server.ts');
    const { ServerCredentials } = await import('@grpc/grpc-js');
    const { Registry } = await import('@prometheus-io/client');
    for (const threads of [1, 2, 3]) {
      const other = createRpcServer(first.picture, {
        credentials: ServerCredentials.createInsecure(),
        logger: createLogger({ level: 'silent', pretty: false }),
        registry: new Registry(),
        threads,
      });
      await assert.rejects(other.start({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
    }
  });

  it('that ends before it was told to listen fails the start, which else would wait for it for ever', async (t) => {
    let count = 0;
    const endSecond = (worker: unknown): void => {
      count += 1;
      if (count === 2) void (worker as Worker).terminate();
    };
    process.on('worker', endSecond);
    t.after(() => process.off('worker', endSecond));
    await assert.rejects(serve({ threads: 3 }), /a thread that carries connections has ended/);
  });

  it('is one of several that share the port, all of which answer', async (t) => {
    const serving = await serveWithThread(t, 3);
    const clients = Array.from({ length: 12 }, () => new TestClient(serving.target));
    t.after(() => clients.forEach((each) => each.close()));
    await Promise.all(clients.map((each) => each.call('ResolveAddress', { address: '10.0.0.1' })));
    assert.equal(await metric(serving, 'digger_serving_threads'), 3);
    assert.equal(await metric(serving, 'digger_grpc_connections'), 12);
  });

  it('holds connections that are too many to the bound of the replica, whichever thread has them', async (t) => {
    const serving = await serve({ threads: 3, limits: { maxConnections: 5 } });
    t.after(() => serving.stop());
    // The client of the server has none yet.
    const [host, port] = serving.target.split(':');
    const sockets = Array.from({ length: 9 }, () => connect({ host: host as string, port: Number(port) }));
    t.after(() => sockets.forEach((each) => each.destroy()));
    let ended = 0;
    for (const socket of sockets)
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => (ended += 1));
    await eventuallyAsync('four were ended and five stay', async () => {
      const open = await metric(serving, 'digger_grpc_connections');
      return ended === 4 && open === 5 ? done(undefined) : notYet({ ended, open });
    });
  });
});

/** A thread that has ended may be on its way back, and clients wait a second before they connect again. */
async function untilAnswered(client: TestClient): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + 20_000, (error) =>
      error === undefined || error === null ? resolve() : reject(error),
    );
  });
  await client.call('ResolveAddress', { address: '10.0.0.1' });
}
