// What is past its time is forgotten in slices: what ended with one list is past it at once, and there may be as much
// of it as the history may hold.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pod, World } from './world.ts';

const PODS = 1_000;

/** A world whose pods have all ended at one moment, and are past the history at the next one. */
function afterTheHistory(options: { readonly maxClaims?: number } = {}): World {
  const world = new World(options);
  for (let index = 0; index < PODS; index++) {
    world.at(1_000).put(pod(`pod-${index}`, { addresses: [`10.1.${index >> 8}.${index & 255}`] }));
  }
  for (let index = 0; index < PODS; index++) world.at(2_000).remove(`pod-${index}`);
  return world.at(700_000);
}

describe('15: ended claims that are past their time together', () => {
  it('are forgotten until the turn is used up, and the rest of them in the next one', () => {
    const { book } = afterTheHistory();
    assert.equal(book.size.ended, PODS);
    const sizes: number[] = [];
    for (let isAll = false; !isAll; ) {
      let steps = 0;
      isAll = book.expire(() => ++steps >= 300);
      sizes.push(book.size.ended);
    }
    assert.deepEqual(sizes, [700, 400, 100, 0]);
    assert.equal(book.size.unwritten + book.size.timelines, 0, 'nothing is left of their addresses');
  });

  it('are forgotten with other changes a few at a time', () => {
    const world = afterTheHistory();
    world.put(pod('next', { addresses: ['10.2.0.1'] }));
    const forgotten = PODS - world.book.size.ended;
    assert.ok(forgotten > 0 && forgotten < 100, `${forgotten} with one change`);
    assert.deepEqual(world.ask('10.1.0.1').outcome, 'UNASSIGNED');
    assert.equal(world.ask('10.1.0.1', { at: 1_500 }).outcome, 'UNKNOWN');
  });

  it('go at once where they are more than the bounds allow', () => {
    const world = afterTheHistory({ maxClaims: 100 });
    assert.ok(world.book.size.ended <= 100, `${world.book.size.ended} are kept`);
    world.put(pod('next', { addresses: ['10.2.0.1'] }));
    assert.ok(world.book.size.ended <= 100, `${world.book.size.ended} are kept`);
  });
});
