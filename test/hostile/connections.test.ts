// Connections that come or go on at once: what is done for them in one turn of the event loop, by count.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';

import { MAX_STARTS_PER_TURN, type Start, StartQueue } from '../../src/rpc/limits/start-queue.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { serve } from '../rpc/serving.ts';
import { recordClientHello } from '../rpc/tls/client-hello.test.ts';
import { metric, serveTls } from '../rpc/tls/tls-serving.ts';
import { FRAME, frame, open, PREFACE } from './raw-http2.ts';

const MANY = 60;

describe('connections that come at once', () => {
  it('begin a few a turn, and each gets its session', async (t) => {
    const steps = countSteps(t);
    const serving = await serve();
    t.after(() => serving.stop());
    const sockets = Array.from({ length: MANY }, () => open(serving.target));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    // A place on the table, then the session.
    assert.equal(steps.all, 2 * MANY);
    assert.ok(steps.mostInATurn <= MAX_STARTS_PER_TURN, `${steps.mostInATurn} in a turn`);
    await untilGone(sockets, () => metric(serving.registry, 'digger_grpc_connections'));
  });

  it('get no session before they have said that they want one', async (t) => {
    const steps = countSteps(t);
    const serving = await serve();
    t.after(() => serving.stop());
    const sockets = Array.from({ length: MANY }, () => open(serving.target, false));
    const open_ = (): Promise<number> => metric(serving.registry, 'digger_grpc_connections');
    await eventually('all are on the table', async () => {
      const count = await open_();
      return count === MANY ? done(undefined) : notYet(count);
    });
    for (const socket of sockets) socket.write(PREFACE.subarray(0, 23));
    // What was sent before this call is read by then.
    await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    const known = steps.all;
    for (const socket of sockets) {
      socket.write(PREFACE.subarray(23));
      socket.write(frame(FRAME.settings, 0, 0));
    }
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    assert.equal(steps.all - known, MANY, 'the step that was missing, each');
    assert.ok(steps.mostInATurn <= MAX_STARTS_PER_TURN, `${steps.mostInATurn} in a turn`);
    await untilGone(sockets, async () => (await open_()) - 1);
  });

  it('wait for their turn with a handshake of TLS, however they time their first bytes', async (t) => {
    const hello = await recordClientHello();
    const steps = countSteps(t);
    const serving = await serveTls();
    t.after(() => serving.stop());
    const sockets = Array.from({ length: MANY }, () => connect({ port: serving.port, host: '127.0.0.1' }));
    for (const socket of sockets) {
      socket.on('error', () => socket.destroy());
      socket.write(hello.subarray(0, -1));
    }
    await eventually('all are on the table', async () => {
      const count = await metric(serving.registry, 'digger_grpc_connections');
      return count === MANY ? done(undefined) : notYet(count);
    });
    assert.equal(steps.all, MANY, 'no handshake yet');
    const answered = Promise.all(sockets.map((socket) => once(socket, 'data')));
    for (const socket of sockets) socket.write(hello.subarray(-1));
    await answered;
    assert.equal(steps.all, 2 * MANY);
    assert.ok(steps.mostInATurn <= MAX_STARTS_PER_TURN, `${steps.mostInATurn} in a turn`);
    // Others get through meanwhile and afterwards.
    const client = connectTls({
      port: serving.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    await once(client, 'secureConnect');
    await untilGone([...sockets, client], () => metric(serving.registry, 'digger_grpc_connections'));
  });
});

/** Steps of connections that were taken, in all and in one turn of the event loop. */
function countSteps(t: TestContext): { readonly all: number; readonly mostInATurn: number } {
  const counted = { all: 0, mostInATurn: 0 };
  let inTurn = 0;
  const add = StartQueue.prototype.add;
  t.mock.method(StartQueue.prototype, 'add', function (this: StartQueue, source: string, start: Start) {
    const run = (): void => {
      counted.all += 1;
      inTurn += 1;
      counted.mostInATurn = Math.max(counted.mostInATurn, inTurn);
      // Planned before the steps of the next turn are, and so run before them.
      if (inTurn === 1) setImmediate(() => (inTurn = 0));
      start.run();
    };
    add.call(this, source, { run, drop: () => start.drop() });
  });
  return counted;
}

async function untilGone(sockets: readonly Socket[], left: () => Promise<number>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await eventually('none is left', async () => {
    const count = await left();
    return count === 0 ? done(undefined) : notYet(count);
  });
}
