// What consumers hold under which key, while owners that are known through pods alone become known.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { decode, Harness } from './harness.ts';
import { owner, pod } from './records.ts';

const CLUSTER_WIDE = owner('Installation', 'default', { namespace: '', apiVersion: 'operator.example.com/v1' });

async function open(...records: KubernetesRecord[]): Promise<Harness> {
  const harness = new Harness({ isWatchedKind: (_, kind) => kind !== 'Installation' });
  await harness.catalog.open();
  harness.put(...records);
  harness.batches.length = 0;
  return harness;
}

function podIn(namespace: string, name: string, apiVersion = 'operator.example.com/v1') {
  const controller = { apiVersion, kind: 'Installation', name: 'default', uid: CLUSTER_WIDE.uid };
  return pod(name, { namespace, uid: `uid-${namespace}-${name}`, controller });
}

const workloads = (harness: Harness) => [...harness.byKey.keys()].filter((key) => key.startsWith('Workload')).sort();

describe('the key under which consumers hold a workload', () => {
  it('14.1: changes by a removal and a creation when the record of a cluster-scoped owner comes after its pods', async () => {
    const harness = await open(podIn('shop', 'a'));
    assert.deepEqual(workloads(harness), ['Workload operator.example.com/v1 Installation shop/default']);
    harness.put(CLUSTER_WIDE);
    assert.deepEqual(harness.told(), ['+ Workload default', '- Workload default', '~ Pod a']);
    assert.deepEqual(workloads(harness), ['Workload operator.example.com/v1 Installation /default']);
  });

  it('14.1: is cluster-scoped as soon as two namespaces share the owner, in either order, and replicas are equal', async () => {
    const one = await open(podIn('shop', 'a'), podIn('bank', 'b'));
    const other = await open(podIn('bank', 'b'), podIn('shop', 'a'));
    assert.deepEqual(workloads(one), ['Workload operator.example.com/v1 Installation /default']);
    assert.deepEqual(new Map([...one.byKey].sort()), new Map([...other.byKey].sort()));
    assert.equal(
      (decode(one.catalog.pod('shop', 'a') ?? assert.fail())['workload'] as { namespace?: string }).namespace,
      undefined,
    );
    one.remove(podIn('bank', 'b'));
    assert.deepEqual(workloads(one), ['Workload operator.example.com/v1 Installation shop/default']);
  });

  it('14.1: has the first API version when references say two, in either order', async () => {
    const old = podIn('shop', 'a', 'operator.example.com/v1beta1');
    for (const pods of [
      [old, podIn('shop', 'b')],
      [podIn('shop', 'b'), old],
    ]) {
      const harness = await open(...pods);
      assert.deepEqual(workloads(harness), ['Workload operator.example.com/v1 Installation shop/default']);
      assert.equal(harness.catalog.pod('shop', 'a')?.workload.apiVersion, 'operator.example.com/v1');
      harness.remove(podIn('shop', 'b'));
      assert.deepEqual(workloads(harness), ['Workload operator.example.com/v1beta1 Installation shop/default']);
    }
  });

  it('14.1: is free before an owner that was made anew under the name takes it', async () => {
    const again = {
      ...podIn('shop', 'a'),
      controller: { ...(podIn('shop', 'a').controller ?? assert.fail()), uid: 'uid-again' },
    };
    const harness = await open(podIn('shop', 'a'));
    harness.put(again);
    assert.equal([...harness.byKey.values()].find(({ kind }) => kind === 'Workload')?.uid, 'uid-again');
    // While pods of both live, and when the first goes.
    const both = await open(podIn('shop', 'b'), again);
    assert.equal(workloads(both).length, 1);
    both.remove(podIn('shop', 'b'));
    assert.equal([...both.byKey.values()].find(({ kind }) => kind === 'Workload')?.uid, 'uid-again');
  });

  it('14.1: is the record’s when a record has it, whatever pods of an owner before it say', async () => {
    const record = { ...CLUSTER_WIDE, uid: 'uid-record', namespace: 'shop' };
    for (const records of [
      [record, podIn('shop', 'a')],
      [podIn('shop', 'a'), record],
    ]) {
      const harness = await open(...records);
      assert.equal(harness.byKey.get('Workload operator.example.com/v1 Installation shop/default')?.uid, 'uid-record');
      harness.remove(record);
      assert.equal(
        harness.byKey.get('Workload operator.example.com/v1 Installation shop/default')?.uid,
        CLUSTER_WIDE.uid,
      );
    }
  });
});
