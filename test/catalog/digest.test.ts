// What lets another replica continue a subscription: the digest of a resource, and word of what was touched.

import { NO_BYTES, toByteString } from '../../src/model/byte-string.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fingerprint } from '../../src/catalog/records/fingerprint.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { Harness } from './harness.ts';
import { pod, service, slice } from './records.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const phase = fc.constantFrom('Pending', 'Running', 'Failed');
const step = fc.record({ name, phase, remove: fc.boolean() });

describe('the digest of a resource', () => {
  it('follows from its records alone, whatever their history and order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const harness = await Harness.open();
        const live = new Map<string, PodRecord>();
        for (const { name: each, phase: next, remove } of steps) {
          const record = pod(each, { phase: next });
          if (remove) live.delete(each);
          else live.set(each, record);
          if (remove) harness.remove(record);
          else harness.put(record);
        }
        const other = await Harness.open();
        await other.relist('Pod', [...live.values()].toReversed());
        assert.equal(digestOf(harness), digestOf(other));
      }),
      { numRuns: 100 },
    );
  });

  it('differs with any record', async () => {
    const seen = new Set<number>();
    const worlds = [
      [],
      [pod('a')],
      [pod('b')],
      [pod('a'), pod('b')],
      [pod('a', { uid: 'x' })],
      [pod('a', { phase: '' })],
    ];
    for (const records of worlds) {
      const harness = await Harness.open();
      await harness.relist('Pod', records);
      const digest = digestOf(harness);
      assert.ok(Number.isSafeInteger(digest) && digest >= 0);
      seen.add(digest);
    }
    assert.equal(seen.size, worlds.length);
  });

  it('14.12: has boundaries between the parts of a record', () => {
    const bytes = (text: string) => toByteString(Buffer.from(text));
    const row = { own: bytes('ab'), values: NO_BYTES, rest: NO_BYTES, creationTimeMs: undefined };
    const digests = [
      fingerprint({ uid: 'u', row }),
      fingerprint({ uid: 'u', row: { ...row, own: bytes('a'), values: bytes('b') } }),
      fingerprint({ uid: 'u', row: { ...row, own: NO_BYTES, rest: bytes('ab') } }),
      fingerprint({ uid: 'u', keys: ['ab', ''] }),
      fingerprint({ uid: 'u', keys: ['a', 'b'] }),
    ];
    assert.equal(new Set(digests).size, digests.length);
    for (const digest of digests) assert.ok(Number.isSafeInteger(digest) && digest >= 0);
  });

  it('is there after a list, which says that it is one', async () => {
    const harness = await Harness.open();
    await harness.relist('Pod', [pod('a')]);
    assert.equal(harness.batches.at(-1)?.position.listed, true);
    harness.put(pod('a', { phase: 'Failed' }));
    assert.equal(harness.batches.at(-1)?.position.listed, undefined);
  });
});

describe('a batch', () => {
  it('names a service whose backends were counted anew and are the same workloads', async () => {
    const [one, two] = [pod('one'), pod('two')];
    const harness = await Harness.open(one, service('web'), slice('web-1', 'web', [one, two]));
    const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'uid-rs' };
    harness.put({ ...one, controller });
    harness.batches.length = 0;
    harness.put({ ...two, controller });
    const [batch] = harness.batches;
    assert.deepEqual(
      batch?.touched?.map(({ kind, name: each }) => `${kind} ${each}`),
      ['Service web'],
    );
    assert.deepEqual(
      batch?.changes.map(({ after }) => after?.name),
      ['two'],
    );
  });
});

function digestOf(harness: Harness): number {
  const positions = harness.batches
    .filter(({ position }) => position.resource === 'pods')
    .map(({ position }) => position);
  return positions.at(-1)?.digest ?? 0;
}
