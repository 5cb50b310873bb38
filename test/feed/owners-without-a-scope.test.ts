// Owners of which only references tell, until their record comes: what tells of them does not say whether they have a
// namespace. Consumers hold them by key, so that another key is a removal and a creation.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import { Pacer } from '../../src/catalog/pacer.ts';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { FilterCriteria } from '../../src/feed/log/filter.ts';
import type { KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { owner, pod } from '../catalog/records.ts';
import { everything } from './cluster.ts';
import { Consumer } from './consumer.ts';
import { ManualScheduler } from './manual-scheduler.ts';

const API_VERSION = 'operator.tigera.io/v1';
const CONTROLLER = { apiVersion: API_VERSION, kind: 'Installation', name: 'default', uid: 'uid-default' };
const RECORD = owner('Installation', 'default', { apiVersion: API_VERSION, namespace: '', uid: 'uid-default' });
const OF_SHOP = `workload|${API_VERSION}|Installation|shop|default uid-default`;
const OF_CLUSTER = `workload|${API_VERSION}|Installation||default uid-default`;

/** A catalog and a feed that are open, with nothing in them. */
function open() {
  const registry = new Registry();
  const scheduler = new ManualScheduler();
  const pacer = new Pacer({ nowMs: () => 0, turn: () => Promise.reject(new Error('there is time')), budgetMs: 1 });
  const catalog = new Catalog({ registry, pacer, isWatchedKind: (_, kind) => kind !== 'Installation' });
  const epoch = Buffer.alloc(16, 1);
  const feed = new ChangeFeed({ epoch, configuration: '', freshness: () => [], registry, scheduler });
  catalog.onBatch(feed.onBatch);
  const installations = catalog.owners('installations.operator.tigera.io');
  const pods = catalog.store('Pod', 'pods');
  const stores = [pods, catalog.store('Service', 'services'), installations];
  for (const store of stores) void store.beginReplace().commit('1', { atMs: 0 });
  void catalog.open();
  let version = 1;
  const upsert = (store: (typeof stores)[number], record: KubernetesRecord): void => {
    store.upsert(record as never, String(++version), { atMs: 0 });
    scheduler.advance(1);
  };
  const follow = (filter: Partial<FilterCriteria> = {}): Consumer => {
    const consumer = new Consumer();
    feed.open(
      {
        filter: everything({ kinds: ['Workload'], ...filter }),
        view: 'FULL',
        resumeToken: consumer.token,
        snapshotOnly: false,
        heartbeatMs: 10_000,
      },
      {
        write: (frame, taken) => {
          consumer.apply(frame.message);
          scheduler.soon(taken);
        },
        end: () => undefined,
      },
    );
    scheduler.settle();
    return consumer;
  };
  return {
    follow,
    pod: (name: string, namespace: string, apiVersion = API_VERSION) =>
      upsert(pods, pod(name, { namespace, uid: `uid-${name}`, controller: { ...CONTROLLER, apiVersion } })),
    record: () => upsert(installations, RECORD),
  };
}

describe('14.1 an owner of which references do not tell the namespace', () => {
  it('is held once when its record says that it has none', () => {
    const cluster = open();
    const consumer = cluster.follow();
    cluster.pod('web-0', 'shop');
    assert.deepEqual(consumer.held, [OF_SHOP]);
    cluster.record();
    assert.deepEqual(consumer.held, [OF_CLUSTER]);
    assert.deepEqual(cluster.follow().held, [OF_CLUSTER]);
  });

  it('leaves a filter by namespace with a removal', () => {
    const cluster = open();
    const consumer = cluster.follow({ namespaces: ['shop'] });
    cluster.pod('web-0', 'shop');
    assert.deepEqual(consumer.held, [OF_SHOP]);
    cluster.record();
    assert.deepEqual(consumer.held, []);
  });

  it('is held once when pods of two namespaces refer to it, whichever comes first', () => {
    const held = [
      ['shop', 'mall'],
      ['mall', 'shop'],
    ].map((namespaces) => {
      const cluster = open();
      const consumer = cluster.follow();
      for (const [index, namespace] of namespaces.entries()) cluster.pod(`web-${index}`, namespace);
      assert.deepEqual(consumer.held, cluster.follow().held);
      return consumer.held;
    });
    assert.deepEqual(held, [[OF_CLUSTER], [OF_CLUSTER]]);
  });

  it('is held once when pods refer to it in two API versions, whichever comes first', () => {
    const held = [
      ['v1', 'v1beta1'],
      ['v1beta1', 'v1'],
    ].map((versions) => {
      const cluster = open();
      const consumer = cluster.follow();
      for (const [index, version] of versions.entries()) {
        cluster.pod(`web-${index}`, 'shop', `operator.tigera.io/${version}`);
      }
      assert.deepEqual(consumer.held, cluster.follow().held);
      return consumer.held;
    });
    assert.deepEqual(held, [[OF_SHOP], [OF_SHOP]]);
  });
});
