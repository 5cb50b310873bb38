// Pings and settings, which cost an answer and are no call: how many of them a connection may send.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock, describe, it, type TestContext } from 'node:test';

import { done, eventually, notYet } from '../../observers/eventually.ts';
import { END_HEADERS, FRAME, frame, lookupHeaders, onFrames, open, untilClosed } from '../../hostile/raw-http2.ts';
import { serve, type Serving } from '../serving.ts';
import { metric } from '../tls/tls-serving.ts';

/** In a second; the settings at the beginning are one of them. */
const MOST = 200;
const GOAWAY = 7;
const ENHANCE_YOUR_CALM = 11;
const ACK = 1;
const PING = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
const SETTINGS = frame(FRAME.settings, 0, 0);

describe('a connection', () => {
  for (const [name, sent] of [
    ['pings', PING],
    ['settings', SETTINGS],
  ] as const) {
    it(`that sends more than ${MOST} ${name} in a second is told to calm down and ended; others are not`, async (t) => {
      const { serving, endSecond } = await begin(t);
      const other = await connection(serving);
      const flood = await connection(serving);
      flood.socket.write(times(MOST - 1, sent));
      await flood.untilAnswered(MOST - 1);
      assert.equal(flood.socket.destroyed, false, `${MOST} are allowed`);
      assert.equal(await refused(serving), 0);
      flood.socket.write(sent);
      assert.equal(await untilClosed(flood.socket, 20_000), 'closed');
      assert.deepEqual(flood.goaways, [ENHANCE_YOUR_CALM]);
      assert.equal(await refused(serving), 1);
      other.socket.write(sent);
      await other.untilAnswered(1);
      endSecond();
    });

    it(`that sends up to ${MOST} ${name} in every second goes on`, async (t) => {
      const { serving, endSecond } = await begin(t);
      const peer = await connection(serving);
      for (let second = 1; second <= 5; second++) {
        endSecond();
        peer.socket.write(times(MOST, sent));
        await peer.untilAnswered(second * MOST);
      }
      assert.equal(await refused(serving), 0);
    });
  }

  it('that sends pings and settings has both counted together', async (t) => {
    const { serving } = await begin(t);
    const flood = await connection(serving);
    flood.socket.write(Buffer.concat([times(MOST / 2, PING), times(MOST / 2, SETTINGS)]));
    assert.equal(await untilClosed(flood.socket, 20_000), 'closed');
    assert.equal(await refused(serving), 1);
  });

  it('that resets a call without end has nothing left of it, and is no bother', async (t) => {
    const { serving } = await begin(t);
    const flood = await connection(serving);
    const reset = frame(FRAME.reset, 0, 1, Buffer.from([0, 0, 0, 8]));
    flood.socket.write(Buffer.concat([frame(FRAME.headers, END_HEADERS, 1, lookupHeaders()), times(5_000, reset)]));
    // Read after all of those.
    flood.socket.write(PING);
    await Promise.race([flood.untilAnswered(1), once(flood.socket, 'close')]);
    assert.equal(serving.server.openCalls, 0);
    assert.equal(await metric(serving.registry, 'digger_grpc_open_calls'), 0);
  });
});

/** A server whose seconds pass when they are told to. */
async function begin(t: TestContext): Promise<{ readonly serving: Serving; endSecond(): void }> {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  // Frames that another thread carries are counted a little later, which seconds that are told to pass do not wait for.
  const serving = await serve({ threads: 1 });
  t.after(() => serving.stop());
  return { serving, endSecond: () => mock.timers.tick(1_000) };
}

async function connection({ target }: Serving) {
  const socket = open(target);
  let answered = 0;
  const goaways: number[] = [];
  onFrames(socket, ({ type, flags, payload }) => {
    if ((type === FRAME.ping || type === FRAME.settings) && (flags & ACK) !== 0) answered += 1;
    if (type === GOAWAY) goaways.push(payload.readUInt32BE(4));
  });
  const untilAnswered = (count: number): Promise<void> =>
    eventually(`${count} are answered`, () => (answered >= count ? done(undefined) : notYet(answered)), {
      intervalMs: 1,
    });
  await untilAnswered(1);
  answered = 0;
  return { socket, goaways, untilAnswered };
}

function times(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

function refused({ registry }: Serving): Promise<number> {
  return metric(registry, 'digger_limit_refusals_total{limit="control_frames"}');
}
