// Calls whose waits end together, without calls.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { MAX_WOKEN_PER_TURN, WokenCalls } from '../../../src/rpc/calls/woken-calls.ts';

it('calls that are woken together go on a few a turn, in order, and a few at once', async () => {
  let planned: (() => void) | undefined;
  const woken = new WokenCalls({ afterReads: (run) => void (planned = run) });
  const gone: number[] = [];
  const wake = async (call: number): Promise<void> => {
    await woken.turn();
    gone.push(call);
  };
  const all = Promise.all(Array.from({ length: 100 }, (_, call) => wake(call)));
  await Promise.resolve();
  assert.equal(gone.length, MAX_WOKEN_PER_TURN);
  for (let turn = 2; gone.length < 100; turn++) {
    planned?.();
    // Promises that were resolved are told before anything else.
    await new Promise((resolve) => process.nextTick(resolve));
    await Promise.resolve();
    assert.equal(gone.length, Math.min(100, turn * MAX_WOKEN_PER_TURN));
  }
  await all;
  assert.deepEqual(
    gone,
    Array.from({ length: 100 }, (_, call) => call),
  );
  assert.equal(woken.waiting, 0);
  // It stops to ask for turns when nothing waits.
  for (let turn = 0; turn < 3; turn++) {
    const run = planned;
    planned = undefined;
    run?.();
  }
  assert.equal(planned, undefined);
  assert.equal(woken.turn(), undefined);
});
