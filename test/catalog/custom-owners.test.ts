// Owners of kinds that are not watched: entities all the same, for as long as pods have them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, Harness } from './harness.ts';
import { controlledBy, owner, pod } from './records.ts';

const ROLLOUT = owner('Rollout', 'canary', { apiVersion: 'example.dev/v1' });
const SET = owner('ReplicaSet', 'canary-1', { controller: controlledBy(ROLLOUT) });
const first = pod('a', { controller: controlledBy(SET) });
const second = pod('b', { controller: controlledBy(SET) });

async function open(...records: Parameters<typeof Harness.open>): Promise<Harness> {
  const harness = new Harness({ isWatchedKind: (_, kind) => kind !== 'Rollout' });
  harness.put(...records);
  await harness.catalog.open();
  harness.batches.length = 0;
  return harness;
}

describe('an owner of a kind that is not watched', () => {
  it('is published by its reference, marked incomplete, once for all its pods', async () => {
    const harness = await open(SET);
    harness.put(first, second);
    assert.deepEqual(harness.told(), ['+ Pod a', '+ Pod b', '+ Workload canary']);
    const entity = harness.copy.get(ROLLOUT.uid) ?? assert.fail('not published');
    assert.deepEqual(decode(entity), {
      apiVersion: 'example.dev/v1',
      kind: 'Rollout',
      namespace: 'shop',
      name: 'canary',
      uid: ROLLOUT.uid,
      incomplete: true,
    });
    assert.ok([...harness.catalog.entities()].includes(entity));
    assert.equal(harness.catalog.workload('example.dev', 'Rollout', 'shop', 'canary'), entity);
    assert.equal(harness.catalog.workload('example.org', 'Rollout', 'shop', 'canary'), undefined);
    assert.equal(harness.catalog.workload('example.dev', 'Rollout', 'bank', 'canary'), undefined);
  });

  it('goes with its last pod', async () => {
    const harness = await open(SET, first, second);
    harness.remove(first);
    assert.deepEqual(harness.told(), ['- Pod a']);
    harness.remove(second);
    assert.deepEqual(harness.told(), ['- Pod b', '- Workload canary']);
    assert.equal(harness.catalog.workload('example.dev', 'Rollout', 'shop', 'canary'), undefined);
  });

  it('becomes what its record says when one comes after all', async () => {
    const harness = await open(SET, first);
    harness.put(ROLLOUT);
    assert.deepEqual(harness.told(), ['~ Pod a', '~ Workload canary']);
    assert.equal(
      (decode(harness.copy.get(ROLLOUT.uid) ?? assert.fail()) as { incomplete?: boolean }).incomplete,
      undefined,
    );
    harness.remove(ROLLOUT);
    assert.deepEqual(harness.told(), ['- Workload canary'], 'retained for the pod');
  });

  it('is nothing of its own while its kind is watched: its record will tell', async () => {
    const harness = await open(pod('c', { controller: controlledBy(owner('ReplicaSet', 'unseen')) }));
    assert.deepEqual(
      [...harness.copy.values()].map(({ kind }) => kind),
      ['Pod'],
    );
  });
});
