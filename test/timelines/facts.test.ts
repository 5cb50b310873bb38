// What is true of all places: what follows from it, and what may be told of it before the timelines that it is true of.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddressFacts, atLeastAsDoubtful, followedSinceMs } from '../../src/timelines/facts.ts';

const FACTS: AddressFacts = {
  beganMs: 1_000,
  historyMs: 600_000,
  blind: [],
  blindSinceMs: undefined,
  unknownUntilMs: 1_000,
  incompleteUntilMs: Number.NEGATIVE_INFINITY,
  reportDelayMs: 2_000,
  isPartial: false,
};

describe('15: facts', () => {
  it('say since when nothing was missed: the beginning, the last gap, or what had to be forgotten', () => {
    assert.equal(followedSinceMs(FACTS), 1_000);
    assert.equal(followedSinceMs({ ...FACTS, blind: [{ sinceMs: 2_000, untilMs: 3_000 }] }), 3_000);
    assert.equal(followedSinceMs({ ...FACTS, incompleteUntilMs: 4_000 }), 4_000);
    assert.equal(followedSinceMs({ ...FACTS, beganMs: 5_000 }), 5_000);
    assert.equal(followedSinceMs({ ...FACTS, blindSinceMs: 9_000 }), Number.POSITIVE_INFINITY);
  });

  it('are told at once where they make answers more doubtful, and else not before the timelines are', () => {
    const down = { ...FACTS, blindSinceMs: 8_000 };
    assert.deepEqual(atLeastAsDoubtful(down, FACTS), down, 'a watch went down');
    assert.deepEqual(atLeastAsDoubtful(FACTS, down), down, 'it is up again');
    assert.equal(atLeastAsDoubtful({ ...down, blindSinceMs: 9_000 }, down).blindSinceMs, 8_000, 'and down again');
    const earlier = { ...FACTS, beganMs: 500, unknownUntilMs: 700 };
    assert.deepEqual(atLeastAsDoubtful(earlier, FACTS), FACTS, 'more of the past is known');
    const forgotten = { ...FACTS, beganMs: 5_000, incompleteUntilMs: 4_000 };
    assert.deepEqual(atLeastAsDoubtful(forgotten, FACTS), forgotten, 'less of it is');
    const blind = { ...FACTS, blind: [{ sinceMs: 2_000, untilMs: 3_000 }] };
    assert.deepEqual(atLeastAsDoubtful(blind, FACTS), blind, 'a gap was closed');
  });
});
