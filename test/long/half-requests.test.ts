// The long form of test/hostile/half-requests.test.ts: as many as may be connected at all.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sendHalfRequests } from '../hostile/half-requests.ts';
import { Story } from '../stories/story.ts';

it('9,900 connections that send half a request each, three times over, take a bounded amount of memory', async (t) => {
  await using story = await Story.begin();
  const digger = await story.startReadyDigger();
  for (let round = 1; round <= 3; round++) {
    const seen = await sendHalfRequests(story, digger, 9_900);
    t.diagnostic(`round ${round}: ${JSON.stringify(seen)}`);
    assert.ok(seen.refused > 8_000, `${seen.refused} ended`);
  }
  await story.assertWholeState(digger);
});
