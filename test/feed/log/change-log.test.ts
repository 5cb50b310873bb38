// What the log keeps, and that it keeps no more.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangeLog } from '../../../src/feed/log/change-log.ts';
import type { PresentEntry, RemovedEntry } from '../../../src/feed/log/log-entry.ts';
import * as fc from 'fast-check';
import type { Entity } from '../../../src/model/entities.ts';
import { keyOf } from '../../../src/model/entity-key.ts';
import { entity, Picture } from '../cluster.ts';
import { encodeLabel, hasLabels, labelsOf } from '../../../src/wire/labels.ts';

const POD = { kind: 'Pod', namespace: 'a', name: 'p0', nodeName: 'n0', labels: { app: 'x' } } as const;

describe('the change log', () => {
  it('has each entity once, at its last sequence', () => {
    const { log, picture } = create();
    for (const name of ['p0', 'p1', 'p2', 'p0', 'p1']) picture.set({ ...POD, name });
    assert.deepEqual(
      entries(log).map(({ sequence, facts }) => [sequence, facts.name]),
      [
        [3, 'p2'],
        [4, 'p0'],
        [5, 'p1'],
      ],
    );
    assert.equal(log.head, 5);
  });

  it('is bounded by the live entities, however many changes they go through', () => {
    const { log, picture } = create();
    for (let index = 0; index < 20_000; index++) picture.set({ ...POD, name: `p${index % 10}` });
    assert.equal(log.size, 10);
    assert.ok(log.slots < 2_100, `${log.slots} places for 10 entities`);
  });

  it('is bounded when entities come and go', () => {
    const { log, picture } = create({ maxRemovals: 50 });
    for (let index = 0; index < 5_000; index++) {
      picture.set({ ...POD, name: `p${index}` });
      picture.remove('Pod', 'a', `p${index}`);
    }
    assert.equal(log.size, 50);
    assert.equal(log.removals, 50);
    assert.ok(log.slots < 2_300, `${log.slots} places for 50 removals`);
  });

  it('drops removals by age and says up to where it forgot', () => {
    const { log, picture, clock } = create({ removalRetentionMs: 1_000 });
    picture.set(POD);
    picture.remove('Pod', 'a', 'p0');
    clock.nowMs = 500;
    picture.set({ ...POD, name: 'p1' });
    picture.remove('Pod', 'a', 'p1');
    log.expire(999);
    assert.equal(log.forgotten, 0);
    log.expire(1_000);
    assert.equal(log.forgotten, 2);
    assert.deepEqual(
      entries(log).map(({ sequence }) => sequence),
      [4],
    );
  });

  it('does not keep the bytes of what is gone, but its labels', () => {
    const { log, picture } = create();
    picture.set({ ...POD, ballast: 50_000 });
    picture.remove('Pod', 'a', 'p0');
    const [entry] = entries(log);
    assert.equal(entry?.state, 'removed');
    assert.ok(entry.removal.buffer.byteLength < 200, `${entry.removal.buffer.byteLength} bytes`);
    assert.equal(entry.facts.values, labelsOf(entry.facts.values), 'labels alone');
    assert.ok(hasLabels(entry.facts.values, [encodeLabel('app', 'x')]), 'its labels');
  });

  it('remembers when an entity came, and when its labels and its node changed last', () => {
    const { log, picture } = create();
    const life = () => entries(log).map(({ bornAt, labelsAt, nodeAt }) => ({ bornAt, labelsAt, nodeAt }))[0];
    picture.set({ ...POD, nodeName: '' });
    picture.set(POD);
    assert.deepEqual(life(), { bornAt: 1, labelsAt: 1, nodeAt: 1 }, 'a pod that gets its node cannot stop passing');
    picture.set({ ...POD, labels: { app: 'y' } });
    picture.set({ ...POD, labels: { app: 'y' }, revision: 9 });
    assert.deepEqual(life(), { bornAt: 1, labelsAt: 3, nodeAt: 1 });
    picture.set({ ...POD, labels: { app: 'y' }, nodeName: 'n1' });
    assert.deepEqual(life(), { bornAt: 1, labelsAt: 3, nodeAt: 5 });
    picture.remove('Pod', 'a', 'p0');
    assert.deepEqual(life(), { bornAt: 1, labelsAt: 3, nodeAt: 5 });
  });

  it('reads on from anywhere, also from the place of a hole', () => {
    const { log, picture } = create();
    for (const name of ['p0', 'p1', 'p2', 'p0', 'p3']) picture.set({ ...POD, name });
    const names = (after: number) => entries(log, after).map(({ facts }) => facts.name);
    assert.deepEqual(names(0), ['p1', 'p2', 'p0', 'p3']);
    assert.deepEqual(names(1), ['p1', 'p2', 'p0', 'p3']);
    assert.deepEqual(names(3), ['p0', 'p3']);
    assert.deepEqual(names(5), []);
  });
});

describe('14.1 what the log refuses, as consumers could not apply it by key', () => {
  const workload = (change: object) =>
    ({ ...entity({ ...POD, kind: 'Workload', name: 'top' }, 'uid-1'), ...change }) as Entity;
  const refused = (changes: readonly (readonly [Entity | undefined, Entity | undefined])[], message: RegExp) => {
    const { log } = create();
    assert.throws(
      () => changes.forEach(([before, after], index) => log.append({ sequence: index + 1, before, after }, 0)),
      message,
    );
    assert.equal(log.head, changes.length - 1, 'what was refused is not in the log');
  };

  it('an entity whose key changes: that is a removal and a creation', () => {
    const before = workload({});
    for (const change of [
      { namespace: '' },
      { name: 'other' },
      { apiVersion: 'apps/v2' },
      { workloadKind: 'Rollout' },
      { uid: 'uid-2' },
    ]) {
      const after = workload(change);
      refused(
        [
          [undefined, before],
          [before, after],
        ],
        /a removal and a creation/,
      );
    }
  });

  it('an entity under a key that another one still has', () => {
    refused(
      [
        [undefined, workload({})],
        [undefined, workload({ uid: 'uid-2' })],
      ],
      /whose key .* still has/,
    );
  });

  it('a change of nothing', () => {
    refused([[undefined, undefined]], /about no entity/);
  });

  it('and not an entity that takes a key after the one that had it', () => {
    const { log } = create();
    const [one, two] = [workload({}), workload({ uid: 'uid-2' })];
    const changes = [
      [undefined, one],
      [one, undefined],
      [undefined, two],
      [two, undefined],
      [undefined, one],
    ] as const;
    for (const [index, [before, after]] of changes.entries()) log.append({ sequence: index + 1, before, after }, 0);
    assert.deepEqual(
      entries(log).map(({ state, sequence }) => [state, sequence]),
      [
        ['removed', 4],
        ['present', 5],
      ],
    );
    assert.equal(log.present(keyOf(one))?.facts, one);
  });
});

describe('14.8 a log of any size', () => {
  it('lets 30,000 removals go in steps of a thousand, and keeps no more places than twice what it holds', () => {
    const { log, picture, clock } = create({ maxRemovals: 30_000, removalRetentionMs: 1_000 });
    for (let index = 0; index < 30_000; index++) picture.set({ ...POD, name: `p${index}` });
    for (let index = 0; index < 30_000; index++) picture.remove('Pod', 'a', `p${index}`);
    assert.equal(log.removals, 30_000);
    clock.nowMs = 2_000;
    let steps = 0;
    for (let left = log.removals; left > 0; steps++) {
      log.expire(clock.nowMs);
      assert.ok(left - log.removals <= 1_000, `${left - log.removals} in one step`);
      assert.ok(log.slots <= 2 * log.size + 1_024, `${log.slots} places for ${log.size}`);
      left = log.removals;
    }
    assert.deepEqual([steps, log.forgotten], [30, 60_000]);
  });

  it('hands over what a plain list would, whatever comes and goes', () => {
    const act = fc.record({ name: fc.nat(400), goes: fc.boolean(), times: fc.integer({ min: 1, max: 300 }) });
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 60 }), fc.nat(5_000), (acts, after) => {
        const { log, picture } = create({ maxRemovals: 50 });
        for (const { name, goes, times } of acts) {
          for (let time = 0; time < times; time++) {
            if (goes) picture.remove('Pod', 'a', `p${(name + time) % 400}`);
            else picture.set({ ...POD, name: `p${(name + time) % 400}`, revision: time });
          }
        }
        const all = entries(log);
        assert.equal(all.length, log.size);
        assert.ok(log.slots <= 2 * log.size + 1_024, `${log.slots} places for ${log.size}`);
        assert.deepEqual(
          entries(log, after),
          all.filter(({ sequence }) => sequence > after),
        );
        const some: unknown[] = [];
        let cursor = after;
        for (let reads = 0; cursor < log.head; reads++) {
          cursor = log.read(cursor, 7, (entry) => some.push(entry) > 0);
          assert.ok(reads < 2_000, 'it gets on');
        }
        assert.deepEqual(some, entries(log, after));
      }),
      { numRuns: 60 },
    );
  });
});

function create(options: { maxRemovals?: number; removalRetentionMs?: number } = {}) {
  const clock = { nowMs: 0 };
  const log = new ChangeLog({ removalRetentionMs: 600_000, maxRemovals: 100, ...options });
  const picture = new Picture((batch) => {
    for (const change of batch.changes) log.append(change, clock.nowMs);
  });
  return { log, picture, clock };
}

function entries(log: ChangeLog, after = 0): readonly (PresentEntry | RemovedEntry)[] {
  const found: (PresentEntry | RemovedEntry)[] = [];
  const cursor = log.read(after, Number.POSITIVE_INFINITY, (entry) => {
    assert.ok(entry.state === 'present' || entry.state === 'removed', 'there are entities only');
    found.push(entry);
    return true;
  });
  assert.equal(cursor, log.head);
  return found;
}
