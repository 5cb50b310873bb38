// Touched entities: read in order and in parts, forgotten by age and number, one object apart from another under its
// key.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { TouchedKeys, type TouchedReader } from '../../../src/feed/log/touched-keys.ts';
import type { ObjectReference } from '../../../src/model/entities.ts';
import { keyOfWorkload } from '../../../src/model/entity-key.ts';
import { entity } from '../cluster.ts';

const reference = (name: string, uid = `uid-${name}`): ObjectReference => ({
  apiVersion: 'example.com/v1',
  kind: 'Rollout',
  namespace: 'shop',
  name,
  uid,
  incomplete: true,
});

function readAll(reader: TouchedReader, inParts = 512): string[] {
  const read: string[] = [];
  for (let steps = 0; !reader.read(inParts, ({ absent }) => read.push(absent?.uid ?? '') > 0); steps++) {
    assert.ok(steps < 100_000, 'it gets on');
  }
  return read;
}

describe('touched keys', () => {
  it('14.1 are apart for two objects that had one key', () => {
    const touched = new TouchedKeys();
    touched.touch(reference('roll', 'uid-1'), 1, 0);
    touched.touch(reference('roll', 'uid-2'), 2, 0);
    assert.deepEqual(readAll(touched.since(0)), ['uid-1', 'uid-2']);
    const [gone] = [{ ...entity({ kind: 'Workload', namespace: 'shop', name: 'roll' }, 'uid-1') }];
    assert.notEqual(keyOfWorkload(reference('roll')), '');
    touched.drop({ ...gone, apiVersion: 'example.com/v1', workloadKind: 'Rollout' } as typeof gone);
    assert.deepEqual(readAll(touched.since(0)), ['uid-2']);
  });

  it('of an object that is absent under another key stay when it changes, behind that key', () => {
    const touched = new TouchedKeys();
    const held = entity({ kind: 'Workload', namespace: '', name: 'roll' }, 'uid-1');
    touched.touch(reference('roll', 'uid-1'), 1, 0);
    touched.change(held, 2, 0);
    const read: string[] = [];
    touched.since(0).read(10, ({ absent }) => read.push(absent === undefined ? 'held' : 'absent') > 0);
    assert.deepEqual(read, ['absent', 'held']);
    touched.drop(held);
    const other = entity({ kind: 'Workload', namespace: '', name: 'other' }, 'uid-2');
    touched.change(other, 3, 0);
    assert.deepEqual(readAll(touched.since(0)), ['uid-1'], 'the change of any other is in the log');
    touched.forget(1, 10);
    touched.change(held, 4, 1);
    assert.deepEqual([touched.size, readAll(touched.since(0))], [0, []], 'nothing is told to be absent any more');
  });

  it('14.8 are read some at a time, however many there are', () => {
    const touched = new TouchedKeys();
    for (let index = 0; index < 50_000; index++) touched.touch(reference(`r${index}`), index, 0);
    const reader = touched.since(10_000);
    let visits = 0;
    let steps = 0;
    for (let isDone = false; !isDone; steps++) {
      let inStep = 0;
      isDone = reader.read(512, () => ++inStep > 0);
      assert.ok(inStep <= 512, `${inStep} in one step`);
      visits += inStep;
    }
    assert.deepEqual([visits, steps], [40_000, Math.ceil(40_000 / 512)]);
  });

  it('14.8 are dropped some at a time, and a reader is told when it lost some', () => {
    const touched = new TouchedKeys();
    for (let index = 0; index < 10_000; index++) touched.touch(reference(`r${index}`), index, 0);
    const [early, late] = [touched.since(0), touched.since(9_000)];
    touched.forget(1, 100_000);
    assert.ok(touched.size >= 8_000 && touched.size < 10_000, `${touched.size} left after one call`);
    assert.deepEqual([early.isLost(), late.isLost(), touched.forgotten], [true, false, 1_999]);
    for (let calls = 0; touched.size > 0; calls++) {
      assert.ok(calls < 10);
      touched.forget(1, 100_000);
    }
    assert.equal(late.isLost(), true);
  });

  it('are what a plain list would have, whatever is touched and dropped while it is read', () => {
    const act = fc.record({ name: fc.nat(60), times: fc.integer({ min: 1, max: 40 }), reads: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200, size: 'max' }), fc.integer({ min: 1, max: 9 }), (acts, part) => {
        const touched = new TouchedKeys();
        const plain = new Map<string, number>();
        let at = 0;
        let reader = touched.since(0);
        let read: string[] = [];
        for (const { name, times, reads } of acts) {
          for (let time = 0; time < times; time++) {
            const one = reference(`r${(name + time) % 60}`);
            touched.touch(one, at, 0);
            plain.delete(one.uid);
            plain.set(one.uid, at++);
          }
          if (!reads) continue;
          if (reader.read(part, ({ absent }) => read.push(absent?.uid ?? '') > 0)) {
            // All that were touched are read, each at its newest place.
            for (const uid of plain.keys()) assert.ok(read.includes(uid));
            reader = touched.since(0);
            read = [];
          }
        }
        const since = Math.floor(at / 2);
        const expected = [...plain].filter(([, when]) => when >= since).map(([uid]) => uid);
        assert.deepEqual(readAll(touched.since(since), part), expected);
        assert.equal(touched.size, plain.size);
      }),
      { numRuns: 100 },
    );
  });
});
