// Ordered sets of counted elements, and steps from one ordered list to another, against the plainest thing that does
// it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CountedSet } from '../../src/collections/counted-set.ts';
import { compareText } from '../../src/catalog/records/rows.ts';
import { towards } from '../../src/catalog/joining/service-join.ts';
import { MAX_CLAIMED_ENDPOINTS } from '../../src/model/entities.ts';

/** Enough of them that the set keeps an order, and that its chunks are cut and run empty. */
const element = fc.integer({ min: 0, max: 700 }).map((at) => `e${String(at).padStart(3, '0')}`);
const step = fc.record({ element, by: fc.constantFrom(1, 1, -1), reads: fc.boolean() });

describe('a set of counted elements', () => {
  it('gives its first elements in order, and says when an element comes or goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), fc.nat({ max: 50 }), (steps, limit) => {
        const set = new CountedSet<string>(compareText, (element) => element.length);
        const counts = new Map<string, number>();
        for (const { element: each, by, reads } of steps) {
          const before = counts.get(each) ?? 0;
          if (before + by < 0) {
            assert.throws(() => set.count(each, -1), /never counted/);
            continue;
          }
          assert.equal(set.count(each, by as 1 | -1), before === 0 || before + by === 0);
          if (before + by === 0) counts.delete(each);
          else counts.set(each, before + by);
          if (reads) assert.deepEqual(set.first(limit), [...counts.keys()].sort().slice(0, limit));
        }
        assert.equal(set.size, counts.size);
        assert.deepEqual(set.first(1_000), [...counts.keys()].sort());
        // All of it goes again.
        for (const [each, count] of counts) for (let left = count; left > 0; left -= 1) set.count(each, -1);
        assert.deepEqual([set.size, set.first(1)], [0, []]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the way from one ordered list to another', () => {
  const list = fc.uniqueArray(element, { maxLength: 60 }).map((texts) => texts.sort());

  it('is gone in steps of a bounded number of differences, each of which leaves a list in order', () => {
    fc.assert(
      fc.property(list, list, fc.integer({ min: 1, max: 20 }), (before, wanted, limit) => {
        let at: readonly string[] = before;
        const differences = [...before, ...wanted].filter((each) => !(before.includes(each) && wanted.includes(each)));
        let taken = 0;
        for (let isWhole = false; !isWhole; ) {
          const step = towards(at, wanted, limit);
          assert.deepEqual(step.texts, [...new Set(step.texts)].sort());
          const changed = [...at, ...step.texts].filter((each) => !(at.includes(each) && step.texts.includes(each)));
          assert.equal(step.differing, changed.length);
          assert.ok(changed.length <= limit && (step.isWhole || changed.length > 0));
          taken += changed.length;
          at = step.texts;
          isWhole = step.isWhole;
        }
        assert.deepEqual(at, wanted);
        assert.equal(taken, differences.length, 'nothing comes that does not stay, nothing goes that does');
      }),
    );
  });

  it('never leads over more than an entity may claim', () => {
    const text = (at: number) => String(at).padStart(6, '0');
    const [before, wanted] = [20_000, 0].map((from) =>
      Array.from({ length: MAX_CLAIMED_ENDPOINTS }, (_, at) => text(from + at)),
    ) as [string[], string[]];
    let at: readonly string[] = before;
    for (let isWhole = false; !isWhole; ) {
      const step = towards(at, wanted, 512);
      assert.ok(step.texts.length <= MAX_CLAIMED_ENDPOINTS && step.differing <= 2 * 512);
      ({ texts: at, isWhole } = step);
    }
    assert.deepEqual(at, wanted);
  });
});
