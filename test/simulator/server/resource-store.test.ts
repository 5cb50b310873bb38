// The simulator's storage against the simplest model there is: a copy of everything after every write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Cluster } from '../../../src/simulator/server/cluster.ts';
import type { KubernetesObject } from '../../../src/simulator/server/stored-objects.ts';
import { createRandom } from './fixture.ts';

const MAX_HISTORY_EVENTS = 8;

test('any past that the history reaches is rebuilt exactly, and nothing older is made up', () => {
  const write = fc.record({
    verb: fc.constantFrom('put', 'delete', 'compact'),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const cluster = createCluster();
      const store = cluster.store('pods');
      const past = new Map<bigint, string>();
      const remember = (): void => {
        past.set(cluster.resourceVersion, JSON.stringify(store.list()));
      };
      remember();
      let compactedAt = cluster.resourceVersion;
      for (const { verb, name, value } of writes) {
        const exists = cluster.get('pods', 'default', name) !== undefined;
        if (verb === 'compact') {
          cluster.compact('pods');
          compactedAt = cluster.resourceVersion;
        } else if (verb === 'put') {
          const object = { metadata: { namespace: 'default', name }, spec: { value } };
          createOrUpdate(cluster, object);
        } else if (exists) {
          cluster.delete('pods', 'default', name);
        }
        remember();
        assert.ok(store.historyEvents < 2 * MAX_HISTORY_EVENTS, `${store.historyEvents} events kept`);
        for (const [version, expected] of past) {
          const rebuilt = store.listAt(version);
          const events = store.eventsSince(version);
          if (version < store.historyBegin) {
            assert.equal(rebuilt, undefined);
            assert.equal(events, undefined);
          } else {
            assert.equal(JSON.stringify(rebuilt), expected);
            assert.ok(events?.every((event) => event.resourceVersion > version));
          }
        }
        assert.ok(store.historyBegin >= compactedAt);
      }
    }),
    { numRuns: 200 },
  );
});

test('events since a version lead from its state to the present one', () => {
  const cluster = createCluster();
  const put = (name: string, value: number): void => {
    const object = { metadata: { namespace: 'default', name }, spec: { value } };
    createOrUpdate(cluster, object);
  };
  put('a', 1);
  const version = cluster.resourceVersion;
  put('b', 1);
  put('a', 2);
  cluster.delete('pods', 'default', 'b');
  const events = cluster.store('pods').eventsSince(version) ?? [];
  assert.deepEqual(
    events.map(({ type, key }) => `${type} ${key}`),
    ['ADDED /default/b', 'MODIFIED /default/a', 'DELETED /default/b'],
  );
});

test('a write that changes nothing makes no event and takes no version', () => {
  const cluster = createCluster();
  const created = cluster.create('pods', { metadata: { namespace: 'default', name: 'a' }, spec: { value: 1 } });
  const version = cluster.resourceVersion;
  assert.equal(cluster.update('pods', { metadata: { namespace: 'default', name: 'a' }, spec: { value: 1 } }), created);
  assert.equal(cluster.resourceVersion, version);
});

test('the same name after a deletion has another uid', () => {
  const cluster = createCluster();
  const first = cluster.create('pods', { metadata: { namespace: 'default', name: 'a' } });
  cluster.delete('pods', 'default', 'a');
  const second = cluster.create('pods', { metadata: { namespace: 'default', name: 'a' } });
  assert.notEqual(first.metadata.uid, second.metadata.uid);
});

function createOrUpdate(cluster: Cluster, object: KubernetesObject): void {
  if (cluster.get('pods', object.metadata.namespace, object.metadata.name) === undefined) {
    cluster.create('pods', object);
  } else {
    cluster.update('pods', object);
  }
}

function createCluster(): Cluster {
  return new Cluster({
    random: createRandom(1),
    now: () => 0,
    maxHistoryEvents: MAX_HISTORY_EVENTS,
    firstResourceVersion: 100n,
  });
}
