// The long form of test/feed/resume-elsewhere.test.ts: hops between replicas by the ten thousand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeResult, emptyResult, hop } from '../feed/replica-hops.ts';

const HOPS = 60_000;

describe('a consumer that goes from replica to replica', () => {
  it(`is never wrong in ${HOPS} hops`, { timeout: 1_800_000 }, () => {
    const result = emptyResult();
    // Other seeds than the short form's. Every tenth world has replicas that restart all the time.
    for (let seed = 100_001; result.cuts < HOPS; seed++)
      hop({ seed, cuts: 200, restarts: seed % 10 === 0 ? 0.1 : 0.005 }, result);
    console.log(describeResult(result));
    assert.ok(result.resumed >= HOPS / 2, `${result.resumed} continued`);
  });
});
