// An API server that goes away and comes back, watched by a whole cluster watch.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { createClusterWatch } from '../../../src/kube/cluster-watch.ts';
import type { PodRecord } from '../../../src/model/kubernetes/records.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { createSimulator } from '../../../src/simulator/server/simulator.ts';
import { MirrorStore, storesAround } from './mirror-store.ts';
import { HurriedClock, TestCredentials } from './reflector-under-test.ts';

const DEADLINE_MS = 30_000;

for (const streamInitialList of [true, false]) {
  const how = streamInitialList ? 'streamed lists' : 'plain lists';
  test(`after an outage every resource follows again, what changed meanwhile included (${how})`, async () => {
    const simulator = createSimulator({ random: () => 0.5, now: Date.now });
    const create = (name: string) => simulator.cluster.create('pods', { metadata: { namespace: 'shop', name } });
    create('before');
    let listening = await simulator.listen({ port: 0 });
    const pods = new MirrorStore<PodRecord>();
    const stores = storesAround(pods);
    const clock = new HurriedClock();
    const watch = createClusterWatch({
      onOtherCluster: () => assert.fail('another cluster'),
      credentials: new TestCredentials(listening.url),
      stores,
      logger: createLogger({ level: 'silent', pretty: false }),
      registry: new Registry(),
      clock,
      random: () => 0,
      userAgent: 'digger/test',
      streamInitialList,
    });
    const until = async (condition: () => boolean) => {
      const endAt = Date.now() + DEADLINE_MS;
      while (!condition()) {
        if (Date.now() > endAt) assert.fail(JSON.stringify({ statuses: watch.statuses(), pods: pods.names() }));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const allIn = (state: string) => watch.statuses().every((status) => status.synced && status.state === state);
    watch.start();
    try {
      await until(() => allIn('watching') && pods.names().join() === 'before');
      const { port } = listening;
      await listening.close();
      await until(() => allIn('backing-off'));
      create('meanwhile');
      listening = await simulator.listen({ port });
      await until(() => allIn('watching') && pods.names().join() === 'before,meanwhile');
      create('after');
      await until(() => pods.names().join() === 'after,before,meanwhile');
    } finally {
      await watch.stop();
      await listening.close();
    }
    assert.ok(watch.statuses().every(({ state }) => state === 'stopped'));
  });
}
