// When the API server is gone, and when only the way to it is.
//
// A killed API server: digger goes on answering and says how stale it is; afterwards what changed meanwhile appears,
// deletes included, and nothing else moves. A cut connection: the watches go on where they were; the API server's own
// request counters show that no list was requested.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiClient, KubeObject } from './api-client.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { expectedEntities } from '../observers/expected-entities.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { Scene } from './scene.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { barePod, createPod, object, scaled, service, WORLD_NAMESPACE } from './world.ts';

/** What digger watches, as the API server's metrics call it. */
const RESOURCES = [
  'pods',
  'services',
  'nodes',
  'replicationcontrollers',
  'endpointslices.discovery.k8s.io',
  'servicecidrs.networking.k8s.io',
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
];

describe('a killed API server', () => {
  let scene: Scene;
  let digger: DiggerProcess;
  let copy: FeedCopy;
  const held = new Map<string, string>();

  before(async () => {
    scene = await Scene.set({ controllers: false });
    await arrange(scene, ['stays', 'leaves', 'changes']);
    digger = await scene.startDigger();
    await digger.untilReady();
    await assertWholeState(digger, scene.readLists);
    for (const pod of (await scene.readLists()).pods) held.set(pod.metadata?.name ?? '', pod.status?.podIP ?? '');
    copy = new FeedCopy(digger);
    await copy.untilSynced();
    await scene.kubelet.stop();
  });
  after(async () => {
    copy?.close();
    await scene?.strike();
  });

  it('does not keep digger from answering, and every answer says how stale it is', async () => {
    assert.equal((await digger.resolve(ipOf('stays')))['staleness'] ?? undefined, undefined, 'fresh before the outage');
    await scene.plane.killApiServer();
    const first = await eventually('the answer is marked as stale', async () => {
      const resolution = await digger.resolve(ipOf('stays'));
      return resolution['staleness'] ? done(resolution) : notYet(resolution);
    });
    assert.equal(first['pod']['name'], 'stays');
    const older = await eventually('the staleness grows', async () => {
      const resolution = await digger.resolve(ipOf('stays'));
      return milliseconds(resolution['staleness']) > milliseconds(first['staleness'])
        ? done(resolution)
        : notYet(resolution);
    });
    assert.equal(older['pod']['name'], 'stays');
    const got = await digger.call('LookupService', 'GetPod', { namespace: WORLD_NAMESPACE, name: 'stays' });
    assert.ok(got['staleness'], 'objects by name say so too');
    const status = await digger.call('StatusService', 'GetStatus');
    assert.equal(status['ready'], true, 'stale answers beat none');
    assert.ok(status['staleness'], JSON.stringify(status));
  });

  it('ends in a picture with everything that changed meanwhile, deletes included', async () => {
    // Another API server of the same cluster, which digger does not know, plays the rest of the world.
    const second = await scene.plane.startSecondApiServer();
    try {
      await createPod(second.client, barePod('arrives', { nodeName: 'node-c' }));
      scene.kubelet.talkTo(second.client);
      await scene.kubelet.settle();
      await removePod(second.client, 'leaves');
      await second.client.patch(barePod('changes', {}), { metadata: { labels: { 'example.dev/changed': 'yes' } } });
      await second.client.delete(service('gone', {}));
    } finally {
      await second.stop();
    }
    assert.deepEqual(copy.changesAfterSnapshot, [], 'nothing was said while nothing could be known');

    await scene.plane.startApiServer();
    await eventually('the answers are fresh again', async () => {
      const resolution = await digger.resolve(ipOf('stays'));
      return resolution['staleness'] ? notYet(resolution['staleness']) : done(undefined);
    });
    await assertWholeState(digger, scene.readLists);
    assert.notEqual((await digger.resolve(ipOf('leaves')))['pod']?.['name'], 'leaves');
  });

  it('causes no change for objects that did not change', async () => {
    const wanted = [
      'removal pod shop/leaves',
      'removal service shop/gone',
      'upsert pod shop/arrives',
      'upsert pod shop/changes',
    ];
    await eventually('the feed has told it', () => {
      const told = [...new Set(copy.changesAfterSnapshot)].toSorted();
      return told.join() === wanted.join() ? done(undefined) : notYet(copy.changesAfterSnapshot);
    });
    assert.equal(copy.changesAfterSnapshot.length, wanted.length, copy.changesAfterSnapshot.join('\n'));
    assert.equal(copy.resets, 1, 'the subscriber never had to start over');
    assert.deepEqual(copy.entities, expectedEntities(await scene.readLists()));
  });

  function ipOf(name: string): string {
    const address = held.get(name);
    assert.ok(address, `${name} had an address`);
    return address;
  }
});

for (const [how, streamed, verb] of [
  ['that streams the initial list', true, 'STREAM'],
  ['that cannot stream it', false, 'LIST'],
] as const) {
  describe(`a connection that is cut on the way to an API server ${how}`, () => {
    let scene: Scene;
    let proxy: TcpProxy;
    let digger: DiggerProcess;
    let copy: FeedCopy;

    before(async () => {
      scene = await Scene.set({ controllers: false, proxied: true, featureGates: { WatchList: streamed } });
      assert.ok(scene.proxy);
      proxy = scene.proxy;
      await arrange(scene, ['stays', 'leaves']);
      digger = await scene.startDigger();
      await digger.untilReady();
      await assertWholeState(digger, scene.readLists);
      copy = new FeedCopy(digger);
      await copy.untilSynced();
      // From here on no client but digger may list anything.
      await scene.kubelet.stop();
    });
    after(async () => {
      copy?.close();
      await scene?.strike();
    });

    for (const round of ['once', 'again']) {
      it(`is resumed without a list, and nothing is missed (${round})`, async () => {
        const client = scene.plane.client;
        const before = await scene.plane.requestTotals();
        const started = (await digger.call('StatusService', 'GetStatus'))['resources'] as Message[];
        const lists = new Map(started.map((resource) => [resource['resource'] as string, resource['lists'] as string]));
        const accepted = proxy.accepted;
        // Down for as long as it takes to write, so that the changes fall into the gap.
        proxy.refuse();
        assert.ok(proxy.cut() > 0, 'digger had a connection through the proxy');
        await createPod(client, barePod(`arrives-${round}`, {}));
        if (round === 'once') await removePod(client, 'leaves');
        proxy.pass();

        await eventually('digger has caught up', async () => {
          const names = [...copy.entities.values()].map((entity) => entity['name'] as string);
          return names.includes(`arrives-${round}`) && !names.includes('leaves') ? done(undefined) : notYet(names);
        });
        await eventually('every watch is back', async () => {
          const { resources } = await digger.call('StatusService', 'GetStatus');
          const away = (resources as Message[]).filter((resource) => resource['state'] !== 'WATCH_STATE_WATCHING');
          return away.length === 0 ? done(undefined) : notYet(away);
        });
        assert.ok(proxy.accepted > accepted, 'it came back through the proxy');

        const totals = await scene.plane.requestTotals();
        for (const resource of RESOURCES) {
          const more = (verb: string) =>
            (totals.get(`${verb} ${resource}`) ?? 0) - (before.get(`${verb} ${resource}`) ?? 0);
          // The list is of one object: whether the server has reached the version from which the watch goes on.
          assert.deepEqual({ lists: more('LIST'), streams: more('STREAM') }, { lists: 1, streams: 0 }, resource);
          // The counters do move when a client reads a resource from the beginning.
          assert.ok((before.get(`${verb} ${resource}`) ?? 0) > 0, `${verb} ${resource} of the start was counted`);
        }
        const { resources } = await digger.call('StatusService', 'GetStatus');
        for (const resource of resources as Message[])
          assert.equal(resource['lists'], lists.get(resource['resource']), JSON.stringify(resource));
        await assertWholeState(digger, scene.readLists);
      });
    }

    it('told subscribers what changed and nothing else', () => {
      // Deleting a bound pod is two writes, of which the first may be seen: its deletionTimestamp.
      const told = new Set(copy.changesAfterSnapshot.filter((change) => change !== 'upsert pod shop/leaves'));
      assert.deepEqual([...told].toSorted(), [
        'removal pod shop/leaves',
        'upsert pod shop/arrives-again',
        'upsert pod shop/arrives-once',
      ]);
      assert.equal(copy.resets, 1);
    });
  });
}

/** Running pods with these names, a Deployment and two services; no controllers are there to add anything. */
async function arrange(scene: Scene, pods: readonly string[]): Promise<void> {
  const client = scene.plane.client;
  await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
  await client.apply(object('v1', 'ServiceAccount', 'default'));
  await client.apply(object('apps/v1', 'Deployment', 'web', scaled('web', 2)));
  await client.apply(service('stays', { ports: [{ port: 80 }] }));
  await client.apply(service('gone', { ports: [{ port: 80 }] }));
  for (const name of pods) await createPod(client, barePod(name, {}));
  await eventually('the pods run', async () => {
    const phases = (await scene.readLists()).pods.map((pod) => pod.status?.phase);
    return phases.length === pods.length && phases.every((phase) => phase === 'Running')
      ? done(undefined)
      : notYet(phases);
  });
}

/** As a kubelet that has ended the pod. */
async function removePod(client: ApiClient, name: string): Promise<void> {
  const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: WORLD_NAMESPACE } };
  assert.ok(await client.delete(pod, { graceSeconds: 0 }), `${name} was there to delete`);
}

function milliseconds(duration: Message): number {
  return Number(duration['seconds'] ?? 0) * 1_000 + Number(duration['nanos'] ?? 0) / 1e6;
}
