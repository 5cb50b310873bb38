// Zone and region reach the pods of a node, cost its pods alone, and go with it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { ChangeBatch } from '../../src/model/changes.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { messageType } from '../../src/wire/schema.ts';
import { DEFAULT_VALUE_POLICY } from '../../src/wire/value-policy.ts';
import { storesOf } from './harness.ts';
import { node, pod } from './records.ts';

const SEEN = { atMs: 0 };
const at = (zone: string) => ({
  labels: { 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': `${zone}-region` },
});

const PodMessage = messageType('digger.v1.Pod');

async function opened(options: Partial<ConstructorParameters<typeof Catalog>[0]> = {}) {
  const catalog = new Catalog({ registry: new Registry(), ...options });
  const stores = storesOf(catalog);
  const batches: ChangeBatch[] = [];
  catalog.onBatch((batch) => batches.push(batch));
  await catalog.open();
  const changed = (): string[] => {
    const names = batches.flatMap(({ changes }) => changes.map(({ after, before }) => (after ?? before)?.name ?? ''));
    batches.length = 0;
    return names;
  };
  const placeOf = (name: string): string => {
    const entity = catalog.pod('shop', name);
    assert.ok(entity !== undefined, name);
    const { zone, region } = PodMessage.toObject(PodMessage.decode(encodedBytes(entity, 'BASIC')));
    return [zone, region].filter(Boolean).join(' ');
  };
  return { catalog, stores, changed, placeOf };
}

describe('the place of a pod', () => {
  it('is its node’s, whichever came first', async () => {
    const { stores, placeOf } = await opened();
    stores.Pod.upsert(pod('early', { nodeName: 'n0' }), '1', SEEN);
    assert.equal(placeOf('early'), '');
    stores.Node.upsert(node('n0', at('a')), '2', SEEN);
    stores.Pod.upsert(pod('late', { nodeName: 'n0' }), '3', SEEN);
    assert.deepEqual([placeOf('early'), placeOf('late')], ['a a-region', 'a a-region']);
  });

  it('follows the node: a change of zone is one change of the node and one of each of its pods, and of no other', async () => {
    const { catalog, stores, changed, placeOf } = await opened();
    for (const name of ['n0', 'n1']) stores.Node.upsert(node(name, at('a')), '1', SEEN);
    for (let index = 0; index < 50; index += 1) {
      stores.Pod.upsert(pod(`p${index}`, { nodeName: index < 3 ? 'n0' : 'n1' }), '2', SEEN);
    }
    changed();
    const { joins } = catalog.steps;
    stores.Node.upsert(node('n0', at('b')), '3', SEEN);
    assert.deepEqual(changed().toSorted(), ['n0', 'p0', 'p1', 'p2']);
    assert.equal(catalog.steps.joins - joins, 4);
    assert.deepEqual([placeOf('p0'), placeOf('p3')], ['b b-region', 'a a-region']);
    // What pods do not tell of it is none of their changes.
    stores.Node.upsert(node('n0', { ...at('b'), podCidrs: ['10.0.0.0/24'] }), '4', SEEN);
    assert.deepEqual(changed(), ['n0']);
  });

  it('goes with the node, and comes back with its successor', async () => {
    const { stores, placeOf } = await opened();
    const first = node('n0', { ...at('a'), uid: 'first' });
    stores.Node.upsert(first, '1', SEEN);
    stores.Pod.upsert(pod('p', { nodeName: 'n0' }), '2', SEEN);
    stores.Node.remove(first, '3', SEEN);
    assert.equal(placeOf('p'), '');
    stores.Node.upsert(node('n0', { ...at('b'), uid: 'second' }), '4', SEEN);
    assert.equal(placeOf('p'), 'b b-region');
  });

  it('is there once the pod is scheduled', async () => {
    const { stores, placeOf, changed } = await opened();
    stores.Node.upsert(node('n0', at('a')), '1', SEEN);
    stores.Pod.upsert(pod('p', { nodeName: '' }), '2', SEEN);
    stores.Pod.upsert(pod('p', { nodeName: 'n0' }), '3', SEEN);
    assert.equal(placeOf('p'), 'a a-region');
    stores.Pod.remove(pod('p', { nodeName: 'n0' }), '4', SEEN);
    changed();
    stores.Node.upsert(node('n0', at('b')), '5', SEEN);
    assert.deepEqual(changed(), ['n0']);
  });

  it('is left out with the label when the configuration denies that', async () => {
    const deniedLabels = new Set(['topology.kubernetes.io/zone']);
    const { stores, placeOf } = await opened({ valuePolicy: { ...DEFAULT_VALUE_POLICY, deniedLabels } });
    stores.Node.upsert(node('n0', at('a')), '1', SEEN);
    stores.Pod.upsert(pod('p', { nodeName: 'n0' }), '2', SEEN);
    assert.equal(placeOf('p'), 'a-region');
  });

  it('of ten thousand pods of one node changes in slices', async () => {
    const { catalog, stores, changed, placeOf } = await opened();
    stores.Node.upsert(node('n0', at('a')), '1', SEEN);
    for (let index = 0; index < 10_000; index += 1) stores.Pod.upsert(pod(`p${index}`, { nodeName: 'n0' }), '2', SEEN);
    changed();
    stores.Node.upsert(node('n0', at('b')), '3', SEEN);
    assert.ok(changed().length <= 128);
    await catalog.settled();
    assert.equal(placeOf('p9999'), 'b b-region');
  });

  it('is one text for all pods of a node', async () => {
    const { catalog, stores } = await opened();
    stores.Node.upsert(node('n0', at('a')), '1', SEEN);
    for (const name of ['p', 'q']) stores.Pod.upsert(pod(name, { nodeName: 'n0' }), '2', SEEN);
    assert.ok((catalog.pod('shop', 'p')?.place ?? '').length > 0);
    assert.equal(catalog.pod('shop', 'p')?.place, catalog.pod('shop', 'q')?.place);
  });
});
