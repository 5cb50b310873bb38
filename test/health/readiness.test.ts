// When digger says that it is ready.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '../../src/health/readiness.ts';

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

test('tasks that wait for one cause are told once, with the cause, before those that are under way', () => {
  const readiness = new Readiness();
  readiness.begin('join the first lists');
  for (const resource of ['pods', 'services', 'nodes']) readiness.begin(`list ${resource}`, 'connect ECONNREFUSED');
  readiness.begin('list jobs.batch', '403 Forbidden');
  readiness.begin('list cronjobs.batch');
  assert.deepEqual(readiness.pending, [
    'list pods, services, nodes: connect ECONNREFUSED',
    'list jobs.batch: 403 Forbidden',
    'join the first lists',
    'list cronjobs.batch',
  ]);
});

test('what is pending is a few lines of bounded length, whatever the number of resources and causes', () => {
  const readiness = new Readiness();
  for (let at = 0; at < 160; at += 1) {
    readiness.begin(`list ${'n'.repeat(63)}/${'r'.repeat(40)}-${at}`, `${at % 7}: ${'x'.repeat(10_000)}`);
  }
  const { pending } = readiness;
  assert.equal(pending.length, 5);
  assert.equal(pending.at(-1), '3 more causes');
  assert.match(pending[0] ?? '', / and 7 more: 0: x+…$/);
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
