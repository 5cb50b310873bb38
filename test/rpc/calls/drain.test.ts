// What calls that wait hear of a drain.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Drain } from '../../../src/rpc/calls/drain.ts';

it('a drain tells every call that waits once, also those that stop to wait when they hear of it', () => {
  const drain = new Drain();
  const heard: string[] = [];
  const first = (): void => {
    heard.push('first');
    drain.delete(first);
    drain.delete(second);
  };
  const second = (): void => void heard.push('second');
  const third = (): void => void heard.push('third');
  for (const listener of [first, second, third, third]) drain.add(listener);
  assert.equal(drain.hasBegun, false);
  drain.begin();
  assert.deepEqual([drain.hasBegun, drain.waiting, heard], [true, 0, ['first', 'third']]);
  drain.begin();
  assert.deepEqual(heard, ['first', 'third']);
});

it('a call that has stopped to wait leaves nothing behind', () => {
  const drain = new Drain();
  const listener = (): void => assert.fail('it does not wait any more');
  drain.add(listener);
  assert.equal(drain.waiting, 1);
  drain.delete(listener);
  assert.equal(drain.waiting, 0);
  drain.begin();
});
