// Removals that are kept, in order, against an array of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Removals } from '../../../src/feed/log/removals.ts';

interface Removed {
  readonly identity: string;
}

describe('removals that are kept', () => {
  it('are given oldest first, whatever was taken back and removed again in between', () => {
    const step = fc.record({ do: fc.constantFrom('add', 'add', 'delete', 'drop'), of: fc.nat(40) });
    fc.assert(
      fc.property(fc.nat(3_000), fc.array(step, { maxLength: 300 }), (others, steps) => {
        const removals = new Removals<Removed>();
        let model: Removed[] = [];
        const add = (identity: string): void => {
          if (model.some((each) => each.identity === identity)) return;
          const entry = { identity };
          removals.add(entry);
          model.push(entry);
        };
        const leave = (identity: string): void => {
          removals.delete(identity);
          model = model.filter((each) => each.identity !== identity);
        };
        add('first');
        // Enough that come and go for what is over to be taken out.
        for (let at = 0; at < others; at += 1) {
          add(`other-${at}`);
          leave(`other-${at}`);
        }
        for (const { do: what, of } of steps) {
          if (what === 'add') add(`of-${of}`);
          else if (what === 'delete') leave(`of-${of}`);
          else if (model[0] !== undefined) leave(model[0].identity);
          assert.equal(removals.oldest(), model[0]);
          assert.equal(removals.size, model.length);
          assert.equal(
            removals.get(`of-${of}`),
            model.find(({ identity }) => identity === `of-${of}`),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('14.8: cost the same to drop among n and 4 n that are kept', () => {
    const visitsOf = (count: number): number => {
      const removals = new Removals<Removed>();
      for (let at = 0; at < count; at += 1) removals.add({ identity: `${at}` });
      const before = removals.visits;
      for (let at = 0; at < 1_000; at += 1) {
        removals.delete(removals.oldest()?.identity ?? assert.fail());
        removals.add({ identity: `${count + at}` });
      }
      return removals.visits - before;
    };
    const [few, many] = [visitsOf(2_000), visitsOf(8_000)];
    assert.ok(few <= 2_000 && many <= few, `${few} places looked at among 2,000, ${many} among 8,000`);
  });
});
