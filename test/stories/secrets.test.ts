// What must not leave the process does not: over no RPC, in no view, in no log. Manifests that kubectl left in
// annotations, values that an operator denies, and values that are larger than any label of use; of containers nothing
// but name, image and ports. That something was left out is said by its key.
//
// Every RPC is asked, by what the server says that it has: one that is added later fails here until it is asked too.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { Message } from '../observers/digger-client.ts';
import { type DiggerProcess, MAX_LOG_LINES } from '../observers/digger-process.ts';
import { exchange, methodsOf } from '../observers/every-rpc.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { Story } from './story.ts';

/** Stands in every value that has to stay. */
const SECRET = 'c0rrect-horse-battery-staple';
const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** No API server takes a label of this size; one that is not ours might. */
const HUGE = SECRET.repeat(Math.ceil(1_000_000 / SECRET.length));
const ANNOTATIONS = {
  [APPLIED]: JSON.stringify({ env: [{ name: 'PASSWORD', value: SECRET }] }),
  'example.com/certificate': SECRET.repeat(50),
  'example.com/denied': SECRET,
  'denied.example.com/any': SECRET,
  // The largest value that is published.
  'example.com/allowed': 'x'.repeat(1_024),
};
const LABELS = { app: 'vault', 'example.com/huge': HUGE, 'example.com/hidden': SECRET };
const OMITTED_LABELS = ['labels/example.com/huge', 'labels/example.com/hidden'];
const OMITTED = [
  ...['annotations/denied.example.com/any', 'annotations/example.com/certificate', 'annotations/example.com/denied'],
  ...[`annotations/${APPLIED}`, ...OMITTED_LABELS],
];
const POLICY = [
  ...['--deny-annotation', 'example.com/denied', '--deny-annotation', 'denied.example.com/*'],
  ...['--deny-label', 'example.com/hidden'],
];

const POD = { namespace: 'shop', name: 'vault-0' };
const SERVICE = { namespace: 'shop', name: 'vault' };
const CONTAINER = 'containerd://c0ffee00c0ffee00c0ffee00';
const WORKLOAD = { namespace: 'shop', name: 'vault', apiGroup: 'apps', kind: 'Deployment' };
const LINK = { namespace: 'shop', name: 'vault-5d9', apiGroup: 'apps', kind: 'ReplicaSet' };
const ADDRESS = '10.244.1.201';
const CLUSTER_IP = '10.96.0.201';
const NODE_ADDRESS = '172.18.0.77';
const ADDRESSES = [ADDRESS, CLUSTER_IP, NODE_ADDRESS];

const VIEWS = ['VIEW_FULL', 'VIEW_BASIC'] as const;

/** Requests that touch the objects, for every RPC that there is. */
const REQUESTS: Readonly<Record<string, readonly Message[]>> = {
  '/digger.v1.LookupService/ResolveAddress': inEachView([
    ...ADDRESSES.map((address) => ({ address })),
    { address: '10.244.1.254', wait: { nanos: 1_000_000 } },
  ]),
  '/digger.v1.LookupService/BatchResolveAddresses': inEachView([
    { queries: [...ADDRESSES, SECRET].map((address) => ({ address })) },
  ]),
  '/digger.v1.LookupService/GetAddressTimeline': ADDRESSES.map((address) => ({ address })),
  '/digger.v1.LookupService/GetPod': inEachView([POD, { namespace: 'shop', name: 'nobody' }]),
  '/digger.v1.LookupService/GetService': inEachView([SERVICE]),
  '/digger.v1.LookupService/GetNode': inEachView([{ name: 'vault-node' }]),
  '/digger.v1.LookupService/GetNamespace': inEachView([{ name: 'vault' }]),
  '/digger.v1.LookupService/ResolveContainer': inEachView([
    { containerId: CONTAINER },
    { containerId: 'ffffffffffff' },
  ]),
  '/digger.v1.LookupService/BatchResolveContainers': inEachView([
    { queries: [CONTAINER, 'ffffffffffff'].map((containerId) => ({ containerId })) },
  ]),
  '/digger.v1.LookupService/GetWorkload': inEachView([WORKLOAD, LINK]),
  '/digger.v1.ChangeFeedService/Watch': [
    ...inEachView([{ snapshotOnly: true }, { snapshotOnly: true, filter: { labels: { app: 'vault' } } }]),
    // A guess at a hidden value is as good as the value where it is confirmed.
    { snapshotOnly: true, filter: { labels: { 'example.com/hidden': SECRET } } },
  ],
  // What is handed over are the entities of answers, as they are encoded; to a replica with other options nothing is.
  '/digger.v1.HistoryService/HandOver': [{}, { epoch: Buffer.alloc(16, 2), clusterUid: 'other' }],
  '/digger.v1.StatusService/GetStatus': [{}],
  '/grpc.health.v1.Health/Check': [{}, { service: 'readiness' }],
  '/grpc.health.v1.Health/List': [{}],
  '/grpc.health.v1.Health/Watch': [{}],
  ...Object.fromEntries(
    ['v1', 'v1alpha'].map((version) => [
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      [
        { listServices: '' },
        { fileContainingSymbol: 'digger.v1.LookupService' },
        { fileByFilename: 'digger/v1/entities.proto' },
      ],
    ]),
  ),
};

describe('values that have to stay', () => {
  let story: Story;
  let digger: DiggerProcess;
  /** Subscribers from before the objects came, in both views. */
  let early: readonly FeedCopy[];
  let raw: Client;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger('--log-level', 'trace', ...POLICY);
    raw = new Client(digger.address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    early = VIEWS.map((view) => new FeedCopy(digger, { view, heartbeatInterval: { seconds: 1 } }));
    for (const copy of early) await copy.untilSynced();
    createObjects(story);
    await eventually('the objects are known', async () => {
      const [held, served] = [await digger.resolve(ADDRESS), await digger.resolve(CLUSTER_IP)];
      return held['workload']?.['name'] === 'vault' && served['workload']?.['name'] === 'vault'
        ? done(undefined)
        : notYet({ held, served });
    });
  });
  after(async () => {
    for (const copy of early ?? []) copy.close();
    raw?.close();
    await story?.end();
  });

  it('are left out of every answer of every RPC that the server has, errors included', async () => {
    const methods = await methodsOf(raw);
    assert.deepEqual([...methods.keys()].toSorted(), Object.keys(REQUESTS).toSorted(), 'every RPC is asked');
    for (const [path, method] of methods) {
      for (const request of REQUESTS[path] ?? []) {
        const answered = await exchange(raw, path, method, request);
        const what = `${path} ${JSON.stringify(request).slice(0, 200)}`;
        assert.ok(answered.length > 0, `${what}: no answer`);
        // The text of an invalid address is quoted to its sender.
        const own = JSON.stringify(request).includes(SECRET) && path.endsWith('BatchResolveAddresses');
        const text = Buffer.concat(answered).toString('latin1');
        assert.equal(text.split(SECRET).length - 1, own ? occurrencesInError(text) : 0, what);
      }
    }
  });

  it('are named by their keys in every full entity, and nothing else of it is missing', async () => {
    const ask = async (method: string, request: Message) => digger.call('LookupService', method, request);
    const batch = (await ask('BatchResolveAddresses', { queries: [{ address: ADDRESS }, { address: CLUSTER_IP }] }))[
      'results'
    ];
    const entities: readonly Message[] = [
      (await digger.resolve(ADDRESS))['pod'],
      (await digger.resolve(ADDRESS))['workload'],
      (await digger.resolve(CLUSTER_IP))['service'],
      batch[0]['resolution']['pod'],
      batch[1]['resolution']['service'],
      (await ask('GetPod', POD))['pod'],
      (await ask('GetService', SERVICE))['service'],
      (await ask('GetWorkload', WORKLOAD))['workload'],
      (await ask('GetWorkload', LINK))['workload'],
    ];
    for (const entity of entities) publishedWithout(entity);
    const node = (await ask('GetNode', { name: 'vault-node' }))['node'];
    assert.deepEqual([...node['omitted']].toSorted(), OMITTED_LABELS.toSorted());
    assert.deepEqual((await ask('GetService', SERVICE))['service']['selector'], { app: 'vault' });
  });

  it('are left out of the feed: of changes, of a snapshot, of what a resume catches up, of removals', async () => {
    const [full] = early;
    assert.ok(full);
    const token = full.resumeToken;
    const late = await story.subscribe(digger);
    for (const subscriber of [full, late]) {
      const found = [...subscriber.entities.values()].filter((entity) => String(entity['name']).startsWith('vault'));
      assert.deepEqual(found.map((entity) => entity['entity'] ?? entity['name']).length, 5, JSON.stringify(found));
      for (const entity of found) if (entity['name'] !== 'vault-node') publishedWithout(entity);
    }
    const { cluster } = story.simulator;
    for (const [resource, name] of [
      ['pods', 'vault-0'],
      ['services', 'vault'],
      ['replicasets.apps', 'vault-5d9'],
      ['deployments.apps', 'vault'],
      ['endpointslices', 'vault-1'],
    ] as const) {
      cluster.delete(resource, 'shop', name);
    }
    cluster.delete('nodes', '', 'vault-node');
    cluster.delete('namespaces', '', 'vault');
    const removed = [
      'removal pod shop/vault-0',
      'removal service shop/vault',
      'removal workload shop/vault',
      'removal node /vault-node',
      'removal namespace /vault',
    ];
    const resumed = new FeedCopy(digger, { resumeToken: token });
    await resumed.untilSynced();
    for (const subscriber of [...early, late, resumed]) {
      await eventually('the removals are told', () => {
        const told = subscriber.changes.filter((change) => change.startsWith('removal'));
        return removed.every((change) => told.includes(change)) ? done(undefined) : notYet(told);
      });
      assert.ok(!JSON.stringify(subscriber.frames).includes(SECRET));
    }
    late.close();
    resumed.close();
  });

  it('stand neither in the log at its most talkative, nor in the metrics', async () => {
    const lines = digger.log.split('\n');
    assert.ok(
      lines.some((line) => line.includes('"level":"debug"')),
      'it did log at debug',
    );
    assert.ok(lines.length < MAX_LOG_LINES, 'the whole log was kept');
    assert.ok(!digger.log.includes(SECRET));
    assert.ok(!(await digger.metrics()).includes(SECRET));
  });

  it('are all that is missing: the state is the cluster’s, also where such objects are', async () => {
    // The denied ones are gone by now; by default only the manifest and what is large stay.
    await story.assertWholeState(digger);
    createObjects(story);
    await story.assertWholeState(await story.startReadyDigger());
  });
});

/** A pod of a deployment behind a service, on a node of its own, all with the values. */
function createObjects(story: Story): void {
  const { cluster } = story.simulator;
  const metadata = (name: string) => ({ namespace: 'shop', name, annotations: ANNOTATIONS, labels: LABELS });
  const owned = (by: string, kind: string, uid: string | undefined) => ({
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name: by, controller: true, uid: uid ?? '' }],
  });
  const deployment = cluster.create('deployments.apps', { metadata: metadata('vault') });
  const set = cluster.create('replicasets.apps', {
    metadata: { ...metadata('vault-5d9'), ...owned('vault', 'Deployment', deployment.metadata.uid) },
  });
  cluster.create('namespaces', { metadata: { name: 'vault', labels: LABELS, annotations: ANNOTATIONS } });
  cluster.create('nodes', {
    metadata: { name: 'vault-node', labels: LABELS, annotations: ANNOTATIONS },
    status: { addresses: [{ type: 'InternalIP', address: NODE_ADDRESS }] },
  });
  const env = [{ name: 'PASSWORD', value: SECRET }];
  const pod = cluster.create('pods', {
    metadata: { ...metadata('vault-0'), ...owned('vault-5d9', 'ReplicaSet', set.metadata.uid) },
    spec: {
      nodeName: 'worker-1',
      containers: [{ name: 'main', image: 'vault:1', env, args: [SECRET], command: [SECRET] }],
    },
    status: { phase: 'Running', podIP: ADDRESS, podIPs: [{ ip: ADDRESS }], message: SECRET },
  });
  cluster.create('services', {
    metadata: metadata('vault'),
    spec: {
      ...{ type: 'ClusterIP', clusterIP: CLUSTER_IP, clusterIPs: [CLUSTER_IP], ports: [{ port: 80 }] },
      selector: LABELS,
    },
  });
  cluster.create('endpointslices', {
    metadata: {
      namespace: 'shop',
      name: 'vault-1',
      labels: { 'kubernetes.io/service-name': 'vault' },
      annotations: ANNOTATIONS,
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ADDRESS], targetRef: { kind: 'Pod', ...POD, uid: pod.metadata.uid } }],
    ports: [],
  });
}

function inEachView(requests: readonly Message[]): readonly Message[] {
  return VIEWS.flatMap((view) => requests.map((request) => ({ ...request, view })));
}

/** What a batch says of an item that is no address: the message, and once more as the violation. */
function occurrencesInError(text: string): number {
  return text.split(`"${SECRET}" is not an IPv4`).length - 1;
}

function publishedWithout(entity: Message): void {
  const text = JSON.stringify(entity);
  assert.ok(!text.includes(SECRET), text.slice(0, 1_000));
  const omitted = [...entity['omitted']].filter((key) => !key.startsWith('selector/'));
  assert.deepEqual(omitted.toSorted(), OMITTED.toSorted());
  assert.deepEqual(Object.keys(entity['annotations']), ['example.com/allowed']);
  assert.deepEqual(entity['labels'], { app: 'vault' });
}
