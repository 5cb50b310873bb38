// When digger says that it is ready.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '../src/readiness.ts';

test('12.14: nothing is ready before a task has begun', () => {
  const readiness = new Readiness();
  assert.equal(readiness.isReady, false);
  assert.deepEqual(readiness.pending, ['start']);
});

test('the last task that is done makes ready, and each that is not is named with what it waits for', () => {
  const readiness = new Readiness();
  const seen: boolean[] = [];
  readiness.onChange(() => seen.push(readiness.isReady));
  readiness.begin('list pods', 'forbidden: list pods');
  readiness.begin('join');
  assert.deepEqual(readiness.pending, ['list pods: forbidden: list pods', 'join']);
  readiness.complete('list pods');
  readiness.complete('list pods');
  assert.deepEqual(seen, []);
  readiness.complete('join');
  assert.deepEqual(seen, [true]);
  assert.deepEqual(readiness.pending, []);
});

test('12.14: a task that is named later does not take readiness back; the drain does', () => {
  const readiness = new Readiness();
  readiness.begin('list pods');
  readiness.complete('list pods');
  readiness.begin('list pods', 'the API server is away');
  assert.equal(readiness.isReady, true);
  assert.deepEqual(readiness.pending, []);
  readiness.drain();
  assert.equal(readiness.isReady, false);
  assert.deepEqual(readiness.pending, ['draining']);
});
