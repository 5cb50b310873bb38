// The long form of test/feed/replicas/resume-elsewhere.test.ts: hops between replicas by the ten thousand. FEED_SEED
// begins with another seed, FEED_HOPS makes it shorter or longer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeResult, emptyResult, hop } from '../feed/replicas/replica-hops.ts';

// Other seeds than the short form's.
const SEED = Number(process.env['FEED_SEED'] ?? 100_001);
const HOPS = Number(process.env['FEED_HOPS'] ?? 60_000);

describe('a consumer that goes from replica to replica', () => {
  it(`is never wrong in ${HOPS} hops`, { timeout: 1_800_000 }, async (t) => {
    t.diagnostic(`seeds from ${SEED}`);
    const result = emptyResult();
    // Every tenth world has replicas that restart all the time.
    for (let seed = SEED; result.cuts < HOPS; seed++) {
      hop({ seed, cuts: 200, restarts: seed % 10 === 0 ? 0.1 : 0.005 }, result);
      // Lets go of what promises hold: nothing else in here takes a turn.
      await nextTurn();
    }
    console.log(describeResult(result));
    assert.ok(result.resumed >= HOPS / 2, `${result.resumed} continued`);
  });
});
