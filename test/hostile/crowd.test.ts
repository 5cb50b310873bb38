// Two thousand connections at once, which is what every run can bear; ten thousand are in the long suite.
import { describe, it } from 'node:test';
import { Story } from '../stories/story.ts';
import { crowd } from './crowd.ts';
import { CROWD_OPTIONS } from './half-requests.ts';

describe('two thousand connections with unfinished calls', () => {
  it('are let in, keep no other caller from being served, and leave nothing', async () => {
    await using story = await Story.begin();
    const digger = await story.startDigger(...CROWD_OPTIONS);
    await digger.untilReady();
    await crowd(story, digger, 2_000);
    await story.assertWholeState(digger);
  });
});
