// The hard cases of attribution over gRPC, against a real API server. Controllers and kubelets are played by hand,
// write by write, so that each case is exactly the one that its name says. All cases: test/addresses/hard-cases.test.ts
// and test/catalog.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import type { ApiClient, KubeObject } from './api-client.ts';
import { finishedStatus, runningStatus, wholeSecond } from './pod-status.ts';
import { Scene } from './scene.ts';
import { createNarrowAccount } from './service-account.ts';
import { object, scaled, service } from './world.ts';

const NAMESPACE = 'shop';
const IMAGE = 'registry.example.dev/main:1';
/** Of node-a, see THREE_NODES; every case takes addresses of its own. */
const NODE_ADDRESS = '172.18.0.2';

describe('hard cases on a real API server', () => {
  let scene: Scene;
  let client: ApiClient;
  let digger: DiggerProcess;

  before(async () => {
    scene = await Scene.set({ controllers: false, proxied: true });
    await scene.kubelet.stop();
    ({ client } = scene.plane);
    await client.apply(object('v1', 'Namespace', NAMESPACE));
    await client.apply(object('v1', 'ServiceAccount', 'default'));
  });
  after(async () => scene?.strike());

  it('25: not synced is UNAVAILABLE, never "unknown"', async () => {
    scene.proxy?.hold();
    digger = await scene.startDigger();
    for (const [method, request] of [
      ['ResolveAddress', { address: '10.128.0.1', wait: { seconds: 5 } }],
      ['BatchResolveAddresses', { queries: [{ address: '10.128.0.1' }] }],
      ['GetPod', { namespace: NAMESPACE, name: 'a' }],
    ] as const) {
      await assert.rejects(digger.call('LookupService', method, request), (error) => {
        assert.equal((error as ServiceError).code, status.UNAVAILABLE, String(error));
        assert.equal(errorDetails(error as ServiceError)['ErrorInfo']?.['reason'], 'NOT_SYNCED');
        return true;
      });
    }
    scene.proxy?.pass();
    await digger.untilReady();
    assert.equal((await digger.resolve('10.128.0.59'))['outcome'], 'OUTCOME_UNASSIGNED');
    assert.equal((await digger.resolve('10.96.200.200'))['outcome'], 'OUTCOME_UNASSIGNED', 'in the range of services');
    assert.equal((await digger.resolve('8.8.8.8'))['outcome'], 'OUTCOME_EXTERNAL');
  });

  it('1: pod A is deleted, pod B gets its address within a second, then the late DELETED of A arrives', async () => {
    const address = '10.128.0.11';
    const a = await startPod('one-a', [address]);
    const aMs = await untilHolds(address, a);
    await client.delete(a, { graceSeconds: 30 });
    await nextSecond(aMs);
    const b = await startPod('one-b', [address]);
    await untilHolds(address, b);
    assert.ok(await client.get(await client.path(a)), 'the object of A is still there');
    await client.delete(a, { graceSeconds: 0 });
    await untilGone(a);
    assert.equal(uidOf(await digger.resolve(address)), b.metadata.uid);
    assert.equal(uidOf(await resolveAt(address, aMs)), a.metadata.uid);
  });

  it('2: a Job pod succeeded and keeps its podIP, the address is issued again', async () => {
    const address = '10.128.0.12';
    const a = await startPod('two-a', [address]);
    const aMs = await untilHolds(address, a);
    await nextSecond(aMs);
    await client.patch(a, { status: finishedStatus(IMAGE, Date.now()) }, 'status');
    await untilOutcome(address, 'UNASSIGNED');
    const b = await startPod('two-b', [address]);
    await untilHolds(address, b);
    const late = await client.patch(a, { metadata: { labels: { 'example.dev/late': 'yes' } } });
    assert.deepEqual((late['status'] as Message)['podIP'], address, 'A still shows the address');
    await eventually('digger has seen the late update', async () => {
      const { pod } = await digger.call('LookupService', 'GetPod', { namespace: NAMESPACE, name: 'two-a' });
      return pod['labels']?.['example.dev/late'] === 'yes' ? done(undefined) : notYet(pod);
    });
    assert.equal(uidOf(await digger.resolve(address)), b.metadata.uid);
    assert.equal(uidOf(await resolveAt(address, aMs)), a.metadata.uid);
  });

  it('4: the watch was down while A was deleted and B was created on its address; relist', async () => {
    const address = '10.128.0.14';
    const a = await startPod('four-a', [address]);
    const aMs = await untilHolds(address, a);
    const lists = await listsOfPods();
    scene.proxy?.refuse();
    scene.proxy?.cut();
    await client.delete(a, { graceSeconds: 0 });
    await nextSecond(aMs);
    const betweenMs = Date.now();
    await nextSecond(betweenMs);
    const b = await startPod('four-b', [address]);
    // The API server forgets what was before, so that the watch cannot be resumed.
    await scene.plane.killApiServer();
    await scene.plane.startApiServer();
    scene.proxy?.pass();
    const bMs = await untilHolds(address, b);
    assert.ok((await listsOfPods()) > lists, 'the gap was closed by a list');
    assert.equal(uidOf(await resolveAt(address, aMs)), a.metadata.uid);
    assert.equal(uidOf(await resolveAt(address, bMs)), b.metadata.uid);
    const between = await resolveAt(address, betweenMs);
    assert.equal(uidOf(between), a.metadata.uid, 'the end of A is known only as an interval');
    assert.equal(between['uncertain'], true);
    assert.equal((await resolveAt('10.128.0.61', betweenMs))['outcome'], 'OUTCOME_UNKNOWN', 'no watch was up');
  });

  it('5: a StatefulSet pod is recreated under its name with a new uid', async () => {
    const first = await startPod('five-0', ['10.128.0.15']);
    const firstMs = await untilHolds('10.128.0.15', first);
    await client.delete(first, { graceSeconds: 0 });
    const second = await startPod('five-0', ['10.128.0.25']);
    await untilHolds('10.128.0.25', second);
    assert.notEqual(first.metadata.uid, second.metadata.uid);
    assert.equal(uidOf(await resolveAt('10.128.0.15', firstMs)), first.metadata.uid);
    await untilOutcome('10.128.0.15', 'UNASSIGNED');
    const byName = { namespace: NAMESPACE, name: 'five-0' };
    const got = await digger.call('LookupService', 'GetPod', { ...byName, uid: second.metadata.uid });
    assert.equal(got['pod']['uid'], second.metadata.uid);
    await assert.rejects(digger.call('LookupService', 'GetPod', { ...byName, uid: first.metadata.uid }), /NOT_FOUND/);
  });

  it('7: hostNetwork pods A and B on one node with distinct ports, and the node by its bare address', async () => {
    const onHost = (port: number) => ({ hostNetwork: true, containers: [{ ports: [{ containerPort: port }] }] });
    const a = await startPod('seven-a', [NODE_ADDRESS], { spec: onHost(9100), hostIps: [NODE_ADDRESS] });
    const b = await startPod('seven-b', [NODE_ADDRESS], { spec: onHost(9200), hostIps: [NODE_ADDRESS] });
    for (const [pod, port] of [
      [a, 9100],
      [b, 9200],
    ] as const) {
      const resolution = await eventually(`port ${port} answers`, async () => {
        const answer = await digger.resolve(NODE_ADDRESS, port, 'PROTOCOL_TCP');
        return uidOf(answer) === pod.metadata.uid ? done(answer) : notYet(answer);
      });
      assert.equal(resolution['role'], 'ADDRESS_ROLE_HOST_NETWORK');
    }
    assert.equal((await digger.resolve(NODE_ADDRESS, 9100, 'PROTOCOL_UDP'))['node']['name'], 'node-a');
    const node = await digger.resolve(NODE_ADDRESS);
    assert.equal(node['node']['name'], 'node-a');
    assert.deepEqual((node['candidates'] as Message[]).map((candidate) => candidate['pod']['name']).toSorted(), [
      'seven-a',
      'seven-b',
    ]);
  });

  it('9: a ClusterIP is its service; the workload only where all backends share it', async () => {
    const web = await owned('nine-web');
    const api = await owned('nine-api');
    const pods = [
      await startPod('nine-1', ['10.128.0.31'], { owner: web }),
      await startPod('nine-2', ['10.128.0.32'], { owner: web }),
      await startPod('nine-3', ['10.128.0.33'], { owner: api }),
    ];
    await client.apply(service('nine', { clusterIP: '10.96.9.9', ports: [{ port: 80 }] }));
    const answerWith = async (workload: string | undefined) =>
      eventually(`the workload is ${workload}`, async () => {
        const answer = await digger.resolve('10.96.9.9', 80);
        const isThere = answer['service']?.['name'] === 'nine' && answer['role'] === 'ADDRESS_ROLE_CLUSTER_IP';
        return isThere && answer['workload']?.['name'] === workload ? done(answer) : notYet(answer);
      });
    await answerWith(undefined);
    await client.apply(slice('nine', pods.slice(0, 2)));
    await answerWith('nine-web');
    await client.apply(slice('nine', pods));
    await answerWith(undefined);
    await client.apply(slice('nine', pods.slice(2)));
    await answerWith('nine-api');
  });

  it('11: NodePort on every node address, LoadBalancer with several ingress IPs, hostname-only ingress', async () => {
    const balanced = service('eleven', {
      type: 'LoadBalancer',
      clusterIP: '10.96.11.11',
      ports: [{ port: 80, nodePort: 30_011 }],
    });
    const named = service('eleven-named', { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30_012 }] });
    await client.apply(balanced);
    await client.apply(named);
    const ingress = [{ ip: '203.0.113.111' }, { ip: '203.0.113.112' }];
    await client.patch(balanced, { status: { loadBalancer: { ingress } } }, 'status');
    await client.patch(named, { status: { loadBalancer: { ingress: [{ hostname: 'lb.example.org' }] } } }, 'status');
    const holds = async (address: string, name: string, port?: number): Promise<Message> =>
      eventually(`${address} is ${name}`, async () => {
        const answer = await digger.resolve(address, port);
        return answer['service']?.['name'] === name ? done(answer) : notYet(answer);
      });
    for (const { ip } of ingress) {
      assert.equal((await holds(ip, 'eleven'))['role'], 'ADDRESS_ROLE_LOAD_BALANCER');
    }
    // Internal and external addresses of two nodes, both families.
    for (const address of ['172.18.0.2', 'fd00:172:18::2', '203.0.113.2', '172.18.0.4', 'fd00:172:18::4']) {
      assert.equal((await holds(address, 'eleven', 30_011))['role'], 'ADDRESS_ROLE_NODE_PORT');
      assert.equal((await digger.resolve(address))['service'] ?? undefined, undefined);
    }
    await eventually('the hostname is known', async () => {
      const found = await digger.call('LookupService', 'GetService', { namespace: NAMESPACE, name: 'eleven-named' });
      return JSON.stringify(found).includes('lb.example.org') ? done(undefined) : notYet(found);
    });
    assert.equal((await digger.resolve('172.18.0.2', 30_012))['service']['name'], 'eleven-named');
  });

  it('16: a pod is seen before its ReplicaSet, and that before its Deployment: incomplete, then complete, one change each', async () => {
    const rights = await createNarrowAccount(scene.plane, 'narrow', ['replicasets', 'deployments']);
    const late = await scene.startDigger([], rights.kubeconfig);
    const web = await owned('sixteen-web');
    const pod = await startPod('sixteen', ['10.128.0.41'], { owner: web });
    await late.untilReady();
    const copy = new FeedCopy(late);
    try {
      await copy.untilSynced();
      const workloadIs = async (kind: string, name: string, incomplete: boolean) =>
        eventually(`the workload is ${kind} ${name}`, async () => {
          const { workload } = await late.resolve('10.128.0.41');
          const is = workload?.['kind'] === kind && workload['name'] === name;
          return is && (workload['incomplete'] ?? false) === incomplete ? done(undefined) : notYet(workload);
        });
      const told = () => copy.changesAfterSnapshot.filter((change) => change === `upsert pod ${NAMESPACE}/sixteen`);
      await workloadIs('ReplicaSet', 'sixteen-web-1', true);
      assert.equal(told().length, 0);
      await rights.grant(['replicasets']);
      await workloadIs('Deployment', 'sixteen-web', true);
      await rights.grant(['deployments']);
      await workloadIs('Deployment', 'sixteen-web', false);
      await eventually('the feed has told it', () => (told().length >= 2 ? done(undefined) : notYet(copy.changes)));
      assert.equal(told().length, 2, copy.changesAfterSnapshot.join('\n'));
      const { pod: got } = await late.call('LookupService', 'GetPod', { namespace: NAMESPACE, name: 'sixteen' });
      assert.deepEqual(
        (got['ownerChain'] as Message[]).map(
          (owner) => `${owner['kind']} ${owner['name']} ${owner['incomplete'] ?? false}`,
        ),
        ['ReplicaSet sixteen-web-1 false', 'Deployment sixteen-web false'],
      );
      assert.equal(got['uid'], pod.metadata.uid);
    } finally {
      copy.close();
      await late.stop();
    }
  });

  it('19: everybody who waits for an address or a name is answered when the pod appears, and at the deadline', async () => {
    const address = '10.128.0.19';
    const wait = { seconds: 8 };
    const waiting = [
      ...Array.from({ length: 5 }, () => digger.call('LookupService', 'ResolveAddress', { address, wait })),
      digger.call('LookupService', 'BatchResolveAddresses', {
        queries: [{ address }, { address: NODE_ADDRESS }],
        wait,
      }),
    ];
    const named = Array.from({ length: 3 }, () =>
      digger.call('LookupService', 'GetPod', { namespace: NAMESPACE, name: 'nineteen', wait }),
    );
    await untilMetric('digger_address_waiters', 6);
    const pod = await startPod('nineteen', [address]);
    for (const answer of await Promise.all(waiting)) {
      const resolution = answer['resolution'] ?? answer['results'][0]['resolution'];
      assert.equal(uidOf(resolution), pod.metadata.uid, JSON.stringify(answer));
    }
    for (const answer of await Promise.all(named)) assert.equal(answer['pod']['uid'], pod.metadata.uid);
    const unassigned = await digger.call('LookupService', 'ResolveAddress', {
      address: '10.128.0.59',
      wait: { nanos: 300_000_000 },
    });
    assert.equal(unassigned['resolution']['outcome'], 'OUTCOME_UNASSIGNED', 'the answer when the time is over');
    await untilMetric('digger_address_waiters', 0);
  });

  it('22: a ServiceCIDR that is added makes its addresses the cluster’s; without the right to see them nothing is EXTERNAL', async () => {
    const range = { ...object('networking.k8s.io/v1', 'ServiceCIDR', 'more', { cidrs: ['10.97.0.0/24'] }) };
    const { namespace: _, ...metadata } = range.metadata;
    await untilOutcome('10.97.0.7', 'EXTERNAL');
    await client.apply({ ...range, metadata });
    await untilOutcome('10.97.0.7', 'UNASSIGNED');
    assert.equal((await digger.resolve('10.97.1.7'))['outcome'], 'OUTCOME_EXTERNAL');
    await client.delete({ ...range, metadata });
    const rights = await createNarrowAccount(scene.plane, 'without-ranges', ['servicecidrs']);
    const narrow = await scene.startDigger([], rights.kubeconfig);
    await narrow.untilReady();
    assert.equal((await narrow.resolve('8.8.8.8'))['outcome'], 'OUTCOME_UNKNOWN');
    assert.equal((await narrow.resolve('10.128.0.60'))['outcome'], 'OUTCOME_UNASSIGNED');
    await rights.grant(['servicecidrs']);
    await eventually('the ranges are known', async () => {
      const { outcome } = await narrow.resolve('8.8.8.8');
      return outcome === 'OUTCOME_EXTERNAL' ? done(undefined) : notYet(outcome);
    });
    await narrow.stop();
    assert.equal((await digger.resolve('10.97.0.7'))['outcome'], 'OUTCOME_UNASSIGNED', 'known while history lasts');
  });

  it('14.2: a load balancer on the nodes and an external address that is a node’s hold their ports, the node the others', async () => {
    const [node, other] = ['172.18.0.3', '172.18.0.4'];
    const balanced = service('on-nodes', {
      type: 'LoadBalancer',
      ports: [80, 443].map((port) => ({ name: `p${port}`, port })),
    });
    await client.apply(balanced);
    const ingress = [
      { ip: node, ipMode: 'VIP' },
      { ip: other, ipMode: 'Proxy' },
    ];
    await client.patch(balanced, { status: { loadBalancer: { ingress } } }, 'status');
    await client.apply(service('external', { externalIPs: [node], ports: [{ port: 8443 }] }));
    await client.apply(
      service('no-proxy', { clusterIP: 'None', externalIPs: ['198.51.100.14'], ports: [{ port: 80 }] }),
    );
    const alias = { type: 'ExternalName', externalName: 'db.example.com', externalIPs: ['198.51.100.15'] };
    await client.apply(service('alias', { ...alias, ports: [{ port: 80 }] }));
    for (const [address, port, role] of [
      [node, 443, 'LOAD_BALANCER'],
      [node, 8443, 'EXTERNAL_IP'],
    ] as const) {
      await eventually(`${address}:${port} is the service’s`, async () => {
        const answer = await digger.resolve(address, port, 'PROTOCOL_TCP');
        return answer['role'] === `ADDRESS_ROLE_${role}` ? done(undefined) : notYet(answer);
      });
    }
    // Nodes do not redirect traffic to a proxied address (KEP-1860), so that it reaches the node.
    assert.equal((await digger.resolve(other, 80, 'PROTOCOL_TCP'))['role'], 'ADDRESS_ROLE_NODE_ADDRESS');
    for (const address of [node, other]) {
      for (const port of [22, 10_250, 51_234]) {
        assert.equal((await digger.resolve(address, port, 'PROTOCOL_TCP'))['role'], 'ADDRESS_ROLE_NODE_ADDRESS');
      }
      assert.equal((await digger.resolve(address))['role'], 'ADDRESS_ROLE_NODE_ADDRESS');
    }
    await eventually('both are known', async () => {
      const found = await Promise.all(
        ['no-proxy', 'alias'].map((name) => digger.call('LookupService', 'GetService', { namespace: NAMESPACE, name })),
      );
      return found.length === 2 ? done(undefined) : notYet(found);
    });
    for (const address of ['198.51.100.14', '198.51.100.15']) {
      assert.equal((await digger.resolve(address, 80))['outcome'], 'OUTCOME_EXTERNAL', 'proxies skip such services');
    }
  });

  it('14.16: a node whose deletion is held by a finalizer gives its address and its pods’ ports to its successor', async () => {
    const address = '172.18.0.99';
    const old = await createNode('held', address, ['example.dev/hold']);
    const exporter = { hostNetwork: true, containers: [{ ports: [{ containerPort: 9100 }] }] };
    const first = await startPod('held-exporter', [address], {
      spec: { ...exporter, nodeName: 'held' },
      hostIps: [address],
    });
    await portIs(address, first);
    await client.delete(old);
    await nextSecond(Date.now());
    await createNode('successor', address, []);
    await eventually('the successor has the address', async () => {
      const answer = await digger.resolve(address);
      return answer['node']?.['name'] === 'successor' ? done(undefined) : notYet(answer);
    });
    const second = await startPod('successor-exporter', [address], {
      spec: { ...exporter, nodeName: 'successor' },
      hostIps: [address],
    });
    await portIs(address, second);
    const { node } = await digger.call('LookupService', 'GetNode', { name: 'held' });
    assert.ok(node['deletionTime'], 'the contract tells that it is being deleted');
    await client.patch({ ...old, apiVersion: 'v1', kind: 'Node' }, { metadata: { finalizers: null } });
    await portIs(address, second);
  });

  it('14.15: a pod outside every range makes nothing EXTERNAL, and no object holds a special address', async () => {
    assert.equal((await digger.resolve('8.8.8.8'))['outcome'], 'OUTCOME_EXTERNAL');
    const first = await digger.resolve('10.128.0.65');
    assert.equal(first['node']?.['name'], 'node-b', 'the bridge of the node, most likely');
    assert.equal(first['uncertain'], true);
    const pooled = await startPod('pooled', ['192.168.77.7']);
    await untilHolds('192.168.77.7', pooled);
    assert.equal((await digger.resolve('8.8.8.8'))['outcome'], 'OUTCOME_UNKNOWN');
    assert.equal((await digger.resolve('192.168.77.8'))['outcome'], 'OUTCOME_UNKNOWN');
    for (const address of [
      '127.0.0.1',
      '::1',
      '169.254.169.254',
      'fe80::1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
    ]) {
      assert.equal((await digger.resolve(address))['outcome'], 'OUTCOME_UNKNOWN', address);
    }
  });

  async function createNode(name: string, address: string, finalizers: readonly string[]): Promise<KubeObject> {
    const node = await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, finalizers } });
    await client.patch(node, { status: { addresses: [{ type: 'InternalIP', address }] } }, 'status');
    return node;
  }

  /** Port 9100 of the address is the pod's alone. */
  async function portIs(address: string, pod: KubeObject): Promise<void> {
    await eventually(`${pod.metadata.name} has the port`, async () => {
      const answer = await digger.resolve(address, 9100, 'PROTOCOL_TCP');
      return uidOf(answer) === pod.metadata.uid ? done(undefined) : notYet(answer);
    });
  }

  /** A pod on node-a with a sandbox that has these addresses. Its place is `metadata.uid`. */
  async function startPod(
    name: string,
    addresses: readonly string[],
    options: { readonly spec?: Message; readonly hostIps?: readonly string[]; readonly owner?: object } = {},
  ): Promise<KubeObject> {
    const { containers = [{}], ...spec } = options.spec ?? {};
    const pod = await client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: NAMESPACE,
        ...(options.owner === undefined ? {} : { ownerReferences: [options.owner] }),
      },
      spec: { nodeName: 'node-a', ...spec, containers: [{ name: 'main', image: IMAGE, ...containers[0] }] },
    });
    const nowMs = Date.now();
    const running = runningStatus(addresses, { startMs: nowMs, sandboxReadyMs: nowMs }, options.hostIps);
    await client.patch(pod, { status: running }, 'status');
    return { ...pod, apiVersion: 'v1', kind: 'Pod' };
  }

  /** A Deployment and its ReplicaSet; returns the owner reference for its pods. */
  async function owned(name: string): Promise<object> {
    const spec = scaled(name, 0);
    const reference = (of: KubeObject) => ({
      apiVersion: 'apps/v1',
      kind: of.kind ?? '',
      name: of.metadata.name,
      uid: of.metadata.uid,
      controller: true,
    });
    const { body: deployment } = await client.apply(object('apps/v1', 'Deployment', name, spec));
    const set = object('apps/v1', 'ReplicaSet', `${name}-1`, spec);
    const metadata = { ...set.metadata, ownerReferences: [reference({ ...deployment, kind: 'Deployment' })] };
    const { body: created } = await client.apply({ ...set, metadata });
    return reference({ ...created, kind: 'ReplicaSet' });
  }

  function slice(name: string, pods: readonly KubeObject[]): KubeObject {
    const metadata = { name, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } };
    const addresses = new Map(
      ['10.128.0.31', '10.128.0.32', '10.128.0.33'].map((address, i) => [`nine-${i + 1}`, address]),
    );
    const endpoints = pods.map((pod) => ({
      addresses: [addresses.get(pod.metadata.name)],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: NAMESPACE, name: pod.metadata.name, uid: pod.metadata.uid },
    }));
    return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', endpoints };
  }

  /** When the pod was seen to hold the address without reserve. */
  async function untilHolds(address: string, pod: KubeObject): Promise<number> {
    return eventually(`${pod.metadata.name} holds ${address}`, async () => {
      const atMs = Date.now();
      const answer = await digger.resolve(address);
      return uidOf(answer) === pod.metadata.uid && answer['uncertain'] !== true ? done(atMs) : notYet(answer);
    });
  }

  async function untilOutcome(address: string, outcome: string): Promise<void> {
    await eventually(`${address} is ${outcome}`, async () => {
      const answer = await digger.resolve(address);
      return answer['outcome'] === `OUTCOME_${outcome}` ? done(undefined) : notYet(answer);
    });
  }

  async function untilGone(pod: KubeObject): Promise<void> {
    const { name, uid } = pod.metadata;
    await eventually(`${name} is gone`, async () => {
      try {
        return notYet(await digger.call('LookupService', 'GetPod', { namespace: NAMESPACE, name, uid }));
      } catch (error) {
        assert.equal((error as ServiceError).code, status.NOT_FOUND, String(error));
        return done(undefined);
      }
    });
  }

  async function untilMetric(name: string, value: number): Promise<void> {
    await eventually(`${name} is ${value}`, async () => {
      const line = (await digger.metrics()).split('\n').find((each) => each.startsWith(`${name} `));
      return line === `${name} ${value}` ? done(undefined) : notYet(line);
    });
  }

  async function resolveAt(address: string, atMs: number): Promise<Message> {
    const at = { seconds: Math.floor(atMs / 1_000), nanos: (atMs % 1_000) * 1_000_000 };
    return (await digger.call('LookupService', 'ResolveAddress', { address, at }))['resolution'];
  }

  async function listsOfPods(): Promise<number> {
    const { resources } = await digger.call('StatusService', 'GetStatus');
    const pods = (resources as Message[]).find((resource) => resource['resource'] === 'pods');
    return Number(pods?.['lists']);
  }

  /** The API cannot tell two moments of one second apart. */
  async function nextSecond(afterMs: number): Promise<void> {
    await eventually('the next second', () =>
      wholeSecond(Date.now()) > wholeSecond(afterMs) ? done(undefined) : notYet(Date.now()),
    );
  }
});

function uidOf(resolution: Message): string | undefined {
  return resolution['pod']?.['uid'];
}
