// Every lookup over a real connection, against a small picture.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import {
  type FakePicture,
  fakeNode,
  fakePod,
  fakeReference,
  fakeService,
  fakeWorkload,
  holder,
  resolved,
  START_MS,
} from '../fake-picture.ts';
import { decodeDetails, eventually, type Json, serve, type Serving } from '../serving.ts';

const WEB = fakeReference('web');
const API = fakeReference('api');

describe('a lookup', () => {
  let serving: Serving;
  let picture: FakePicture;
  before(async () => {
    serving = await serve({ nowMs: () => START_MS + 60_000 });
    picture = serving.picture;
  });
  after(() => serving.stop());
  beforeEach(() => {
    picture.answers.clear();
    picture.found.clear();
    picture.questions.length = 0;
    picture.stalenessMs = undefined;
    picture.maxWaiters = 10;
  });

  const resolve = async (request: Json): Promise<Json> =>
    (await serving.client.call('ResolveAddress', request))['resolution'] as Json;

  it('says what it resolved in the words of OpenTelemetry, to callers that ask for it', async () => {
    const pod = { ...fakePod('web-0', WEB), nodeName: 'node-1' };
    picture.cluster = { name: 'prod', uid: '' };
    picture.setAnswer('10.0.0.1', resolved(holder(pod, 'POD_IP')));
    picture.setEntity(pod);
    picture.setEntity(fakeNode('node-1'));
    assert.equal((await resolve({ address: '10.0.0.1' }))['otelAttributes'], undefined);
    const attributesOf = (answer: Json): Record<string, unknown> =>
      Object.fromEntries(
        (answer['otelAttributes'] as { key: string; value: { stringValue: string } }[]).map(({ key, value }) => [
          key,
          value.stringValue,
        ]),
      );
    const otelAttributes = { wellKnownLabels: false };
    const expected = {
      'k8s.cluster.name': 'prod',
      'k8s.namespace.name': 'default',
      'k8s.node.uid': 'uid-node-1',
      'k8s.pod.name': 'web-0',
      'k8s.pod.uid': 'uid-web-0',
      'service.name': 'web-0',
      'service.namespace': 'default',
    };
    const single = attributesOf(await resolve({ address: '10.0.0.1', view: 'VIEW_BASIC', otelAttributes }));
    delete single['k8s.pod.start_time'];
    assert.deepEqual(single, expected);
    const { results } = await serving.client.call('BatchResolveAddresses', {
      queries: [{ address: '10.0.0.1' }],
      otelAttributes,
    });
    assert.equal(attributesOf((results as [{ resolution: Json }])[0].resolution)['k8s.pod.name'], 'web-0');
    const byName = await serving.client.call('GetPod', { namespace: 'default', name: 'web-0', otelAttributes });
    assert.equal(attributesOf(byName)['k8s.node.uid'], 'uid-node-1');
    picture.setAnswer('10.0.0.2', resolved(holder(fakeNode('node-1'), 'NODE_ADDRESS')));
    assert.deepEqual(attributesOf(await resolve({ address: '10.0.0.2', otelAttributes })), {
      'k8s.cluster.name': 'prod',
      'k8s.node.name': 'node-1',
      'k8s.node.uid': 'uid-node-1',
    });
    picture.cluster = { name: '', uid: '' };
  });

  it('says which cluster it is about, in single answers and in batches, as far as that is known', async () => {
    picture.setAnswer('10.0.0.1', { outcome: 'UNASSIGNED', historySinceMs: START_MS });
    for (const cluster of [
      { name: 'prod', uid: '5d0b5d5e-0f0b-4a52-8f55-5f7f9f0f4c11' },
      { name: 'prod', uid: '' },
      { name: '', uid: '' },
    ]) {
      picture.cluster = cluster;
      const told = Object.fromEntries(Object.entries(cluster).filter(([, text]) => text !== ''));
      const expected = Object.keys(told).length === 0 ? undefined : told;
      assert.deepEqual((await resolve({ address: '10.0.0.1' }))['cluster'], expected);
      const batch = await serving.client.call('BatchResolveAddresses', { queries: [{ address: '10.0.0.1' }] });
      const [result = {}] = batch['results'] as Json[];
      assert.deepEqual((result['resolution'] as Json)['cluster'], expected);
    }
  });

  it('names the network of an address that no object holds, and of an endpoint that only a service knows', async () => {
    const network = { name: 'S3', kind: 'aws', zone: '', region: 'eu-west-1' };
    picture.named.set('52.218.1.1', { network, range: '52.218.0.0/17' });
    const told = { name: 'S3', kind: 'aws', region: 'eu-west-1', range: '52.218.0.0/17' };
    for (const outcome of ['EXTERNAL', 'UNKNOWN', 'UNASSIGNED'] as const) {
      picture.setAnswer('52.218.1.1', { outcome, historySinceMs: START_MS });
      const resolution = await resolve({ address: '52.218.1.1' });
      assert.deepEqual(resolution['network'], outcome === 'UNASSIGNED' ? undefined : told, outcome);
    }
    picture.setAnswer('52.218.1.1', resolved(holder(fakeService('bucket', []), 'ENDPOINT')));
    assert.deepEqual((await resolve({ address: '52.218.1.1' }))['network'], told);
    picture.setAnswer('52.218.1.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    assert.equal((await resolve({ address: '52.218.1.1' }))['network'], undefined);
    picture.setAnswer('198.51.100.1', { outcome: 'EXTERNAL', historySinceMs: START_MS });
    assert.equal((await resolve({ address: '198.51.100.1' }))['network'], undefined);
  });

  it('answers a pod with its workload, role, interval and how far back the replica can tell', async () => {
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP', { fromMs: START_MS + 1_250 })));
    const resolution = await resolve({ address: '10.0.0.1' });
    assert.deepEqual(resolution, {
      outcome: 'OUTCOME_RESOLVED',
      pod: {
        uid: 'uid-web-0',
        namespace: 'default',
        name: 'web-0',
        workload: WEB,
        labels: { app: 'web-0' },
      },
      workload: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'default',
        name: 'web',
        uid: 'uid-web',
        labels: { team: 'a' },
      },
      role: 'ADDRESS_ROLE_POD_IP',
      validFrom: { seconds: START_MS / 1000 + 1, nanos: 250_000_000 },
      historySince: { seconds: START_MS / 1000 },
    });
  });

  it('leaves labels out of every entity in VIEW_BASIC', async () => {
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    const resolution = await resolve({ address: '10.0.0.1', view: 'VIEW_BASIC' });
    assert.equal((resolution['pod'] as Json)['name'], 'web-0');
    assert.equal((resolution['pod'] as Json)['labels'], undefined);
    assert.equal((resolution['workload'] as Json)['name'], 'web');
    assert.equal((resolution['workload'] as Json)['labels'], undefined);
  });

  it('asks with the canonical address, the port, the protocol and the moment', async () => {
    await resolve({ address: '::FFFF:10.0.0.1', port: 80, protocol: 'PROTOCOL_UDP', at: { seconds: START_MS / 1000 } });
    assert.deepEqual(picture.questions, [{ address: '10.0.0.1', port: 80, protocol: 'UDP', atMs: START_MS }]);
  });

  it('takes a moment a little ahead of the clock as now', async () => {
    await resolve({ address: '10.0.0.1', at: { seconds: (START_MS + 65_000) / 1000 } });
    assert.deepEqual(picture.questions, [{ address: '10.0.0.1' }]);
  });

  it('names a workload for a service only when all its backends share one', async () => {
    picture.setAnswer('10.96.0.1', resolved(holder(fakeService('web', [WEB]), 'CLUSTER_IP')));
    picture.setAnswer('10.96.0.2', resolved(holder(fakeService('mix', [WEB, API]), 'CLUSTER_IP')));
    assert.equal(((await resolve({ address: '10.96.0.1' }))['workload'] as Json)['name'], 'web');
    const mixed = await resolve({ address: '10.96.0.2' });
    assert.equal((mixed['service'] as Json)['name'], 'mix');
    assert.equal(mixed['workload'], undefined);
  });

  it('answers a node with the pods that could be meant too', async () => {
    const alternative = holder(fakePod('agent', API), 'HOST_NETWORK');
    picture.setAnswer('192.0.2.1', resolved(holder(fakeNode('node-1'), 'NODE_ADDRESS'), [alternative]));
    const resolution = await resolve({ address: '192.0.2.1' });
    assert.equal((resolution['node'] as Json)['name'], 'node-1');
    assert.equal(resolution['workload'], undefined);
    const [candidate] = resolution['candidates'] as readonly [Json];
    assert.equal((candidate['pod'] as Json)['name'], 'agent');
    assert.equal(candidate['role'], 'ADDRESS_ROLE_HOST_NETWORK');
    assert.equal((candidate['workload'] as Json)['name'], 'api');
  });

  it('answers a manual endpoint with its address and its service, and no workload', async () => {
    picture.setAnswer('203.0.113.9', resolved(holder(fakeService('ext', [WEB]), 'ENDPOINT')));
    const resolution = await resolve({ address: '203.0.113.9' });
    assert.deepEqual(resolution['externalEndpoint'], {
      address: '203.0.113.9',
      service: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'ext', uid: 'uid-ext' },
    });
    assert.equal(resolution['workload'], undefined);
  });

  it('lists the candidates of an ambiguous address in order, and the workload when all share it', async () => {
    const candidates = [
      holder(fakePod('web-1', WEB), 'POD_IP', { uncertain: true, toMs: START_MS + 9_000 }),
      holder(fakePod('web-0', WEB), 'POD_IP'),
    ];
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates, historySinceMs: START_MS });
    const same = await resolve({ address: '10.0.0.1' });
    assert.equal(same['outcome'], 'OUTCOME_AMBIGUOUS');
    assert.equal(same['pod'], undefined);
    assert.equal((same['workload'] as Json)['name'], 'web');
    const listed = same['candidates'] as readonly Json[];
    assert.deepEqual(
      listed.map((candidate) => [(candidate['pod'] as Json)['name'], candidate['uncertain'], candidate['validTo']]),
      [
        ['web-1', true, { seconds: START_MS / 1000 + 9 }],
        ['web-0', undefined, undefined],
      ],
    );

    const other = [...candidates, holder(fakePod('api-0', API), 'POD_IP')];
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates: other, historySinceMs: START_MS });
    assert.equal((await resolve({ address: '10.0.0.1' }))['workload'], undefined);
  });

  it('14.2: says of an ambiguous address that it is uncertain when every candidate is', async () => {
    const doubtful = ['web-1', 'web-0'].map((name) => holder(fakePod(name, WEB), 'POD_IP', { uncertain: true }));
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates: doubtful, historySinceMs: START_MS });
    assert.equal((await resolve({ address: '10.0.0.1' }))['uncertain'], true);
    const candidates = [...doubtful, holder(fakePod('web-2', WEB), 'POD_IP')];
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates, historySinceMs: START_MS });
    assert.equal((await resolve({ address: '10.0.0.1' }))['uncertain'], undefined);
  });

  it('names the workload that candidates share only when all of them are listed', async () => {
    const candidates = Array.from({ length: 101 }, (_, i) => holder(fakePod(`web-${i}`, WEB), 'POD_IP'));
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates, historySinceMs: START_MS });
    assert.equal((await resolve({ address: '10.0.0.1' }))['workload'], undefined);
  });

  it('lists at most 100 candidates', async () => {
    const candidates = Array.from({ length: 150 }, (_, index) => holder(fakePod(`web-${index}`, WEB), 'POD_IP'));
    picture.setAnswer('10.0.0.1', { outcome: 'AMBIGUOUS', candidates, historySinceMs: START_MS });
    assert.equal(((await resolve({ address: '10.0.0.1' }))['candidates'] as readonly Json[]).length, 100);
  });

  for (const outcome of ['UNASSIGNED', 'EXTERNAL', 'UNKNOWN'] as const) {
    it(`says ${outcome} with how far back it can tell and how stale the picture is`, async () => {
      picture.setAnswer('10.0.0.1', { outcome, historySinceMs: START_MS });
      picture.stalenessMs = 1_500;
      assert.deepEqual(await resolve({ address: '10.0.0.1' }), {
        outcome: `OUTCOME_${outcome}`,
        historySince: { seconds: START_MS / 1000 },
        staleness: { seconds: 1, nanos: 500_000_000 },
      });
    });
  }

  it('that waits is answered when an object holds the address', async () => {
    const answer = resolve({ address: '10.0.0.1', wait: { seconds: 30 } });
    await eventually(
      () => picture.waiters.size === 1,
      () => `${picture.waiters.size} callers wait`,
    );
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    assert.equal((await answer)['outcome'], 'OUTCOME_RESOLVED');
  });

  it('that waits goes on waiting when the new holder is not the one that was asked for', async () => {
    const answer = resolve({ address: '10.0.0.1', port: 80, wait: { seconds: 30 } });
    const waits = (asked: number) =>
      eventually(
        () => picture.waiters.size === 1 && picture.questions.length === asked,
        () => `${picture.waiters.size} wait, ${picture.questions.length} questions`,
      );
    await waits(1);
    for (const waiter of picture.waiters) waiter.wake();
    await waits(2);
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    assert.equal((await answer)['outcome'], 'OUTCOME_RESOLVED');
  });

  it('that waits answers without a holder when its time is over', async () => {
    assert.equal(
      (await resolve({ address: '10.0.0.1', wait: { nanos: 20_000_000 } }))['outcome'],
      'OUTCOME_UNASSIGNED',
    );
    assert.equal(picture.waiters.size, 0);
  });

  it('that waits leaves nothing behind when its caller gives up', async () => {
    const failure = await serving.client.failure(
      'ResolveAddress',
      { address: '10.0.0.1', wait: { seconds: 30 } },
      { deadline: Date.now() + 50 },
    );
    assert.equal(failure.code, 'DEADLINE_EXCEEDED');
    await eventually(
      () => picture.waiters.size === 0,
      () => `${picture.waiters.size} callers wait`,
    );
  });

  it('does not wait when too many callers wait already', async () => {
    picture.maxWaiters = 0;
    assert.equal((await resolve({ address: '10.0.0.1', wait: { seconds: 30 } }))['outcome'], 'OUTCOME_UNASSIGNED');
  });

  it('in a batch fails alone, and names its place', async () => {
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    const answer = await serving.client.call('BatchResolveAddresses', {
      queries: [
        { address: '10.0.0.1' },
        { address: '10.0.0.2' },
        { address: '10.0.0.1' },
        { address: 'x', port: 70_000 },
      ],
    });
    const results = answer['results'] as readonly Json[];
    assert.deepEqual(
      results.map((result) => (result['resolution'] as Json | undefined)?.['outcome']),
      ['OUTCOME_RESOLVED', 'OUTCOME_UNASSIGNED', 'OUTCOME_RESOLVED', undefined],
    );
    const error = results[3]?.['error'] as Json;
    assert.equal(error['code'], 3);
    const violations = decodeDetails(error)['BadRequest']?.['fieldViolations'] as readonly Json[];
    assert.deepEqual(
      violations.map(({ field, reason }) => [field, reason]),
      [
        ['queries[3].address', 'NOT_AN_ADDRESS'],
        ['queries[3].port', 'OUT_OF_RANGE'],
      ],
    );
  });

  it('in a batch that waits is answered when every item that is not bad has a holder', async () => {
    const pod = resolved(holder(fakePod('web-0', WEB), 'POD_IP'));
    const queries = [{ address: '10.0.0.1' }, { address: 'x' }, { address: '10.0.0.2' }];
    const answer = serving.client.call('BatchResolveAddresses', { queries, wait: { seconds: 30 } });
    const waitsFor = (addresses: readonly string[]) =>
      eventually(
        () => JSON.stringify([...picture.waiters].map((waiter) => waiter.addresses)) === JSON.stringify([addresses]),
        () => JSON.stringify([...picture.waiters]),
      );
    await waitsFor(['10.0.0.1', '10.0.0.2']);
    const asked = picture.questions.length;
    picture.setAnswer('10.0.0.1', pod);
    await waitsFor(['10.0.0.2']);
    const again = picture.questions.slice(asked).map(({ address }) => address);
    assert.deepEqual(again, ['10.0.0.1'], 'only what was claimed is looked at again');
    picture.setAnswer('10.0.0.2', pod);
    const results = (await answer)['results'] as readonly Json[];
    assert.deepEqual(
      results.map((result) => (result['resolution'] as Json | undefined)?.['outcome']),
      ['OUTCOME_RESOLVED', undefined, 'OUTCOME_RESOLVED'],
    );
  });

  it('by name finds pods, services, nodes and workloads, in the asked view', async () => {
    picture.setEntity(fakePod('web-0', WEB));
    picture.setEntity(fakeService('web', [WEB]));
    picture.setEntity(fakeNode('node-1'));
    picture.setEntity(fakeWorkload(WEB), 'apps/Deployment/default/web');
    picture.stalenessMs = 2_000;
    const { client } = serving;
    const pod = await client.call('GetPod', { namespace: 'default', name: 'web-0' });
    assert.deepEqual((pod['pod'] as Json)['labels'], { app: 'web-0' });
    assert.deepEqual(pod['staleness'], { seconds: 2 });
    const service = await client.call('GetService', { namespace: 'default', name: 'web', view: 'VIEW_BASIC' });
    assert.equal((service['service'] as Json)['name'], 'web');
    assert.equal((service['service'] as Json)['labels'], undefined);
    assert.equal(((await client.call('GetNode', { name: 'node-1' }))['node'] as Json)['name'], 'node-1');
    const request = { apiGroup: 'apps', kind: 'Deployment', namespace: 'default', name: 'web' };
    assert.equal(((await client.call('GetWorkload', request))['workload'] as Json)['uid'], 'uid-web');
  });

  it('by name and uid waits for the object with that uid', async () => {
    picture.setEntity(fakePod('db-0', WEB, 'old'));
    const request = { namespace: 'default', name: 'db-0', uid: 'new', wait: { seconds: 30 } };
    const answer = serving.client.call('GetPod', request);
    const waits = () =>
      eventually(
        () => picture.names.size === 1,
        () => `${picture.names.size} callers wait`,
      );
    await waits();
    picture.setEntity(fakePod('db-0', WEB, 'newer'));
    await waits();
    picture.setEntity(fakePod('db-0', WEB, 'new'));
    assert.equal(((await answer)['pod'] as Json)['uid'], 'new');
    assert.equal(picture.names.size, 0);
  });

  it('for a workload that waits is answered when its owner turns up', async () => {
    const request = {
      apiGroup: 'apps',
      kind: 'ReplicaSet',
      namespace: 'default',
      name: 'web-1',
      wait: { seconds: 30 },
    };
    const answer = serving.client.call('GetWorkload', request);
    await eventually(
      () => picture.names.size === 1,
      () => `${picture.names.size} callers wait`,
    );
    picture.setEntity(fakeWorkload(fakeReference('web-1')), 'apps/ReplicaSet/default/web-1');
    assert.equal(((await answer)['workload'] as Json)['name'], 'web-1');
  });

  it('by name says so when the time is over', async () => {
    const request = { namespace: 'default', name: 'gone', wait: { nanos: 20_000_000 } };
    assert.equal((await serving.client.failure('GetPod', request)).code, 'NOT_FOUND');
    assert.equal(picture.names.size, 0);
  });
});

describe('GetStatus', () => {
  it('tells how the replica is doing, also while it is not ready', async () => {
    const serving = await serve();
    try {
      serving.picture.pending = ['list pods'];
      serving.picture.stalenessMs = 1_000;
      serving.picture.credentialsTrouble = 'no token in /token, so the last one is used: it is empty';
      const status = await serving.client.call('digger.v1.StatusService/GetStatus', {});
      assert.deepEqual(status, {
        version: '1.2.3',
        epoch: 'epoch-1',
        ready: false,
        pending: ['list pods'],
        hidesNamespaces: false,
        resources: [
          {
            resource: 'pods',
            synced: true,
            required: true,
            state: 'WATCH_STATE_BACKING_OFF',
            objects: 3,
            lastContact: { seconds: START_MS / 1000 + 1, nanos: 500_000_000 },
            lists: 1,
            watchRestarts: 3,
            message: 'connection refused',
          },
        ],
        subscribers: 0,
        sequence: 7,
        startTime: { seconds: START_MS / 1000, nanos: 0 },
        historySince: { seconds: START_MS / 1000, nanos: 0 },
        staleness: { seconds: 1, nanos: 0 },
        credentialsMessage: 'no token in /token, so the last one is used: it is empty',
      });
    } finally {
      await serving.stop();
    }
  });
});
