// The demo cluster: what lives in it, what must hold at every step, and that it stays as small as it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDemoCluster, type DemoCluster } from '../../../src/simulator/demo/demo-cluster.ts';
import { startLivingCluster } from '../../../src/simulator/demo/living-cluster.ts';
import type { StoredObject } from '../../../src/simulator/server/stored-objects.ts';
import { createSimulator, type Simulator } from '../../../src/simulator/server/simulator.ts';
import { fill, fillPodIp } from '../fill.ts';
import { createRandom } from '../server/fixture.ts';
import { request } from '../server/watch-client.ts';

/** As much of a pod as is looked at here. */
interface PodView extends StoredObject {
  readonly spec: { readonly nodeName: string; readonly hostNetwork?: boolean };
  readonly status: { readonly phase: string; readonly podIPs?: readonly { readonly ip: string }[] };
}

test('every kind of owner has pods, and every owner reference leads to an object with that uid', () => {
  const { simulator } = createDemo();
  const { cluster } = simulator;
  const uids = new Set(cluster.stores.flatMap((store) => store.list().map(([, object]) => object.metadata.uid)));
  const kinds = new Set<string>();
  for (const store of cluster.stores) {
    for (const [key, object] of store.list()) {
      for (const owner of object.metadata.ownerReferences ?? []) {
        assert.ok(uids.has(owner.uid), `${key}: owner ${owner.kind} ${owner.name} does not exist`);
        kinds.add(owner.kind);
      }
    }
  }
  const expected = ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Node', 'ReplicaSet', 'ReplicationController'];
  assert.deepEqual([...kinds].sort(), [...expected, 'Rollout', 'Service', 'StatefulSet']);
});

test('no two pods that run hold the same address, at any step', () => {
  const { simulator, demo, advance } = createDemo();
  let reused = 0;
  const ever = new Map<string, string>();
  for (let step = 0; step < 600; step++) {
    const holders = new Map<string, string>();
    for (const pod of pods(simulator)) {
      if (pod.spec.hostNetwork === true || pod.status.phase === 'Succeeded') {
        continue;
      }
      for (const { ip } of pod.status.podIPs ?? []) {
        assert.equal(holders.get(ip), undefined, `step ${step}: ${ip} is held twice`);
        holders.set(ip, pod.metadata.uid);
        reused += ever.has(ip) && ever.get(ip) !== pod.metadata.uid ? 1 : 0;
        ever.set(ip, pod.metadata.uid);
      }
    }
    advance(demo);
  }
  assert.ok(reused > 100, `${reused} addresses went from one pod to another`);
});

test('a finished pod goes on showing its address while another pod has it', () => {
  const { simulator, demo, advance } = createDemo();
  const shared = (): boolean => {
    const all = pods(simulator);
    const running = new Set(all.filter(isRunning).flatMap(addressesOf));
    return all.some((pod) => pod.status.phase === 'Succeeded' && addressesOf(pod).some((ip) => running.has(ip)));
  };
  for (let step = 0; step < 600 && !shared(); step++) {
    advance(demo);
  }
  assert.ok(shared());
});

test('slices list exactly the addresses of running pods that their service selects', () => {
  const { simulator, demo, advance } = createDemo();
  for (let step = 0; step < 50; step++) {
    advance(demo);
  }
  const slice = simulator.cluster.get('endpointslices', 'shop', 'frontend-ipv4');
  const endpoints = (slice?.['endpoints'] ?? []) as readonly { readonly addresses: readonly string[] }[];
  const listed = endpoints.flatMap(({ addresses }) => addresses);
  const selected = pods(simulator).filter(
    (pod) => pod.metadata.labels?.['app.kubernetes.io/name'] === 'frontend' && addressesOf(pod).length > 0,
  );
  assert.deepEqual([...listed].sort(), selected.flatMap(addressesOf).sort());
  assert.ok(listed.length > 0);
});

test('it lives within bounds: objects, names and what is promised stay through half an hour', () => {
  const { simulator, demo, advance } = createDemo();
  const before = simulator.cluster.resourceVersion;
  let mostPods = 0;
  for (let step = 0; step < 1_800; step++) {
    advance(demo);
    mostPods = Math.max(mostPods, simulator.cluster.store('pods').size);
  }
  assert.ok(mostPods < 120, `${mostPods} pods at most`);
  assert.ok(simulator.cluster.store('replicasets').size < 40);
  assert.ok(simulator.cluster.resourceVersion - before > 1_800n, 'something happens every second');
  const { namespace, name, ip } = demo.wellKnown.statefulPod;
  const pod = pods(simulator).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  assert.deepEqual(pod === undefined ? [] : addressesOf(pod), [ip]);
});

test('the same randomness makes the same cluster', () => {
  const [first, second] = [createDemo(), createDemo()];
  for (let step = 0; step < 20; step++) {
    first.advance(first.demo);
    second.advance(second.demo);
  }
  assert.deepEqual(pods(first.simulator), pods(second.simulator));
});

test('the living cluster serves what its examples name, and stops', async () => {
  const cluster = await startLivingCluster({ port: 0, random: createRandom(1) });
  const { pod, service, node, workload } = cluster.examples();
  const paths = [
    `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`,
    `/api/v1/namespaces/${service.namespace}/services/${service.name}`,
    `/api/v1/nodes/${node}`,
    `/apis/${workload.group}/v1/namespaces/${workload.namespace}/statefulsets/${workload.name}`,
  ];
  for (const path of paths) {
    assert.equal((await request(cluster.url + path)).code, 200, path);
  }
  const { body } = await request(`${cluster.url}${paths[0]}`);
  assert.equal((body as unknown as { status: { podIP: string } }).status.podIP, pod.address);
  await cluster.stop();
  await assert.rejects(request(`${cluster.url}/readyz`), { code: 'ECONNREFUSED' });
});

test('a filled cluster has pods of 4 to 6 kB with addresses that can be told in advance', () => {
  const simulator = createSimulator({ random: createRandom(1), now: () => 0 });
  const result = fill(simulator.cluster, { pods: 105 });
  assert.deepEqual(result, { pods: 105, nodes: 2, workloads: 6 });
  const all = pods(simulator);
  assert.equal(all.length, 105);
  for (const pod of all) {
    const bytes = JSON.stringify(pod).length;
    assert.ok(bytes > 4_000 && bytes < 6_000, `${bytes} bytes`);
  }
  assert.equal(new Set(all.flatMap(addressesOf)).size, 105);
  assert.ok(all.flatMap(addressesOf).includes(fillPodIp(104)));
});

test('settles with no pod on its way out, whatever was going on', () => {
  const { simulator, demo, advance } = createDemo();
  const leaving = () =>
    simulator.cluster.list('pods').filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  let caught = 0;
  for (let step = 0; step < 100; step++) {
    advance(demo);
    if (leaving().length === 0) continue;
    caught += 1;
    demo.settle();
    assert.deepEqual(leaving(), []);
  }
  assert.ok(caught > 10, `pods were on their way out ${caught} times`);
});

function createDemo(): { simulator: Simulator; demo: DemoCluster; advance: (demo: DemoCluster) => void } {
  let nowMs = 1_767_225_600_000;
  const random = createRandom(7);
  const simulator = createSimulator({ random, now: () => nowMs });
  const demo = createDemoCluster({ cluster: simulator.cluster, random, now: () => nowMs });
  const advance = (living: DemoCluster): void => {
    nowMs += 1_000;
    living.step();
  };
  return { simulator, demo, advance };
}

function pods(simulator: Simulator): readonly PodView[] {
  return simulator.cluster.list('pods') as readonly PodView[];
}

function addressesOf(pod: PodView): readonly string[] {
  return (pod.status.podIPs ?? []).map(({ ip }) => ip);
}

function isRunning(pod: PodView): boolean {
  return pod.status.phase === 'Running' && pod.spec.hostNetwork !== true;
}
