// Which encoding is asked for first, by every watch of a cluster, and that the pictures are the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { createClusterWatch } from '../../../src/kube/cluster-watch.ts';
import type { Encoding } from '../../../src/kube/decoding/list-body.ts';
import type { PodRecord } from '../../../src/model/kubernetes/records.ts';
import { createSimulator } from '../../../src/simulator/server/simulator.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { pod } from '../reflector/following.ts';
import { MirrorStore, storesAround } from '../reflector/mirror-store.ts';
import { HurriedClock, TestCredentials } from '../reflector/reflector-under-test.ts';

const DEADLINE_MS = 30_000;

async function watched(encoding: Encoding | undefined) {
  const simulator = createSimulator({ random: () => 0.5, now: Date.now });
  for (const name of ['a', 'b']) simulator.cluster.create('pods', pod(name));
  const listening = await simulator.listen({ port: 0 });
  const pods = new MirrorStore<PodRecord>();
  const watch = createClusterWatch({
    onOtherCluster: () => assert.fail('another cluster'),
    credentials: new TestCredentials(listening.url),
    stores: storesAround(pods),
    logger: createLogger({ level: 'silent', pretty: false }),
    registry: new Registry(),
    clock: new HurriedClock(),
    random: () => 0,
    userAgent: 'digger/test',
    ...(encoding === undefined ? {} : { encoding }),
  });
  const until = async (condition: () => boolean) => {
    const endAt = Date.now() + DEADLINE_MS;
    while (!condition()) {
      if (Date.now() > endAt) assert.fail(JSON.stringify({ statuses: watch.statuses(), pods: pods.names() }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  watch.start();
  try {
    await until(
      () => watch.statuses().every(({ state }) => state === 'watching') && simulator.watchCount('pods') === 1,
    );
    simulator.cluster.create('pods', pod('c'));
    simulator.cluster.delete('pods', 'shop', 'a');
    await until(() => pods.names().join() === 'b,c');
    // The uid of the cluster is read as one object, which is not followed.
    const requests = simulator.requests.entries().filter(({ parameters }) => parameters['fieldSelector'] === undefined);
    return {
      first: new Set(requests.map(({ accept }) => accept.split(/[;,]/)[0])),
      isStreamed: requests.some(({ parameters }) => parameters['sendInitialEvents'] === 'true'),
      isListed: requests.some(({ verb }) => verb === 'list'),
      records: [...pods.records.values()].map((record) => ({ ...(record as object), uid: '', creationTimeMs: 0 })),
    };
  } finally {
    await watch.stop();
    await listening.close();
  }
}

test('protobuf is asked for first, and lists are streamed', async () => {
  const { first, isStreamed, isListed } = await watched(undefined);
  assert.deepEqual(first, new Set(['application/vnd.kubernetes.protobuf']));
  assert.deepEqual([isStreamed, isListed], [true, false]);
});

test('JSON is asked for first where that is wanted, in plain lists, and says the same', async () => {
  const { first, isStreamed, isListed, records } = await watched('json');
  assert.deepEqual(first, new Set(['application/json']));
  assert.deepEqual([isStreamed, isListed], [false, true]);
  assert.equal(records.length, 2);
  assert.deepEqual(records, (await watched('protobuf')).records);
});
