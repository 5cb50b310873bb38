// How milliseconds are split into seconds and nanoseconds.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { toSecondsAndNanos } from '../../src/wire/seconds-and-nanos.ts';

describe('seconds and nanos', () => {
  it('never have a whole second in the nanos, and come to the same moment', () => {
    const ms = fc.oneof(
      fc.double({ min: -62_135_596_800_000, max: 253_402_300_799_999, noNaN: true }),
      fc.double({ min: -10, max: 10, noNaN: true }),
      fc.integer({ min: -1e12, max: 2e12 }).map((second) => second - Number.EPSILON * Math.abs(second)),
    );
    fc.assert(
      fc.property(ms, (given) => {
        const { seconds, nanos } = toSecondsAndNanos(given);
        assert.ok(Number.isSafeInteger(seconds) && Number.isSafeInteger(nanos));
        assert.ok(nanos >= 0 && nanos < 1e9, `${nanos} ns`);
        assert.ok(Math.abs(seconds * 1000 + nanos / 1e6 - given) < 0.01, `${seconds} s ${nanos} ns for ${given} ms`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('count forwards from the second below, also before 1970', () => {
    assert.deepEqual(toSecondsAndNanos(1_500), { seconds: 1, nanos: 500_000_000 });
    assert.deepEqual(toSecondsAndNanos(-1), { seconds: -1, nanos: 999_000_000 });
    assert.deepEqual(toSecondsAndNanos(-1e-15), { seconds: 0, nanos: 0 });
  });
});
