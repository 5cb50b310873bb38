// Six hundred cancels, which every run can bear; ten thousand are in the long suite.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cancelAtRandom } from './random-cancels.ts';

describe('a subscriber that cancels at random moments', () => {
  it('leaves nothing', async (t) => {
    const { moments, before, after } = await cancelAtRandom(t, 600, 11);
    assert.equal(moments.size, 6, 'at every kind of moment');
    assert.deepEqual({ ...after, bytes: 0 }, { ...before, bytes: 0 });
    // A subscription that is forgotten somewhere is 3 kB with its call.
    const more = after.bytes - before.bytes;
    assert.ok(more < 1_500_000, `${more} bytes more after 600 cancels: ${JSON.stringify([before, after])}`);
  });
});
