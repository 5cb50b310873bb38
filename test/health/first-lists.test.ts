// For which lists the picture waits, and what readiness is told meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstLists } from '../../src/health/first-lists.ts';
import type { ReflectorStatus } from '../../src/kube/reflector/reflector-status.ts';
import { Readiness } from '../../src/health/readiness.ts';

function statusOf(resource: string, told: Partial<ReflectorStatus> = {}): ReflectorStatus {
  return {
    ...{ resource, blindSinceMs: undefined, required: true, state: 'listing', synced: false, unavailable: false },
    ...{ lastContactMs: 9_000, lastChangeMs: 9_000, lists: 1, watches: 1, restarts: new Map(), events: 0, message: '' },
    ...told,
  };
}

const SYNCED = { synced: true };

test('the picture waits for all that is required, and for what else is within reach', () => {
  const readiness = new Readiness();
  const lists = new FirstLists(readiness);
  const optional = { required: false };
  lists.update([statusOf('pods'), statusOf('services'), statusOf('jobs.batch', optional)]);
  assert.equal(lists.areWhole, false);
  assert.match(String(readiness.pending), /pods.*services.*jobs\.batch/);
  lists.update([
    statusOf('pods', SYNCED),
    statusOf('services', { unavailable: true }),
    statusOf('jobs.batch', { ...optional, unavailable: true }),
  ]);
  assert.equal(lists.areWhole, false);
  assert.match(String(readiness.pending), /services/);
  assert.doesNotMatch(String(readiness.pending), /pods|jobs/);
  lists.update([
    statusOf('pods', SYNCED),
    statusOf('services', SYNCED),
    statusOf('jobs.batch', { ...optional, unavailable: true }),
  ]);
  assert.equal(lists.areWhole, true);
  assert.deepEqual(readiness.pending, []);
});

test('a kind of owners that pods tell of later is not waited for', () => {
  const readiness = new Readiness();
  const lists = new FirstLists(readiness);
  lists.update([statusOf('pods')]);
  lists.update([statusOf('pods', SYNCED)]);
  lists.update([statusOf('pods', SYNCED), statusOf('rollouts.example.dev')]);
  assert.equal(lists.areWhole, true);
  assert.deepEqual(readiness.pending, []);
});
