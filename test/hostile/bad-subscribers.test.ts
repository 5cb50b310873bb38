// Subscribers that behave badly, few of them and for a short time; many, and for minutes, are in the long suite.
import { describe, it } from 'node:test';
import { beginLargeStory, drip, openTooMany, readNothing } from './bad-subscribers.ts';

const STALL_MS = 1_000;

describe('a subscriber', { concurrency: true }, () => {
  it('that connects and reads nothing is ended, and leaves nothing', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger('--subscriber-stall-timeout', '1s');
    await readNothing(story, digger, 50, STALL_MS);
    await story.assertWholeState(digger);
  });

  it('that reads a byte now and then is ended as one that reads nothing, and leaves nothing', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger('--subscriber-stall-timeout', '1s');
    await drip(story, digger, { count: 20, intervalMs: 250, stallMs: STALL_MS });
    await story.assertWholeState(digger);
  });

  it('that opens streams without end gets as many as a caller may have, and others are served', async () => {
    await using story = await beginLargeStory();
    const digger = await story.startReadyDigger('--max-subscribers-per-caller', '20');
    await openTooMany(story, digger, { streams: 300, connections: 1, limit: 20 });
    await openTooMany(story, digger, { streams: 300, connections: 30, limit: 20 });
    await story.assertWholeState(digger);
  });
});
