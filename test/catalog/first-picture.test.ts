// The first picture is what was there when it was listed. Lists that take long count as a gap until their watches have
// caught up, and what comes meanwhile says so; but before the first picture nothing was followed that could be missed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Harness } from './harness.ts';
import { node, pod } from './records.ts';

const CATCHING_UP = { atMs: 20_000, sinceMs: 5_000 };

describe('the first picture', () => {
  it('is told as seen without a gap, also where a watch that catches up brought the last of it', async () => {
    const harness = new Harness();
    harness.put(node('n1'), pod('listed'));
    const late = pod('late');
    harness.store(late).upsert(late, harness.version(), CATCHING_UP);
    await harness.catalog.open();
    const told = harness.batches.filter(({ changes }) => changes.length > 0);
    assert.deepEqual(
      told.flatMap(({ changes }) => changes.map(({ before }) => before)),
      told.map(() => undefined),
    );
    assert.deepEqual(
      told.filter(({ seen }) => seen.sinceMs !== undefined),
      [],
    );
  });

  it('is followed by changes that say how large the gap was that they were seen after', async () => {
    const harness = await Harness.open(pod('listed'));
    const late = pod('late');
    harness.store(late).upsert(late, harness.version(), CATCHING_UP);
    harness.store(late).remove(pod('listed'), harness.version(), CATCHING_UP);
    assert.deepEqual(
      harness.batches.map(({ seen }) => seen),
      [CATCHING_UP, CATCHING_UP],
    );
  });
});
