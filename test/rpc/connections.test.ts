// Connections over real sockets: their age, their idleness, and the share of an address.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';

import { start } from './feed-serving.ts';
import { eventually, serve, type Serving, TestClient } from './serving.ts';

describe('a connection that is old', () => {
  it('ends its subscriptions as a drain does, with a token to go on with, and its calls get a grace', async (t) => {
    const { serving, cluster, watch } = await start(t, {}, 5_000, {
      connectionAgeMs: 300,
      connectionAgeGraceMs: 60_000,
    });
    cluster.set({ kind: 'Pod', namespace: 'shop', name: 'web-0' });
    const first = watch({ heartbeatInterval: { seconds: 30 } });
    await first.until(() => first.consumer.synced);
    const waiting = serving.client.call('ResolveAddress', { address: '10.0.0.9', wait: { seconds: 3 } });
    await first.until(() => first.ended() !== undefined);
    const { code, details } = first.failure();
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'CONNECTION_AGE');
    assert.ok(details['RetryInfo']);
    assert.equal(first.consumer.story.at(-1), 'closing');
    // It goes on where it was, on another connection.
    const second = watch({ resumeToken: first.consumer.token });
    await second.until(() => second.consumer.synced);
    assert.equal(second.consumer.story[0], 'synced');
    second.cancel();
    assert.ok(await waiting);
  });

  it('ends the streams of the standard services with UNAVAILABLE', async (t) => {
    const serving = await served(t, { connectionAgeMs: 300 });
    const same = (bytes: Buffer): Buffer => bytes;
    const ended = new Promise<number>((resolve) => {
      const call = serving.client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', same, same, Buffer.alloc(0));
      call.on('data', () => undefined).on('error', (error) => resolve((error as Error & { code: number }).code));
    });
    assert.equal(await ended, 14);
  });
});

describe('a connection without a call', () => {
  it('is told to go, and its client does not notice', async (t) => {
    const serving = await served(t, { connectionIdleMs: 300 });
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
    await untilGauge(serving, 'digger_grpc_connections_closed_total{reason="idle"}', 1);
    await untilGauge(serving, 'digger_grpc_connections', 0);
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
  });
});

describe('an address that takes all connections', () => {
  it('gets its share, by pushing out its own, and others connect and keep theirs', async (t) => {
    const serving = await served(t, { maxConnections: 20, maxConnectionsPerAddress: 5 });
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
    const sockets = Array.from({ length: 50 }, () => connectFrom(serving, '127.0.0.2'));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    await untilGauge(serving, 'digger_grpc_connections_closed_total{reason="evicted"}', 45);
    await untilGauge(serving, 'digger_grpc_connections', 6);
    assert.equal(await gauge(serving, 'digger_grpc_connections_largest_address'), 5);
    const other = new TestClient(serving.target);
    t.after(() => other.close());
    await other.call('digger.v1.StatusService/GetStatus', {});
    assert.equal(await gauge(serving, 'digger_grpc_connections'), 7);
  });
});

async function served(t: TestContext, limits: NonNullable<Parameters<typeof serve>[0]>['limits']): Promise<Serving> {
  const serving = await serve({ limits: limits ?? {} });
  t.after(() => serving.stop());
  return serving;
}

function connectFrom(serving: Serving, localAddress: string): Socket {
  const [host = '', port] = serving.target.split(':');
  const socket = connect({ host, port: Number(port), localAddress });
  socket.on('error', () => undefined).resume();
  return socket;
}

async function gauge(serving: Serving, name: string): Promise<number> {
  const lines = (await serving.registry.metrics()).split('\n');
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length));
}

async function untilGauge(serving: Serving, name: string, wanted: number): Promise<void> {
  let seen = Number.NaN;
  const looking = setInterval(() => void gauge(serving, name).then((value) => (seen = value)), 10);
  try {
    await eventually(
      () => seen === wanted,
      () => `${name} is ${seen}`,
    );
  } finally {
    clearInterval(looking);
  }
}
