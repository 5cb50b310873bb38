// Namespaces that rules hide: their objects hold addresses, and nothing else of them leaves the process, whatever is
// asked, and whatever others make that points at them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { connect, resolutionJson, Verdict } from '../../src/client/index.ts';
import { hiddenName, hiddenNamespace } from '../../src/model/namespaces/published-namespaces.ts';
import type { ClusterLists } from '../observers/cluster-lists.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { exchange, methodsOf } from '../observers/every-rpc.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { Story } from './story.ts';

/** Part of every name and every value of the hidden namespaces. */
const SECRET = 'zanzibar';
/** The names, and what stands for them behind the stores. */
const STAYING = [
  SECRET,
  ...[`${SECRET}-one`, `${SECRET}-two`].map(hiddenNamespace),
  ...['0', 'job', 'web'].map((name) => hiddenName(`${SECRET}-one`, `${SECRET}-${name}`)),
];
const RULES = [`deny ${SECRET}-*`, 'allow *'].flatMap((rule) => ['--namespace-rule', rule]);

const HIDDEN = {
  pod: '10.244.1.201',
  clusterIp: '10.96.0.201',
  loadBalancer: '203.0.113.201',
  manual: '192.0.2.201',
  job: '10.244.1.203',
};
const SHOWN = { pod: '10.244.1.202', service: '10.96.0.202' };
const NODE = '172.18.0.3';
const HOST_PORT = 8_443;
const HOST_NETWORK_PORT = 9_443;
const NODE_PORT = 32_443;

/** Asked of every RPC, without a hidden name: what is asked is quoted to who asks. */
const ADDRESSES = [...Object.values(HIDDEN), ...Object.values(SHOWN), NODE];
const QUERIES: readonly Message[] = [
  ...ADDRESSES.map((address) => ({ address })),
  ...[HOST_PORT, HOST_NETWORK_PORT, NODE_PORT].map((port) => ({ address: NODE, port })),
  { address: HIDDEN.loadBalancer, port: 443 },
];
/** With everything that a caller may ask for besides. */
const MORE = { otelAttributes: { wellKnownLabels: true } };
const NAMED = { namespace: 'shop', name: 'front' };
const CONTAINER = 'containerd://c0ffee00c0ffee00c0ffee00';
const REQUESTS: Readonly<Record<string, readonly Message[]>> = {
  '/digger.v1.LookupService/ResolveAddress': [...QUERIES, ...QUERIES.map((query) => ({ ...query, ...MORE }))],
  '/digger.v1.LookupService/BatchResolveAddresses': [{ queries: QUERIES }, { queries: QUERIES, ...MORE }],
  '/digger.v1.LookupService/GetAddressTimeline': QUERIES,
  '/digger.v1.LookupService/GetPod': [
    NAMED,
    { namespace: 'shop', name: 'forged' },
    { namespace: 'shop', name: 'child' },
  ],
  '/digger.v1.LookupService/GetService': [NAMED],
  '/digger.v1.LookupService/GetNode': [{ name: 'worker-1' }],
  '/digger.v1.LookupService/GetNamespace': [{ name: 'shop' }, { name: 'nowhere' }],
  '/digger.v1.LookupService/ResolveContainer': [{ containerId: 'c0ffee00c0ff' }, { containerId: CONTAINER }],
  '/digger.v1.LookupService/BatchResolveContainers': [{ queries: [{ containerId: CONTAINER }] }],
  '/digger.v1.LookupService/GetWorkload': [
    { kind: 'Pod', ...NAMED },
    { kind: 'Pod', namespace: 'shop', name: 'child' },
    { kind: 'Tenant', apiGroup: 'example.com', name: 'nobody' },
  ],
  '/digger.v1.ChangeFeedService/Watch': [
    { snapshotOnly: true },
    { snapshotOnly: true, view: 'VIEW_BASIC' },
    { snapshotOnly: true, filter: { nodeNames: ['worker-1'] } },
    { snapshotOnly: true, filter: { namespaceSelector: '!nothing' } },
    { snapshotOnly: true, timelines: true },
    { snapshotOnly: true, timelines: true, podNetworks: true, hiddenHolders: true },
    { snapshotOnly: true, filter: { labelSelector: '!nothing' }, values: { labels: ['*'], annotations: ['*'] } },
  ],
  '/digger.v1.HistoryService/HandOver': [{}, { epoch: Buffer.alloc(16, 2), clusterUid: 'other' }],
  '/digger.v1.StatusService/GetStatus': [{}],
};

describe('16.2 a hidden namespace', () => {
  let story: Story;
  let digger: DiggerProcess;
  let raw: Client;
  let early: FeedCopy;

  before(async () => {
    story = await Story.begin({ arrange: ({ cluster }) => createObjects(cluster, 1) });
    digger = await story.startReadyDigger('--log-level', 'trace', '--admin-page', ...RULES);
    raw = new Client(digger.address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    early = new FeedCopy(digger, { heartbeatInterval: { seconds: 1 } });
    await early.untilSynced();
    // Once more while there are subscribers, and with everything in it that can change.
    createObjects(story.simulator.cluster, 2);
    await eventually('the change is known', async () => {
      const { outcome } = await digger.resolve(HIDDEN.job);
      return outcome === 'OUTCOME_HIDDEN' ? done(undefined) : notYet(outcome);
    });
  });
  after(async () => {
    early?.close();
    raw?.close();
    await story?.end();
  });

  const holders: readonly (readonly [string, Message, string])[] = [
    ['a pod', { address: HIDDEN.pod }, 'POD_IP'],
    ['a service', { address: HIDDEN.clusterIp }, 'CLUSTER_IP'],
    ['a load balancer', { address: HIDDEN.loadBalancer, port: 443 }, 'LOAD_BALANCER'],
    ['an endpoint that only a service knows', { address: HIDDEN.manual }, 'ENDPOINT'],
    ['a host port', { address: NODE, port: HOST_PORT }, 'HOST_PORT'],
    ['a port of a pod in the network of its node', { address: NODE, port: HOST_NETWORK_PORT }, 'HOST_NETWORK'],
    ['a node port', { address: NODE, port: NODE_PORT }, 'NODE_PORT'],
  ];
  for (const [what, question, role] of holders) {
    it(`says of the address of ${what} that it is held and hidden, and how`, async () => {
      const { resolution } = await digger.call('LookupService', 'ResolveAddress', question);
      assert.equal(resolution['outcome'], 'OUTCOME_HIDDEN', JSON.stringify(resolution));
      assert.equal(resolution['role'], `ADDRESS_ROLE_${role}`);
      assert.equal(resolution['target'] ?? undefined, undefined);
      assert.equal(resolution['workload'] ?? undefined, undefined);
      assert.ok(resolution['validFrom']);
    });
  }

  it('shows a hidden pod among those that may be meant by the address of a node, without its name', async () => {
    const { resolution } = await digger.call('LookupService', 'ResolveAddress', { address: NODE });
    const hidden = (resolution['candidates'] as Message[]).filter((each) => each['hidden']);
    assert.equal(hidden.length, 1);
    assert.deepEqual(
      [hidden[0]?.['role'], hidden[0]?.['target'] ?? undefined],
      ['ADDRESS_ROLE_HOST_NETWORK', undefined],
    );
  });

  it('is behind a published service as something hidden, and the service is not told to have one workload', async () => {
    const { service } = await digger.call('LookupService', 'GetService', NAMED);
    const workloads = service['workloads'] as Message[];
    assert.equal(workloads.length, 2, JSON.stringify(workloads));
    assert.equal(workloads.filter(({ hidden }) => hidden).length, 1);
    assert.deepEqual(service['manualEndpoints'] ?? [], [], 'the address is a pod’s, not an endpoint of its own');
    const resolution = await digger.resolve(SHOWN.service);
    assert.equal(resolution['workload'] ?? undefined, undefined);
  });

  it('is in timelines as holders without a name for those who know such, and for no others', async () => {
    const error = (await digger.watch({ timelines: true, snapshotOnly: true }).ended) as ServiceError;
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(errorDetails(error)['ErrorInfo']?.['reason'], 'TIMELINES_HIDDEN');
    using replica = connect({ targets: [digger.address], heartbeatMs: 1_000 });
    await replica.ready();
    for (const query of QUERIES) {
      const { address, port } = query as { readonly address: string; readonly port?: number };
      const answer = replica.resolve({ address, ...(port === undefined ? {} : { port }) });
      const here: Message = resolutionJson(address, answer, replica);
      const there = (await digger.call('LookupService', 'ResolveAddress', query))['resolution'] as Message;
      assert.equal(here['outcome'], there['outcome'], JSON.stringify(query));
      assert.deepEqual(
        [here['role'], here['candidates']?.length ?? 0, here['pod'] === undefined, here['service'] === undefined],
        [there['role'] ?? undefined, there['candidates']?.length ?? 0, !there['pod'], !there['service']],
        `${JSON.stringify(query)}: ${JSON.stringify(here)}`,
      );
    }
    assert.equal(replica.resolve({ address: HIDDEN.pod }).outcome, 'HIDDEN');
    const verdict: Parameters<typeof replica.look>[1] = new Verdict();
    assert.ok(replica.look({ address: HIDDEN.pod }, verdict));
    assert.equal(verdict.outcome, 'HIDDEN');
    assert.equal(replica.resolve({ address: SHOWN.pod }).holder?.name, 'front');
    assert.equal(replica.resolve({ address: SHOWN.service }).workload, undefined);
  });

  it('refuses questions by name for any namespace that the rules hide, whether it exists or not', async () => {
    for (const namespace of [`${SECRET}-one`, `${SECRET}-never-was`, '\u0001', `\u0001${'a'.repeat(22)}`]) {
      for (const [method, request] of [
        ['GetPod', { namespace, name: `${SECRET}-0` }],
        ['GetService', { namespace, name: SECRET }],
        ['GetWorkload', { namespace, name: SECRET, kind: 'Deployment', apiGroup: 'apps' }],
        ['GetNamespace', { name: namespace }],
      ] as const) {
        const error = await digger.call('LookupService', method, request).then(
          () => undefined,
          (failure: unknown) => failure as ServiceError,
        );
        assert.equal(error?.code, status.FAILED_PRECONDITION, `${method} ${JSON.stringify(request)}`);
        assert.equal(errorDetails(error)['ErrorInfo']?.['reason'], 'NAMESPACE_NOT_PUBLISHED');
      }
    }
  });

  it('leaves no name, label or image in any answer of any RPC, in frames, tokens, metrics and logs', async () => {
    const methods = await methodsOf(raw);
    const own = [...methods.keys()].filter((path) => path.startsWith('/digger.'));
    assert.deepEqual(own.toSorted(), Object.keys(REQUESTS).toSorted(), 'every RPC is asked');
    for (const path of own) {
      for (const request of REQUESTS[path] ?? []) {
        const method = methods.get(path) ?? assert.fail(path);
        const text = Buffer.concat(await exchange(raw, path, method, request)).toString('latin1');
        assert.ok(text.length > 0);
        assert.ok(
          STAYING.every((each) => !text.includes(each)),
          `${path} ${JSON.stringify(request)}`,
        );
      }
    }
    for (const { resumeToken } of early.frames) {
      assert.ok(
        !Buffer.from(resumeToken as Uint8Array)
          .toString('latin1')
          .includes(SECRET),
      );
    }
    assert.ok(!JSON.stringify(early.frames).includes(SECRET));
    assert.ok(early.changes.some((change) => change === 'upsert pod shop/front'));
    const metrics = await digger.metrics();
    assert.ok(!metrics.includes(SECRET));
    assert.match(metrics, /^digger_lookups_total\{outcome="HIDDEN"\} [1-9]/m);
    assert.match(metrics, /^digger_catalog_hidden_entities [1-9]/m);
    // The rules themselves are the operator's own words, and in the command line only.
    // So are the names that a caller asks for, where the log tells of the refusal.
    const lines = digger.log.split('\n').filter((line) => !line.includes('NAMESPACE_NOT_PUBLISHED'));
    assert.ok(lines.length > 20);
    assert.equal(
      lines.find((line) => line.includes(SECRET)),
      undefined,
    );
  });

  it('leaves no name on the page: neither among the last changes, nor in what is found', async () => {
    const ask = async (path: string): Promise<string> => {
      const answer = await eventually('the page answers', async () => {
        const got = await fetch(`http://${digger.adminAddress}${path}`);
        return got.status === 429 ? notYet(got.status) : done(got);
      });
      assert.equal(answer.status, 200, path);
      return answer.text();
    };
    // The name of an object is found by any part of it, and so is what stands for one.
    const parts = STAYING.slice(-3).map((name) => name.slice(0, 8));
    for (const path of ['/state.json', ...[...ADDRESSES, ...parts].map((each) => `/find.json?q=${each}`)]) {
      const text = (await ask(path)).replace(/"question":"[^"]*"/, '');
      assert.ok(STAYING.every((each) => !text.includes(each)) && !text.includes('\\u0001'), `${path} ${text}`);
    }
    assert.match(await ask(`/find.json?q=${HIDDEN.pod}`), /"outcome":"HIDDEN"/);
  });

  it('is said to be possible in GetStatus, without the rules', async () => {
    assert.equal((await digger.call('StatusService', 'GetStatus'))['hidesNamespaces'], true);
  });

  it('was held by a hidden object is what is said of the past too', async () => {
    const atMs = Date.now();
    story.simulator.cluster.delete('pods', `${SECRET}-one`, `${SECRET}-job`);
    await eventually('it is gone', async () => {
      const { outcome } = await digger.resolve(HIDDEN.job);
      return outcome === 'OUTCOME_HIDDEN' ? notYet(outcome) : done(undefined);
    });
    const at = { seconds: Math.floor(atMs / 1000), nanos: (atMs % 1000) * 1e6 };
    const past = await digger.call('LookupService', 'ResolveAddress', { address: HIDDEN.job, at });
    assert.equal(past['resolution']['outcome'], 'OUTCOME_HIDDEN');
    assert.ok(past['resolution']['validTo']);
    // Timelines still name it, and objects that are gone are told once more for that.
    const method = (await methodsOf(raw)).get('/digger.v1.ChangeFeedService/Watch') ?? assert.fail();
    const asked = { snapshotOnly: true, timelines: true, hiddenHolders: true };
    const told = Buffer.concat(await exchange(raw, '/digger.v1.ChangeFeedService/Watch', method, asked));
    assert.ok(told.toString('latin1').includes(HIDDEN.job));
    for (const each of STAYING) assert.ok(!told.toString('latin1').includes(each), each);
  });
});

describe('16.2 beside hidden namespaces', () => {
  it('everything that is published is as without rules', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--namespace-rule', 'deny pay*', '--namespace-rule', 'allow *');
    const shown = async (): Promise<ClusterLists> => {
      const lists = await story.readLists();
      const isShown = ({ metadata }: { metadata?: { namespace?: string } }) => metadata?.namespace !== 'payments';
      return {
        ...{ nodes: lists.nodes, pods: lists.pods.filter(isShown), services: lists.services.filter(isShown) },
        endpointSlices: lists.endpointSlices.filter(isShown),
        owners: lists.owners.filter(isShown),
        namespaces: lists.namespaces.filter(({ metadata }) => metadata?.name !== 'payments'),
      };
    };
    const { entities } = await assertWholeState(digger, shown, { deadlineMs: 20_000, mayBeHidden: true });
    const all = (await story.readLists()).pods.length;
    assert.ok(entities > all);
    for (const address of story.demo.wellKnown.paymentsClusterIps) {
      assert.equal((await digger.resolve(address))['outcome'], 'OUTCOME_HIDDEN');
    }
  });

  it('a subscriber goes on at another process with the same rules, and starts over at one with others', async () => {
    await using story = await Story.begin();
    const [one, same, other] = [
      await story.startReadyDigger('--namespace-rule', 'deny pay*', '--namespace-rule', 'allow *'),
      await story.startReadyDigger('--namespace-rule', 'deny pay*', '--namespace-rule', 'allow *'),
      await story.startReadyDigger(),
    ];
    const copy = new FeedCopy(one);
    await copy.untilSynced();
    const { resumeToken } = copy;
    const there = new FeedCopy(same, { resumeToken });
    await there.untilSynced();
    assert.equal(there.resets, 0);
    const elsewhere = new FeedCopy(other, { resumeToken });
    await elsewhere.untilSynced();
    assert.equal(elsewhere.resets, 1);
    for (const each of [copy, there, elsewhere]) each.close();
  });
});

/** Hidden objects of every kind, and what a tenant beside them can make to point at them. */
function createObjects(cluster: Story['simulator']['cluster'], round: 1 | 2): void {
  const [one, two] = [`${SECRET}-one`, `${SECRET}-two`];
  const labels = { app: SECRET, [`${SECRET}.example.com/of`]: SECRET };
  const metadata = (namespace: string, name: string) => ({ namespace, name, labels, annotations: labels });
  const owner = (apiVersion: string, kind: string, name: string, uid: string) => ({
    ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
  });
  const running = (ip: string) => ({
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    hostIP: NODE,
    hostIPs: [{ ip: NODE }],
  });
  const container = (ports: Record<string, unknown>[] = []) => ({
    nodeName: 'worker-1',
    containers: [{ name: SECRET, image: `registry/${SECRET}:1`, ports }],
  });
  if (round === 2) {
    // A hidden job's pod comes while subscribers listen, and hidden and published objects change.
    cluster.create('pods', {
      metadata: metadata(one, `${SECRET}-job`),
      spec: container(),
      status: running(HIDDEN.job),
    });
    const pod = cluster.get('pods', one, `${SECRET}-0`);
    assert.ok(pod);
    cluster.update('pods', { ...pod, metadata: { ...pod.metadata, labels: { ...labels, more: SECRET } } });
    cluster.patch('pods', 'shop', 'front', { metadata: { labels: { round: '2' } } });
    return;
  }
  for (const name of [one, two]) cluster.create('namespaces', { metadata: { name, labels, annotations: labels } });
  const deployment = cluster.create('deployments.apps', { metadata: metadata(one, `${SECRET}-web`) });
  const set = cluster.create('replicasets.apps', {
    metadata: {
      ...metadata(one, `${SECRET}-web-1`),
      ...owner('apps/v1', 'Deployment', `${SECRET}-web`, deployment.metadata.uid),
    },
  });
  const hidden = cluster.create('pods', {
    metadata: {
      ...metadata(one, `${SECRET}-0`),
      ...owner('apps/v1', 'ReplicaSet', `${SECRET}-web-1`, set.metadata.uid),
    },
    spec: container([{ name: SECRET, containerPort: 1, hostPort: HOST_PORT }]),
    status: running(HIDDEN.pod),
  });
  cluster.create('pods', {
    metadata: { ...metadata(two, `${SECRET}-host`), ...owner('example.com/v1', 'Zanzi', `${SECRET}-cr`, 'uid-of-cr') },
    spec: { ...container([{ containerPort: HOST_NETWORK_PORT }]), hostNetwork: true },
    status: running(NODE),
  });
  cluster.create('services', {
    metadata: metadata(one, SECRET),
    spec: {
      ...{ type: 'LoadBalancer', clusterIP: HIDDEN.clusterIp, clusterIPs: [HIDDEN.clusterIp], selector: labels },
      ports: [{ name: SECRET, port: 443, nodePort: NODE_PORT, targetPort: SECRET }],
    },
    status: { loadBalancer: { ingress: [{ ip: HIDDEN.loadBalancer, hostname: `${SECRET}.example.com` }] } },
  });
  const slice = (namespace: string, service: string, addresses: string[], target?: Record<string, string>) => ({
    metadata: { namespace, name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], ...(target ? { targetRef: target } : {}) })),
    ports: [],
  });
  cluster.create('endpointslices', slice(one, SECRET, [HIDDEN.pod, HIDDEN.manual, SHOWN.pod]));
  // Beside them: a service that leads to a published and to a hidden pod, as Knative makes them ...
  cluster.create('pods', {
    metadata: { namespace: 'shop', name: 'front', labels: { app: 'front' } },
    spec: { nodeName: 'worker-1', containers: [{ name: 'main', image: 'front:1' }] },
    status: running(SHOWN.pod),
  });
  cluster.create('services', {
    metadata: { namespace: 'shop', name: 'front' },
    spec: { type: 'ClusterIP', clusterIP: SHOWN.service, clusterIPs: [SHOWN.service], ports: [{ port: 80 }] },
  });
  const target = { kind: 'Pod', namespace: one, name: `${SECRET}-0`, uid: hidden.metadata.uid };
  const both = slice('shop', 'front', [HIDDEN.pod, SHOWN.pod]);
  cluster.create('endpointslices', {
    ...both,
    endpoints: [{ addresses: [HIDDEN.pod], targetRef: target }, { addresses: [SHOWN.pod] }],
  });
  // ... and pods of a tenant who knows uids of hidden objects, and names them as their owners.
  const forged = (name: string, ip: string, uid: string, kind: string, apiVersion: string) =>
    cluster.create('pods', {
      metadata: { namespace: 'shop', name, ...owner(apiVersion, kind, 'guess', uid) },
      spec: { nodeName: 'worker-1', containers: [{ name: 'main', image: 'tenant:1' }] },
      status: running(ip),
    });
  forged('forged', '10.244.1.211', deployment.metadata.uid, 'Deployment', 'apps/v1');
  forged('child', '10.244.1.212', hidden.metadata.uid, 'Pod', 'v1');
  forged('cousin', '10.244.1.213', 'uid-of-cr', 'Zanzi', 'example.com/v1');
}
