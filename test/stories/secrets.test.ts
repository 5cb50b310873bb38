// What must not leave the process does not, over no RPC, in no view, in no log: manifests that kubectl left in
// annotations, and values that are larger than any label of use. That something was left out is said by its key.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import type { FeedCopy } from '../observers/feed-copy.ts';
import { Story } from './story.ts';

/** Stands in every value that has to stay. */
const SECRET = 'c0rrect-horse-battery-staple';
const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const ANNOTATIONS = {
  [APPLIED]: JSON.stringify({ env: [{ name: 'PASSWORD', value: SECRET }] }),
  'example.com/certificate': SECRET.repeat(50),
  'example.com/denied': SECRET,
  // The largest value that is published.
  'example.com/allowed': 'x'.repeat(1_024),
};
const OMITTED = [`annotations/${APPLIED}`, 'annotations/example.com/certificate', 'annotations/example.com/denied'];
const ADDRESS = '10.244.1.201';
const CLUSTER_IP = '10.96.0.201';

describe('values that have to stay', () => {
  let story: Story;
  let digger: DiggerProcess;
  let early: FeedCopy;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger('--deny-annotation', 'example.com/denied');
    early = await story.subscribe(digger);
    const metadata = (name: string) => ({ namespace: 'shop', name, annotations: ANNOTATIONS });
    const { cluster } = story.simulator;
    const deployment = cluster.create('deployments.apps', { metadata: metadata('vault') });
    const controller = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'vault', controller: true };
    const ownerReferences = [{ ...controller, uid: deployment.metadata.uid ?? '' }];
    const pod = cluster.create('pods', {
      metadata: { ...metadata('vault-0'), ownerReferences },
      spec: {
        nodeName: 'worker-1',
        containers: [{ name: 'main', image: 'vault:1', env: [{ name: 'PASSWORD', value: SECRET }], args: [SECRET] }],
      },
      status: { phase: 'Running', podIP: ADDRESS, podIPs: [{ ip: ADDRESS }] },
    });
    cluster.create('services', {
      metadata: metadata('vault'),
      spec: { type: 'ClusterIP', clusterIP: CLUSTER_IP, clusterIPs: [CLUSTER_IP], ports: [{ port: 80 }] },
    });
    cluster.create('endpointslices', {
      metadata: { namespace: 'shop', name: 'vault-1', labels: { 'kubernetes.io/service-name': 'vault' } },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: [ADDRESS],
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'vault-0', uid: pod.metadata.uid },
        },
      ],
      ports: [],
    });
    await eventually('the objects are known', async () => {
      const [held, served] = [await digger.resolve(ADDRESS), await digger.resolve(CLUSTER_IP)];
      return held['workload']?.['name'] === 'vault' && served['workload']?.['name'] === 'vault'
        ? done(undefined)
        : notYet({ held, served });
    });
  });
  after(async () => {
    early?.close();
    await story?.end();
  });

  it('are left out of every answer, which says what was left out', async () => {
    const ask = async (method: string, request: Message) => digger.call('LookupService', method, request);
    const named = { namespace: 'shop', name: 'vault' };
    const batch = (await ask('BatchResolveAddresses', { queries: [{ address: ADDRESS }, { address: CLUSTER_IP }] }))[
      'results'
    ];
    const entities: readonly Message[] = [
      (await digger.resolve(ADDRESS))['pod'],
      (await digger.resolve(ADDRESS))['workload'],
      (await digger.resolve(CLUSTER_IP))['service'],
      batch[0]['resolution']['pod'],
      batch[1]['resolution']['service'],
      (await ask('GetPod', { namespace: 'shop', name: 'vault-0' }))['pod'],
      (await ask('GetService', named))['service'],
      (await ask('GetWorkload', { ...named, apiGroup: 'apps', kind: 'Deployment' }))['workload'],
    ];
    for (const entity of entities) publishedWithout(entity);
  });

  it('are left out of the feed, of its changes as of its snapshot', async () => {
    const late = await story.subscribe(digger);
    for (const subscriber of [early, late]) {
      const found = [...subscriber.entities.values()].filter((entity) => String(entity['name']).startsWith('vault'));
      assert.equal(found.length, 3, JSON.stringify(found));
      for (const entity of found) publishedWithout(entity);
      assert.ok(!JSON.stringify(subscriber.frames).includes(SECRET));
    }
    late.close();
  });

  it('stand neither in the log, nor in the metrics, nor in GetStatus', async () => {
    assert.ok(!digger.log.includes(SECRET));
    assert.ok(!(await digger.metrics()).includes(SECRET));
    assert.ok(!JSON.stringify(await digger.call('StatusService', 'GetStatus')).includes(SECRET));
  });
});

function publishedWithout(entity: Message): void {
  const text = JSON.stringify(entity);
  assert.ok(!text.includes(SECRET), text);
  assert.deepEqual([...entity['omitted']].toSorted(), OMITTED.toSorted(), text);
  assert.deepEqual(Object.keys(entity['annotations']), ['example.com/allowed']);
}
