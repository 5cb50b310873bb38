// What a pod costs the catalog: time to join at start and to update, memory once settled. Run with --expose-gc.

import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { encodedLength } from '../../src/wire/encoded-entity.ts';
import { type CatalogStores, storesOf } from '../catalog/harness.ts';
import { controlledBy, node, owner, pod, service, slice } from '../catalog/records.ts';

const PODS = 20_000;
const PODS_PER_DEPLOYMENT = 20;
const NODES = 200;
const SEEN = { atMs: 0 };

const collect = globalThis.gc ?? (() => undefined);

/** Text of its own memory, as a decoder makes it: a concatenation would keep its parts. */
const own = (text: string) => Buffer.from(text).toString('utf8');

function podAt(at: number): PodRecord {
  const deployment = Math.floor(at / PODS_PER_DEPLOYMENT);
  const set = owner('ReplicaSet', `deployment-${deployment}-5d59d67564`);
  const hash = at.toString(16).padStart(12, '0');
  return pod(own(`deployment-${deployment}-5d59d67564-${at.toString(36).padStart(5, 'x')}`), {
    uid: own(`2f1b7c9a-0000-4000-8000-${hash}`),
    namespace: own('shop'),
    controller: { ...controlledBy(set), uid: own(set.uid), name: own(set.name) },
    nodeName: own(`node-${at % NODES}`),
    podIps: [own(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`)],
    hostIps: [own(`192.168.0.${at % NODES}`)],
    startTimeMs: 1_700_000_000_000 + at,
    labels: { 'app.kubernetes.io/name': `deployment-${deployment}`, 'pod-template-hash': '5d59d67564', tier: 'web' },
    annotations: { 'prometheus.io/scrape': 'true', 'checksum/config': hash.repeat(5), team: 'payments' },
    containers: [
      {
        type: 'ordinary',
        name: 'app',
        image: `registry.example.com/team/deployment-${deployment}@sha256:${hash.repeat(5)}`,
        containerId: `containerd://${hash.repeat(5)}`,
        previousContainerId: '',
        ended: false,
        imageDigest: `sha256:${deployment.toString(16).padStart(64, '0')}`,
        ports: [{ name: 'http', containerPort: 8080, hostPort: 0, hostIp: '', protocol: 'TCP' }],
      },
    ],
  });
}

async function main(): Promise<void> {
  const warm = new Catalog({ registry: new Registry() }); // Warm: code, not data.
  await fill(warm, storesOf(warm), 500);
  const catalog = new Catalog({ registry: new Registry() });
  const stores = storesOf(catalog);
  const before = settled();
  const { collectMs, openMs } = await fill(catalog, stores, PODS);
  const after = settled();
  const startedUpdates = performance.now();
  for (let at = 0; at < PODS; at += 1) stores.Pod.upsert({ ...podAt(at), phase: 'Failed' }, '2', SEEN);
  const updateMs = performance.now() - startedUpdates;
  const startedNoops = performance.now();
  for (let at = 0; at < PODS; at += 1) stores.Pod.upsert({ ...podAt(at), phase: 'Failed' }, '3', SEEN);
  const noopMs = performance.now() - startedNoops;
  const perPod = (total: number) => Math.round(total / PODS);
  const microseconds = (ms: number) => Number(((ms * 1000) / PODS).toFixed(1));
  const sample = catalog.pod('shop', podAt(0).name);
  console.log({
    pods: PODS,
    collectUsPerPod: microseconds(collectMs),
    openUsPerPod: microseconds(openMs),
    updateUsPerPod: microseconds(updateMs),
    noopUsPerPod: microseconds(noopMs),
    encodedBytesPerPod: sample && encodedLength(sample, 'FULL'),
    heapBytesPerPod: perPod(after.heapUsed - before.heapUsed),
    arrayBufferBytesPerPod: perPod(after.arrayBuffers - before.arrayBuffers),
    rssBytesPerPod: perPod(after.rss - before.rss),
    rssBytesPerPodAfterUpdates: perPod(settled().rss - before.rss),
  });
}

async function fill(
  catalog: Catalog,
  stores: CatalogStores,
  pods: number,
): Promise<{ collectMs: number; openMs: number }> {
  const started = performance.now();
  const sets = catalog.owners('replicasets.apps');
  const deployments = stores.Owner;
  for (let at = 0; at < NODES; at += 1) stores.Node.upsert(node(`node-${at}`), '1', SEEN);
  for (let at = 0; at < pods / PODS_PER_DEPLOYMENT; at += 1) {
    const deployment = owner('Deployment', `deployment-${at}`);
    deployments.upsert(deployment, '1', SEEN);
    sets.upsert(
      owner('ReplicaSet', `${deployment.name}-5d59d67564`, { controller: controlledBy(deployment) }),
      '1',
      SEEN,
    );
    stores.Service.upsert(service(`service-${at}`), '1', SEEN);
    const first = at * PODS_PER_DEPLOYMENT;
    const backends = Array.from({ length: PODS_PER_DEPLOYMENT }, (_, index) => podAt(first + index));
    stores.EndpointSlice.upsert(slice(`slice-${at}`, `service-${at}`, backends), '1', SEEN);
  }
  const replacement = stores.Pod.beginReplace();
  for (let at = 0; at < pods; at += 1) replacement.add(podAt(at));
  await replacement.commit('1', SEEN);
  const collected = performance.now();
  await catalog.open();
  return { collectMs: collected - started, openMs: performance.now() - collected };
}

function settled(): NodeJS.MemoryUsage {
  for (let round = 0; round < 3; round += 1) collect();
  return process.memoryUsage();
}

await main();
