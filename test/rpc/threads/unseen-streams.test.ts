// The queue between the threads when the main thread is busy: who fills it is held and reset, and no one else.

import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { it } from 'node:test';
import fc from 'fast-check';

import { CarrierSocket } from '../../../src/rpc/threads/carrier-socket.ts';
import { UnseenStreams } from '../../../src/rpc/threads/unseen-streams.ts';

function connectionOf(source: string, id = 1): CarrierSocket {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: source });
  return new CarrierSocket(id, `${source}:${id}`, socket);
}

it('a source that fills the queue is held and reset; one that brings a call beside it is neither', () => {
  const held: CarrierSocket[] = [];
  const unseen = new UnseenStreams({ noteHeld: (connection) => held.push(connection), afterReads: () => undefined });
  const flood = connectionOf('10.0.0.1');
  let room = 0;
  for (let stream = 0; stream < 10_000; stream++) if (unseen.add(flood, false)) room += 1;
  assert.equal(room, 2_048);
  const other = connectionOf('10.0.0.2');
  assert.equal(unseen.add(other, false), true);
  assert.deepEqual(held, [flood]);
  // Probes are let in.
  assert.equal(unseen.add(flood, true), true);
});

it('who was held is let go, one a turn, when half of the queue was looked at, whatever order things have', () => {
  const step = fc.oneof(
    fc.record({ adds: fc.nat({ max: 5 }), streams: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ sees: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ turns: fc.constant(1) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const planned: (() => void)[] = [];
      const isHeld = new Set<CarrierSocket>();
      const unseen = new UnseenStreams({
        noteHeld: (connection) => isHeld.add(connection),
        afterReads: (run) => planned.push(run),
      });
      const connections = Array.from({ length: 6 }, (_, index) => {
        const connection = connectionOf(`10.0.0.${index % 3}`, index);
        const release = connection.release.bind(connection);
        connection.release = () => {
          isHeld.delete(connection);
          release();
        };
        return connection;
      });
      let waiting = 0;
      for (const each of steps) {
        if ('adds' in each) {
          for (let stream = 0; stream < each.streams; stream++) {
            if (unseen.add(connections[each.adds] as CarrierSocket, false)) waiting += 1;
          }
          // The bound, and what each source has free.
          assert.ok(waiting <= 2_048 + 3 * 32, `${waiting}`);
        } else if ('sees' in each) {
          const seen = Math.min(each.sees, waiting);
          waiting -= seen;
          if (seen > 0) unseen.seen(seen);
        } else {
          const before = isHeld.size;
          planned.shift()?.();
          assert.ok(before - isHeld.size <= 1);
        }
      }
      // In the end nothing stays held.
      if (waiting > 0) unseen.seen(waiting);
      while (planned.length > 0) planned.shift()?.();
      assert.equal(isHeld.size, 0);
    }),
  );
});
