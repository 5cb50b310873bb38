// For which lists the picture waits, and what readiness is told meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstLists } from '../src/first-lists.ts';
import type { ReflectorStatus } from '../src/kube/reflector/reflector-status.ts';
import { Readiness } from '../src/readiness.ts';

function statusOf(resource: string, told: Partial<ReflectorStatus> = {}): ReflectorStatus {
  return {
    ...{ resource, blindSinceMs: undefined, required: true, state: 'listing', synced: false, unavailable: false },
    ...{ lastContactMs: 9_000, lastChangeMs: 9_000, lists: 1, watches: 1, restarts: new Map(), events: 0, message: '' },
    ...told,
  };
}

const SYNCED = { synced: true };

test('the picture waits for all that is required, and for what else is within reach', async () => {
  const readiness = new Readiness();
  const lists = new FirstLists(readiness);
  const optional = { required: false };
  lists.update([statusOf('pods'), statusOf('services'), statusOf('jobs.batch', optional)]);
  assert.equal(lists.isWhole, false);
  assert.match(String(readiness.pending), /pods.*services.*jobs\.batch/);
  lists.update([
    statusOf('pods', SYNCED),
    statusOf('services', { unavailable: true }),
    statusOf('jobs.batch', { ...optional, unavailable: true }),
  ]);
  assert.equal(lists.isWhole, false);
  assert.match(String(readiness.pending), /services/);
  assert.doesNotMatch(String(readiness.pending), /pods|jobs/);
  lists.update([
    statusOf('pods', SYNCED),
    statusOf('services', SYNCED),
    statusOf('jobs.batch', { ...optional, unavailable: true }),
  ]);
  assert.equal(lists.isWhole, true);
  assert.equal(await lists.whole, true);
  assert.deepEqual(readiness.pending, []);
});

test('kinds of owners that pods tell of meanwhile are not waited for', () => {
  const lists = new FirstLists(new Readiness());
  lists.update([statusOf('pods'), statusOf('services', SYNCED)]);
  assert.equal(lists.areOnlyPodsMissing, true);
  lists.update([statusOf('pods'), statusOf('services', SYNCED), statusOf('rollouts.example.dev')]);
  assert.equal(lists.areOnlyPodsMissing, true);
  lists.update([statusOf('pods', SYNCED), statusOf('services', SYNCED), statusOf('rollouts.example.dev')]);
  assert.equal(lists.isWhole, true);
});

test('pods of one namespace among several are not all pods', () => {
  const lists = new FirstLists(new Readiness());
  lists.update([statusOf('shop/pods'), statusOf('blog/pods', SYNCED)]);
  assert.equal(lists.areOnlyPodsMissing, false);
});

test('what waits for them hears that they are given up', async () => {
  const lists = new FirstLists(new Readiness());
  lists.update([statusOf('pods')]);
  lists.giveUp();
  assert.equal(await lists.whole, false);
});
