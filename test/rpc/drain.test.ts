// How a server ends: politely first, then by force, and always.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, it } from 'node:test';

import type { ClientReadableStream } from '@grpc/grpc-js';

import { draining } from '../../src/rpc/errors/outcomes.ts';
import { toServerError } from '../../src/rpc/errors/status-details.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';
import { eventually, type Failure, type Json, serve, type Serving, TestClient, toFailure } from './serving.ts';

const same = (bytes: Buffer): Buffer => bytes;

/** A stream, and how it ended. */
function stream(
  client: TestClient,
  path: string,
  request = Buffer.alloc(0),
): [ClientReadableStream<Buffer>, Promise<Failure>] {
  const call = client.makeServerStreamRequest(path, same, same, request);
  const ended = new Promise<Failure>((resolve) => {
    call.on('error', (error) => resolve(toFailure(error)));
    call.on('end', () => resolve({ code: 'OK', message: '', details: {} }));
  });
  return [call, ended];
}

const WATCH = '/digger.v1.ChangeFeedService/Watch';

function until(serving: Serving, openCalls: number): Promise<void> {
  return eventually(
    () => serving.server.openCalls === openCalls,
    () => `${serving.server.openCalls} calls are open, not ${openCalls}`,
  );
}

describe('a drain', () => {
  it('ends at once when nothing is open, and refuses new connections', async () => {
    const serving = await serve();
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
    await serving.server.drain(AbortSignal.timeout(60_000));
    const [host, port] = serving.target.split(':');
    const code = await new Promise((resolve) => {
      const socket = connect({ host: host as string, port: Number(port) });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.once('connect', () => resolve('connected'));
    });
    assert.equal(code, 'ECONNREFUSED');
    serving.client.close();
  });

  it('tells subscribers, waiting callers and health watchers, and ends long before its deadline', async () => {
    const serving = await serve();
    const { client, picture, server } = serving;
    picture.onDrain = () => {
      for (const call of picture.watches) call.emit('error', toServerError(draining(), 'r'));
    };
    const [feed, feedEnded] = stream(client, WATCH);
    const [health, healthEnded] = stream(client, '/grpc.health.v1.Health/Watch');
    const states: Buffer[] = [];
    feed.resume();
    health.on('data', (state: Buffer) => states.push(state));
    const waiting = client.failure('ResolveAddress', { address: '10.0.0.1', wait: { seconds: 30 } });
    await until(serving, 3);
    await eventually(
      () => picture.waiters.size === 1 && states.length === 1,
      () => `${picture.waiters.size} wait, ${states.length} states`,
    );
    const deadline = AbortSignal.timeout(60_000);
    await server.drain(deadline);
    assert.equal(deadline.aborted, false);
    for (const ended of [await feedEnded, await waiting]) {
      assert.equal(ended.code, 'UNAVAILABLE');
      assert.equal(ended.details['ErrorInfo']?.['reason'], 'DRAINING');
      assert.ok(ended.details['RetryInfo'], JSON.stringify(ended));
    }
    assert.equal((await healthEnded).code, 'UNAVAILABLE');
    // SERVING, then NOT_SERVING, before the end.
    assert.deepEqual(
      states.map((state) => state.toString('hex')),
      ['0801', '0802'],
    );
    assert.equal(picture.waiters.size, 0);
    client.close();
  });

  it('tells health watchers NOT_SERVING before their end, also those that had not taken the state before it', async (t) => {
    const serving = await serve();
    t.after(() => serving.client.close());
    // Nothing that is sent to it is taken, until the window is open.
    const session = connectHttp2(`http://${serving.target}`, { settings: { initialWindowSize: 0 } });
    t.after(() => session.destroy());
    const watch = session.request(callHeaders('/grpc.health.v1.Health/Watch'));
    const states: Buffer[] = [];
    watch.on('data', (chunk: Buffer) => states.push(chunk));
    const trailers = new Promise<Record<string, unknown>>((resolve) => watch.once('trailers', resolve));
    const answered = new Promise((resolve) => watch.once('response', resolve));
    watch.end(prefixed());
    await answered;
    const drained = serving.server.drain(AbortSignal.timeout(60_000));
    session.settings({ initialWindowSize: 65_535 });
    assert.equal((await trailers)['grpc-status'], '14');
    assert.equal(Buffer.concat(states).toString('hex'), '0000000002' + '0801' + '0000000002' + '0802');
    await drained;
  });

  it('is not held up by a health watcher that comes while it is under way', async (t) => {
    const serving = await serve();
    const { client, picture, server } = serving;
    t.after(() => client.close());
    picture.onDrain = () => undefined;
    const [feed] = stream(client, WATCH);
    const feedEnded = new Promise((resolve) => feed.on('error', resolve));
    feed.resume();
    await until(serving, 1);
    const deadline = new AbortController();
    t.after(() => deadline.abort());
    const drained = server.drain(deadline.signal);
    const [health, healthEnded] = stream(client, '/grpc.health.v1.Health/Watch');
    health.resume();
    assert.deepEqual(await healthEnded, { code: 'UNAVAILABLE', message: 'this replica is draining', details: {} });
    // What it waited for.
    for (const call of picture.watches) call.emit('error', toServerError(draining(), 'r'));
    await feedEnded;
    await drained;
    assert.equal(deadline.signal.aborted, false);
  });

  it('answers new calls on open connections with DRAINING, and status still', async () => {
    const serving = await serve();
    const { client, picture, server } = serving;
    // A subscriber that stays keeps the drain, and with it the connection, going.
    picture.onDrain = () => undefined;
    const [feed, feedEnded] = stream(client, WATCH);
    feed.resume();
    await until(serving, 1);
    const deadline = new AbortController();
    const drained = server.drain(deadline.signal);
    const failure = await client.failure('ResolveAddress', { address: '10.0.0.1' });
    assert.equal(failure.code, 'UNAVAILABLE');
    assert.equal(failure.details['ErrorInfo']?.['reason'], 'DRAINING');
    const status = await client.call('digger.v1.StatusService/GetStatus', {});
    assert.deepEqual([status['ready'], status['pending']], [false, ['draining']]);
    deadline.abort();
    await drained;
    assert.notEqual((await feedEnded).code, 'OK');
    client.close();
  });

  it('ends by force at its deadline when a subscriber reads nothing', async () => {
    const serving = await serve();
    const { client, picture, server } = serving;
    const frame = Buffer.alloc(1_000_000);
    let stalled = false;
    picture.onWatch = (call) => {
      // Written until flow control holds it up: the client never reads.
      const write = (): void => {
        stalled = !call.write(frame);
        if (!stalled) setImmediate(write);
      };
      write();
    };
    picture.onDrain = () => {
      for (const call of picture.watches) call.emit('error', toServerError(draining(), 'r'));
    };
    const [feed] = stream(client, WATCH);
    feed.pause();
    await eventually(
      () => stalled && picture.watches.size === 1,
      () => `stalled: ${stalled}, ${picture.watches.size} watches`,
    );
    const deadline = new AbortController();
    let ended = false;
    const drained = server.drain(deadline.signal).then(() => {
      ended = true;
    });
    assert.equal(server.openCalls, 1);
    assert.equal(ended, false);
    deadline.abort();
    await drained;
    await until(serving, 0);
    await eventually(
      () => picture.watches.size === 0,
      () => `${picture.watches.size} watches`,
    );
    client.close();
  });

  it('ends also when the feed fails to drain', async () => {
    const serving = await serve();
    serving.picture.onDrain = () => {
      throw new Error('a bug');
    };
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
    await serving.server.drain(AbortSignal.timeout(60_000));
    serving.client.close();
  });
});

describe('a stalled subscriber', () => {
  it('loses its connection and everything on it when its peer is disconnected, and no other peer does', async () => {
    const serving = await serve();
    const other = new TestClient(serving.target);
    const peers: string[] = [];
    serving.picture.onWatch = (call) => peers.push(call.getPeer());
    const [feed, ended] = stream(serving.client, WATCH);
    const [otherFeed] = stream(other, WATCH);
    feed.resume();
    otherFeed.resume();
    await until(serving, 2);
    assert.equal(new Set(peers).size, 2);
    assert.equal(serving.server.disconnect(peers[0] as string), true);
    await ended;
    await until(serving, 1);
    assert.equal(serving.picture.watches.size, 1);
    const status: Json = await other.call('digger.v1.StatusService/GetStatus', {});
    assert.equal(status['subscribers'], 1);
    assert.equal(serving.server.disconnect('192.0.2.1:1'), false);
    otherFeed.cancel();
    other.close();
    await serving.stop();
  });
});

it('a health watcher whose connection is old hears so, whatever it has not taken', async (t) => {
  const serving = await serve({ limits: { connectionAgeMs: 100 } });
  t.after(() => serving.stop());
  const session = connectHttp2(`http://${serving.target}`, { settings: { initialWindowSize: 0 } });
  t.after(() => session.destroy());
  const watch = session.request(callHeaders('/grpc.health.v1.Health/Watch'));
  watch.resume();
  const ended = new Promise((resolve) => {
    watch.once('trailers', (trailers) => resolve(trailers['grpc-status']));
    watch.once('error', (error) => resolve(error));
  });
  const answered = new Promise((resolve) => watch.once('response', resolve));
  const toldToGo = new Promise((resolve) => session.once('goaway', resolve));
  watch.end(prefixed());
  await answered;
  // Waits behind the first one.
  serving.server.setReady(false);
  await toldToGo;
  session.settings({ initialWindowSize: 65_535 });
  assert.equal(await ended, '14');
});
