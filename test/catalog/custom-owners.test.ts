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

  describe('whose record comes after all, and is told only a while later', () => {
    const referredTo = (uid: string) => controlledBy({ ...ROLLOUT, uid });
    /** In two namespaces, so that the owner is taken for one of the cluster. */
    const podsOf = (uid: string) =>
      ['shop', 'bank'].map((namespace) =>
        pod(`${uid}-${namespace}`, { namespace, uid: `${namespace}-${uid}`, controller: referredTo(uid) }),
      );
    /** One entity a turn: the removal of what had the name before is told first. */
    const openWithRecord = async (uid: string): Promise<Harness> => {
      const harness = new Harness({ isWatchedKind: (_, kind) => kind !== 'Rollout', sliceSize: 1 });
      harness.put(owner('ReplicaSet', 'canary'), ...podsOf(uid), ...podsOf('b'));
      await harness.catalog.open();
      harness.put({ ...ROLLOUT, uid, apiVersion: 'example.dev/v2' });
      assert.equal(harness.copy.get(uid)?.namespace, '', 'as its pods told');
      return harness;
    };

    it('keeps its key until then from others that are referred to by it', async () => {
      const harness = await openWithRecord('a');
      // Each change is checked against what consumers hold under its key.
      harness.storeOf('Pod').bookmark(harness.version());
      await harness.catalog.settled();
      assert.deepEqual(
        [...harness.byKey.values()]
          .filter(({ kind }) => kind === 'Workload')
          .map(({ uid, namespace }) => [uid, namespace]),
        [
          ['a', 'shop'],
          ['b', ''],
        ],
      );
    });

    it('keeps no other key from them', async () => {
      const harness = await openWithRecord('a');
      harness.put(pod('mine', { controller: referredTo('c') }));
      await harness.catalog.settled();
      assert.deepEqual(harness.copy.get('c')?.namespace, 'shop', 'a record of another API version has the name');
    });
  });
});
