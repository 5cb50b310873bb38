// Connections that come or go on at once: what is done for them in one turn of the event loop, by count.

import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';

import { MAX_STARTS_PER_TURN, type Start, StartQueue } from '../../src/rpc/limits/start-queue.ts';
import { Listener } from '../../src/rpc/listener.ts';
import type { ServedConnection } from '../../src/rpc/served-connection.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { serve } from '../rpc/serving.ts';
import { recordClientHello } from '../rpc/tls/client-hello.test.ts';
import { metric, serveTls } from '../rpc/tls/tls-serving.ts';
import { callHeaders, END_HEADERS, FRAME, frame, indexedHeader, newestEntry, open, PREFACE } from './raw-http2.ts';

const MANY = 60;
/** What is read of a source in a turn (64), by what the end of a connection counts as (4). */
const MOST_ENDS_PER_TURN = 16;

describe('connections that come at once', () => {
  it('begin a few a turn, and each gets its session', async (t) => {
    const steps = countSteps(t);
    const serving = await serve();
    t.after(() => serving.stop());
    const sockets = Array.from({ length: MANY }, () => open(serving.target));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    assert.equal(steps.all, MANY);
    assert.ok(steps.mostInATurn <= MAX_STARTS_PER_TURN, `${steps.mostInATurn} in a turn`);
    await untilGone(sockets, () => metric(serving.registry, 'digger_grpc_connections'));
  });

  it('bring bombs of headers with their first bytes, and are cut off after a few of them', async (t) => {
    const serving = await serve();
    t.after(() => serving.stop());
    let looked = 0;
    const count = (): void => void (looked += 1);
    channel('http2.server.stream.created').subscribe(count);
    t.after(() => channel('http2.server.stream.created').unsubscribe(count));
    const calls = Array.from({ length: 100 }, (_, index) => {
      const bomb = index === 0 ? indexedHeader('x-bomb', 'x'.repeat(3_900)) : Buffer.alloc(0);
      const block = [callHeaders('/digger.v1.LookupService/ResolveAddress'), bomb, newestEntry(index === 0 ? 14 : 15)];
      return frame(FRAME.headers, END_HEADERS, index * 2 + 1, Buffer.concat(block));
    });
    const sockets = Array.from({ length: 5 }, () => open(serving.target, false));
    for (const socket of sockets) socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), ...calls]));
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    assert.ok(looked <= 10 * sockets.length, `${looked} were unpacked`);
    await untilGone(sockets, () => metric(serving.registry, 'digger_grpc_connections'));
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

describe('connections that go at once', () => {
  it('end a few a turn, so that others are answered in between', async (t) => {
    const ends = countPerTurn();
    const noteEnd = Listener.prototype.noteEnd;
    t.mock.method(Listener.prototype, 'noteEnd', function (this: Listener, connection: ServedConnection) {
      if (!connection.hasEnded) ends.count();
      noteEnd.call(this, connection);
    });
    // Where another thread has the sockets, ends come as notes.
    const serving = await serve({ threads: 1 });
    t.after(() => serving.stop());
    const sockets = Array.from({ length: MANY }, () => open(serving.target));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    await untilGone(sockets, () => metric(serving.registry, 'digger_grpc_connections'));
    assert.equal(ends.all, MANY);
    assert.ok(ends.mostInATurn <= MOST_ENDS_PER_TURN, `${ends.mostInATurn} in a turn`);
  });
});

/** What happens, in all and in one turn of the event loop. */
function countPerTurn(): { readonly all: number; readonly mostInATurn: number; count(): void } {
  let inTurn = 0;
  const counted = {
    all: 0,
    mostInATurn: 0,
    count(): void {
      counted.all += 1;
      inTurn += 1;
      counted.mostInATurn = Math.max(counted.mostInATurn, inTurn);
      // Planned before the steps of the next turn are, and so run before them.
      if (inTurn === 1) setImmediate(() => (inTurn = 0));
    },
  };
  return counted;
}

/** Steps of connections that were taken. */
function countSteps(t: TestContext): { readonly all: number; readonly mostInATurn: number } {
  const counted = countPerTurn();
  const add = StartQueue.prototype.add;
  t.mock.method(StartQueue.prototype, 'add', function (this: StartQueue, source: string, start: Start) {
    const run = (): void => {
      counted.count();
      start.run();
    };
    add.call(this, source, { isNew: start.isNew, run, drop: () => start.drop() });
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
