// Callers who begin requests and do not finish them: together they take what they may, and no more. The long form is in
// test/long.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Story } from '../stories/story.ts';
import { CROWD_OPTIONS, sendHalfRequests } from './half-requests.ts';

it('2,000 connections that send half a request each take a bounded amount of memory, and harm no other caller', async (t) => {
  await using story = await Story.begin();
  const digger = await story.startReadyDigger(...CROWD_OPTIONS);
  const { sentBytes, peakRequestBytes, refused } = await sendHalfRequests(story, digger, 2_000);
  t.diagnostic(`${sentBytes} bytes sent, ${peakRequestBytes} at most on the account, ${refused} ended`);
  // The bound was met, or this proves nothing.
  assert.ok(refused > 500, `${refused} ended`);
  await story.assertWholeState(digger);
});
