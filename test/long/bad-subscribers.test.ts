// The long form of test/hostile/bad-subscribers.test.ts: by the thousand, with the service's own limits and patience.
//
// BAD_SUBSCRIBERS_STALL_SECONDS: default 60, which is the service's.
import { describe, it } from 'node:test';
import { beginLargeStory, drip, leaveSocketsUnread, openTooMany, readNothing } from '../hostile/bad-subscribers.ts';

const STALL_SECONDS = Number(process.env['BAD_SUBSCRIBERS_STALL_SECONDS'] ?? 60);
const STALL = ['--subscriber-stall-timeout', `${STALL_SECONDS}s`];
const LIMIT = 1_000;

// About what Node gives itself in a pod with 512 MiB. With a heap of gigabytes it would let the garbage of a thousand
// subscribers lie, and it could not be told from what they leave.
process.env['NODE_OPTIONS'] = '--max-old-space-size=192';

describe('a subscriber', { timeout: 900_000 }, () => {
  it('that connects and reads nothing is ended, and leaves nothing: 900 of them', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger(...STALL);
    await readNothing(story, digger, 900, STALL_SECONDS * 1_000);
    await story.assertWholeState(digger);
  });

  it('that reads one byte a second is ended as one that reads nothing, and leaves nothing: 500 of them', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger(...STALL);
    await drip(story, digger, { count: 500, intervalMs: 1_000, stallMs: STALL_SECONDS * 1_000 });
    await story.assertWholeState(digger);
  });

  it('that does not read its socket is found by the pings of its connection, and leaves nothing: 500 of them', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger();
    await leaveSocketsUnread(story, digger, 500);
    await story.assertWholeState(digger);
  });

  for (const connections of [1, 10, 500]) {
    it(`that opens 10,000 streams on ${connections} connections gets 1,000 or what those may have, and others are served`, async () => {
      await using story = await beginLargeStory();
      const digger = await story.startReadyDigger();
      await openTooMany(story, digger, { streams: 10_000, connections, limit: LIMIT });
      await story.assertWholeState(digger);
    });
  }
});
