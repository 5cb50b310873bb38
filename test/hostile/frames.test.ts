// Bytes on the port that no client sends: the process lives, others are served, nothing is left afterwards.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from '../stories/story.ts';
import { besideOthers } from './bystanders.ts';
import { END_HEADERS, END_STREAM, FRAME, frame, header, lookupHeaders, open, untilClosed } from './raw-http2.ts';

/** What an attack may keep its connection open; keepalive ends the silent ones later. */
const PATIENCE_MS = 2_000;

/** A frame of nonsense, most of them with a type that exists. */
const anyFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 0xffff_ffff })),
    payload: fc.uint8Array({ maxLength: 64 }),
    lie: fc.option(fc.integer({ min: 0, max: 0xff_ffff }), { freq: 5, nil: undefined }),
  })
  .map(({ type, flags, stream, payload, lie }) => frame(type, flags, stream, Buffer.from(payload), lie));

const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 4_096 }).map((bytes) => Buffer.from(bytes));

describe('a stranger on the port', () => {
  let story: Story;
  let digger: DiggerProcess;
  before(async () => {
    story = await Story.begin();
    digger = await story.startDigger();
    await digger.untilReady();
  });
  after(() => story?.end());

  const attack = (run: () => Promise<void>): Promise<void> => besideOthers(story, digger, run);

  async function send(socket: Socket, ...chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
    await untilClosed(socket, PATIENCE_MS);
  }

  it('that sends random bytes harms no other', async () => {
    await attack(() =>
      fc.assert(
        fc.asyncProperty(fc.array(anyBytes, { minLength: 1, maxLength: 8 }), fc.boolean(), (chunks, preface) =>
          send(open(digger.address, preface), ...chunks),
        ),
        { numRuns: 60, interruptAfterTimeLimit: 20_000 },
      ),
    );
  });

  it('that sends meaningless frames harms no other', async () => {
    await attack(() =>
      fc.assert(
        fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 40 }), (frames) =>
          send(open(digger.address), Buffer.concat(frames)),
        ),
        { numRuns: 60, interruptAfterTimeLimit: 20_000 },
      ),
    );
  });

  it('that breaks off anywhere in a valid call harms no other', async () => {
    const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 12, 0x0a, 10]), Buffer.from('10.244.1.2')]);
    const call = Buffer.concat([
      frame(FRAME.headers, END_HEADERS, 1, lookupHeaders()),
      frame(FRAME.data, END_STREAM, 1, message),
    ]);
    await attack(() =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: call.length }), fc.boolean(), async (length, abruptly) => {
          const socket = open(digger.address);
          socket.write(call.subarray(0, length));
          if (abruptly) socket.destroySoon();
          else socket.end();
          await untilClosed(socket, PATIENCE_MS);
        }),
        { numRuns: 60, interruptAfterTimeLimit: 20_000 },
      ),
    );
  });

  it('who speaks HTTP/1 is sent away', async () => {
    await attack(async () => {
      const socket = open(digger.address, false);
      socket.write(
        'POST /digger.v1.LookupService/ResolveAddress HTTP/1.1\r\nHost: digger\r\nContent-Length: 9\r\n\r\n'.repeat(
          200,
        ),
      );
      assert.equal(await untilClosed(socket, 10_000), 'closed');
    });
  });

  it('who floods with headers that never end is cut off', async () => {
    await attack(async () => {
      const socket = open(digger.address);
      socket.write(frame(FRAME.headers, 0, 1, lookupHeaders()));
      const more = frame(FRAME.continuation, 0, 1, header('x-flood', 'x'.repeat(8_000)));
      for (let count = 0; count < 2_000 && !socket.destroyed; count++) {
        if (!socket.write(more)) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assert.equal(await untilClosed(socket, 10_000), 'closed');
    });
  });

  it('who resets calls as fast as it makes them is cut off or served, and leaves nothing', async () => {
    await attack(async () => {
      const socket = open(digger.address);
      const headers = lookupHeaders();
      const cancel = Buffer.from([0, 0, 0, 8]);
      for (let burst = 0; burst < 50 && !socket.destroyed; burst++) {
        const frames: Buffer[] = [];
        for (let call = 0; call < 200; call++) {
          const stream = (burst * 200 + call) * 2 + 1;
          frames.push(frame(FRAME.headers, END_HEADERS, stream, headers), frame(FRAME.reset, 0, stream, cancel));
        }
        socket.write(Buffer.concat(frames));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await untilClosed(socket, PATIENCE_MS);
    });
  });

  for (const [what, flood] of [
    ['pings', frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['settings', frame(FRAME.settings, 0, 0)],
    ['window updates that overflow', frame(FRAME.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    ['resets of calls that are not', frame(FRAME.reset, 0, 99, Buffer.from([0, 0, 0, 8]))],
  ] as const) {
    it(`that floods with ${what} harms no other`, async () => {
      await attack(async () => {
        const socket = open(digger.address);
        const burst = Buffer.concat(Array.from({ length: 1_000 }, () => flood));
        for (let count = 0; count < 50 && !socket.destroyed; count++) {
          socket.write(burst);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await untilClosed(socket, PATIENCE_MS);
      });
    });
  }

  it('leaves one service, which still knows everything', async () => {
    assert.equal(digger.isRunning, true);
    await story.assertWholeState(digger);
  });
});
