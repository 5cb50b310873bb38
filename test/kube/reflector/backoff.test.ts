// How long a reflector waits, with an injected clock and random.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  Backoff,
  BACKOFF_START_MS,
  HEALTHY_RESET_MS,
  RELIEF_CAP_MS,
  UNREACHABLE_CAP_MS,
} from '../../../src/kube/reflector/backoff.ts';

test('delays double from 800 ms up to half of the cap', () => {
  const backoff = new Backoff(UNREACHABLE_CAP_MS, () => 0);
  const delays = Array.from({ length: 6 }, () => backoff.nextMs(0));
  assert.deepEqual(delays, [800, 1600, 2500, 2500, 2500, 2500]);
});

test('a delay is in [d, 2d) and below the cap, whatever the random says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 }),
      (randoms) => {
        const rest = [...randoms];
        const backoff = new Backoff(RELIEF_CAP_MS, () => rest.shift() ?? 0);
        let base = BACKOFF_START_MS;
        for (const _ of randoms) {
          const delay = backoff.nextMs(0);
          assert.ok(delay >= base && delay < 2 * base && delay < RELIEF_CAP_MS, `${delay} of ${base}`);
          base = Math.min(base * 2, RELIEF_CAP_MS / 2);
        }
      },
    ),
  );
});

test('two minutes of health make the next failure the first one again', () => {
  const backoff = new Backoff(RELIEF_CAP_MS, () => 0);
  assert.deepEqual([backoff.nextMs(0), backoff.nextMs(1_000)], [800, 1600]);
  const endOfWait = 1_000 + 1_600;
  assert.equal(backoff.nextMs(endOfWait + HEALTHY_RESET_MS - 1), 3200);
  assert.equal(backoff.nextMs(1_000_000), 800);
});
