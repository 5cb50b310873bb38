// The long form of test/hostile/half-requests.test.ts: as many as may be connected at all.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CROWD_OPTIONS, sendHalfRequests } from '../hostile/half-requests.ts';
import { Story } from '../stories/story.ts';

// About what Node gives itself in a pod with 512 MiB: with a heap of gigabytes it would let garbage lie.
process.env['NODE_OPTIONS'] = '--max-old-space-size=192';

it('9,900 connections that send half a request each, three times over, take a bounded amount of memory', async (t) => {
  await using story = await Story.begin();
  const digger = await story.startReadyDigger(...CROWD_OPTIONS);
  for (let round = 1; round <= 3; round++) {
    const seen = await sendHalfRequests(story, digger, 9_900);
    t.diagnostic(`round ${round}: ${JSON.stringify(seen)}`);
    // Fewer than on a quiet machine, where some run out of their time instead.
    assert.ok(seen.refused > 4_000, `${seen.refused} ended`);
  }
  await story.assertWholeState(digger);
});
