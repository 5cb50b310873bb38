// What EndpointSlices make of services and pods.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brief, decode, Harness } from './harness.ts';
import { controlledBy, node, owner, pod, service, slice } from './records.ts';

const SET = owner('StatefulSet', 'db');
const DB_0 = pod('db-0', { controller: controlledBy(SET), podIps: ['10.0.0.1'] });
const DB_1 = pod('db-1', { controller: controlledBy(SET), podIps: ['10.0.0.2'] });
const BARE = pod('bare', { podIps: ['10.0.0.3'] });
const DB = service('db');

function services(harness: Harness, name: string): string[] {
  const listed = decode(harness.pod(name))['services'] as { kind: string; name: string; incomplete: boolean }[];
  return (listed ?? []).map(brief);
}

describe('a service', () => {
  it('has the distinct workloads of its pods, and its pods have it', async () => {
    const harness = await Harness.open(SET, DB_0, DB_1, BARE, DB, slice('db-a', 'db', [DB_0, DB_1]));
    assert.deepEqual(harness.service('db').workloads.map(brief), ['StatefulSet db']);
    assert.deepEqual(services(harness, 'db-0'), ['Service db']);
    harness.put(slice('db-a', 'db', [DB_0, BARE]));
    assert.deepEqual(harness.told(), ['~ Pod bare', '~ Pod db-1', '~ Service db']);
    assert.deepEqual(harness.service('db').workloads.map(brief), ['Pod bare', 'StatefulSet db']);
  });

  it('is not touched by one more pod of a workload that it has already', async () => {
    const harness = await Harness.open(SET, DB_0, DB_1, DB, slice('db-a', 'db', [DB_0]));
    harness.put(slice('db-a', 'db', [DB_0, DB_1]));
    assert.deepEqual(harness.told(), ['~ Pod db-1']);
  });

  it('13: has a pod once that two slices name, until neither does', async () => {
    const harness = await Harness.open(SET, DB_0, DB, slice('db-a', 'db', [DB_0]), slice('db-b', 'db', [DB_0]));
    assert.deepEqual(services(harness, 'db-0'), ['Service db']);
    harness.remove(slice('db-a', 'db', []));
    assert.deepEqual(harness.told(), []);
    harness.remove(slice('db-b', 'db', []));
    assert.deepEqual(harness.told(), ['~ Pod db-0', '~ Service db']);
    assert.deepEqual(services(harness, 'db-0'), []);
  });

  it('has a pod that a slice names without a uid', async () => {
    const target = { kind: 'Pod', namespace: '', name: 'bare', uid: '' };
    const harness = await Harness.open(DB, slice('db-a', 'db', [{ addresses: ['10.0.0.3'], target }]));
    harness.put(BARE);
    assert.deepEqual(harness.told(), ['+ Pod bare', '~ Service db']);
    assert.deepEqual(services(harness, 'bare'), ['Service db']);
  });

  it('lists endpoints that are neither pods nor nodes, canonical, sorted and once', async () => {
    const target = { kind: 'Node', namespace: '', name: 'node-a', uid: 'n' };
    const outside = [{ addresses: ['::FFFF:192.0.2.7', 'db.example.com'] }, { addresses: ['192.0.2.7', '192.0.2.10'] }];
    const harness = await Harness.open(
      node('node-a', { addresses: [{ type: 'InternalIP', address: '10.9.9.9' }] }),
      DB,
      slice('db-a', 'db', [...outside, { addresses: ['10.9.9.9'], target }]),
    );
    assert.deepEqual(harness.service('db').manualEndpoints, ['192.0.2.10', '192.0.2.7']);
    harness.put(slice('db-a', 'db', []));
    assert.deepEqual(harness.service('db').manualEndpoints, []);
  });

  it('leaves its pods when it is deleted, and the slices that stay behind say nothing', async () => {
    const harness = await Harness.open(SET, DB_0, DB, slice('db-a', 'db', [DB_0]));
    harness.remove(DB);
    assert.deepEqual(harness.told(), ['- Service db', '~ Pod db-0']);
    harness.put({ ...DB, uid: 'uid-again' });
    assert.deepEqual(harness.told(), ['+ Service db', '~ Pod db-0']);
    assert.deepEqual(harness.service('db').workloads.map(brief), ['StatefulSet db']);
  });

  it('follows the workload of its pods from incomplete to complete', async () => {
    const harness = await Harness.open(DB_0, DB_1, DB, slice('db-a', 'db', [DB_0, DB_1]));
    assert.deepEqual(harness.service('db').workloads.map(brief), ['StatefulSet db?']);
    harness.put(SET);
    assert.deepEqual(harness.told(), ['+ Workload db', '~ Pod db-0', '~ Pod db-1', '~ Service db']);
    assert.deepEqual(harness.service('db').workloads.map(brief), ['StatefulSet db']);
  });
});
