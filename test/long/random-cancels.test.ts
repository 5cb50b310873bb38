// The long form of test/hostile/random-cancels.test.ts. RANDOM_CANCELS_SEED: default 1.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cancelAtRandom } from '../hostile/random-cancels.ts';

const CANCELS = 10_000;
const SEED = Number(process.env['RANDOM_CANCELS_SEED'] ?? 1);

describe(`a subscriber that cancels at random moments (seed ${SEED})`, { timeout: 900_000 }, () => {
  it(`leaves nothing, ${CANCELS} times`, async (t) => {
    const { moments, before, after } = await cancelAtRandom(t, CANCELS, SEED);
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    console.log(`${[...moments].map(([moment, times]) => `${times} ${moment}`).join(', ')}`);
    console.log(`memory ${mb(before.bytes)} after the first ${CANCELS / 10}, ${mb(after.bytes)} after ${CANCELS} more`);
    assert.deepEqual({ ...after, bytes: 0 }, { ...before, bytes: 0 });
    assert.ok(after.bytes - before.bytes < 2_000_000, '200 bytes a cancel would be a leak');
  });
});
