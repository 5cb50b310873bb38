// How stale the picture is told to be, from what reflectors and the comparison of clusters say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Freshness } from '../../src/health/freshness.ts';
import type { ReflectorStatus } from '../../src/kube/reflector/reflector-status.ts';

function watching() {
  const seen = { nowMs: 10_000, isDoubted: false, blind: { pods: undefined, nodes: undefined } as Blind };
  const freshness = new Freshness({
    statuses: () => Object.entries(seen.blind).map(([resource, blindSinceMs]) => statusOf(resource, blindSinceMs)),
    isDoubted: () => seen.isDoubted,
    now: () => seen.nowMs,
  });
  const become = (change: Partial<typeof seen>): void => {
    Object.assign(seen, change);
    freshness.update();
  };
  return { freshness, become };
}

type Blind = Readonly<Record<string, number | undefined>>;

function statusOf(resource: string, blindSinceMs: number | undefined): ReflectorStatus {
  return {
    ...{ resource, blindSinceMs, required: true, state: 'watching', synced: true, unavailable: false },
    ...{ lastContactMs: 9_000, lastChangeMs: 9_000, lists: 1, watches: 1, restarts: new Map(), events: 0, message: '' },
  };
}

test('it is as stale as the resource that has been blind for longest, and fresh when all are followed', () => {
  const { freshness, become } = watching();
  become({ blind: { pods: 7_000, nodes: 8_000 } });
  assert.equal(freshness.stalenessMs(), 3_000);
  assert.equal(freshness.blindSinceMsOf(new Set(['nodes'])), 8_000);
  become({ blind: { pods: undefined, nodes: undefined } });
  assert.equal(freshness.stalenessMs(), undefined);
});

test('while another cluster may answer nothing is fresh, and no resource fresher than it was as the doubt came up', () => {
  const { freshness, become } = watching();
  become({ blind: { pods: 7_000, nodes: undefined }, isDoubted: true });
  become({ blind: { pods: undefined, nodes: undefined }, nowMs: 12_000 });
  assert.equal(freshness.blindSinceMsOf(new Set(['pods'])), 7_000);
  assert.equal(freshness.blindSinceMsOf(new Set(['nodes'])), 10_000);
  assert.equal(freshness.stalenessMs(), 5_000);
  assert.deepEqual(
    freshness.resources().map(({ stalenessMs }) => stalenessMs),
    [5_000, 2_000],
  );
  become({ isDoubted: false });
  assert.equal(freshness.stalenessMs(), undefined);
  become({ isDoubted: true, nowMs: 20_000 });
  assert.equal(freshness.stalenessMs(), 0, 'a doubt does not remember the one before');
});
