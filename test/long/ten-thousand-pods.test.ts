// Ten thousand pods listed, and listed again: how long the event loop stands still for it, and what is kept.
//
// In CPU time of the thread, which does not depend on what else the machine does. The bounds are ratios against what
// naive clients do in the same run, the figures are diagnostics.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import { createPacer } from '../../src/catalog/pacer.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { createClusterWatch } from '../../src/kube/cluster-watch.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MirrorStore } from '../kube/reflector/mirror-store.ts';
import { TestCredentials } from '../kube/reflector/reflector-under-test.ts';

const PODS = 10_000;
const DEADLINE_MS = 60_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

for (const streamInitialList of [true, false]) {
  const how = streamInitialList ? 'streamed' : 'plain';
  test(`10,000 pods are listed (${how}) and relisted without stopping the event loop for long`, async (context) => {
    const worker = new Worker(new URL('./filled-server.ts', import.meta.url), { workerData: { pods: PODS } });
    context.after(() => worker.terminate());
    const [url] = (await once(worker, 'message')) as [string];
    const registry = new Registry();
    collectGarbage();
    const heldBefore = held();
    const pacer = createPacer();
    const catalog = new Catalog({ registry, pacer });
    const watch = createClusterWatch({
      onOtherCluster: () => assert.fail('another cluster'),
      credentials: new TestCredentials(url),
      stores: {
        pods: (source) => catalog.store('Pod', source),
        services: (source) => catalog.store('Service', source),
        endpointSlices: (source) => catalog.store('EndpointSlice', source),
        namespaces: (source) => catalog.store('Namespace', source),
        nodes: catalog.store('Node', 'nodes'),
        serviceCidrs: new MirrorStore(),
        owners: (source) => catalog.store('Owner', source),
      },
      logger: createLogger({ level: 'silent', pretty: false }),
      registry,
      clock: systemClock,
      random: Math.random,
      userAgent: 'digger/test',
      streamInitialList,
      pace: pacer,
    });
    const until = async (condition: () => boolean) => {
      const endAt = Date.now() + DEADLINE_MS;
      while (!condition()) {
        if (Date.now() > endAt) assert.fail(JSON.stringify(watch.statuses()));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const required = () => watch.statuses().filter((status) => status.required);
    try {
      const firstMs = await longestTurn(async () => {
        watch.start();
        await until(() => required().every((status) => status.synced));
        await catalog.open();
      });
      assert.equal(catalog.objects('pods'), PODS);
      const { sequence } = catalog;
      const againMs = await longestTurn(async () => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage('expire');
        await until(() => required().every((status) => status.lists >= 2 && status.state === 'watching'));
      });
      assert.equal(catalog.sequence, sequence, 'a relist of the same objects changes nothing');
      collectGarbage();
      const bytesPerPod = (held() - heldBefore) / PODS;

      // What a client does that reads the list as one JSON text.
      const text = await (await fetch(`${url}/api/v1/pods`, { headers: { accept: 'application/json' } })).text();
      const beforeMs = cpuMs();
      const parsed = JSON.parse(text) as { items: readonly unknown[] };
      const parseMs = cpuMs() - beforeMs;
      assert.equal(parsed.items.length, PODS);

      context.diagnostic(
        `longest turn: ${firstMs.toFixed(0)} ms for the first list, ${againMs.toFixed(0)} ms for a relist`,
      );
      context.diagnostic(`JSON.parse of the same list: ${parseMs.toFixed(0)} ms`);
      context.diagnostic(`kept: ${bytesPerPod.toFixed(0)} bytes a pod, of ${Math.round(text.length / PODS)} in JSON`);
      assert.ok(Math.max(firstMs, againMs) < parseMs, `${firstMs} and ${againMs} ms beside ${parseMs} ms`);
      assert.ok(bytesPerPod < text.length / PODS, `${bytesPerPod} bytes`);
    } finally {
      await watch.stop();
    }
  });
}

/** Heap and buffers, of this thread. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The longest turn of the event loop during `work`: as long would a lookup have waited. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longestMs = 0;
  let lastMs = cpuMs();
  let done = false;
  const turn = (): void => {
    const nowMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  done = true;
  return longestMs;
}
