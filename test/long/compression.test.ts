// What asking a real API server for gzip brings and costs: 10,000 pods, listed and streamed, with and without.
//
// Asserts that the records are the same, and prints bytes on the wire, processor time of both sides and time of the
// clock; docs/decisions/gzip-for-lists.md draws the conclusion. The server's processor time is what it says of itself.

import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { request as requestHttps } from 'node:https';
import { test } from 'node:test';
import { InitialEvents } from '../../src/kube/reflector/initial-events.ts';
import { ReflectorTally } from '../../src/kube/reflector/reflector-tally.ts';
import { createCredentials, type RequestHeaders } from '../../src/kube/credentials/credentials.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { type RequestContext, requestList, requestWatch } from '../../src/kube/reflector/requests.ts';
import { acceptHeader, pods as podResource } from '../../src/kube/resources.ts';
import { createTransport, type Transport } from '../../src/kube/transport/transport.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { ControlPlane } from '../cluster/control-plane.ts';
import { loadPods } from '../cluster/etcd-loader.ts';
import { MirrorStore } from '../kube/reflector/mirror-store.ts';

const PODS = Number(process.env['COMPRESSED_PODS'] ?? 10_000);
const ROUNDS = 9;
const WATCH_PARAMETERS =
  'watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=300';

type How = 'list' | 'streamed list';
type Cost = { readonly clientMs: number; readonly serverMs: number; readonly clockMs: number };

test('gzip from a real API server decodes to the same pods', { timeout: 600_000 }, async () => {
  await using plane = await ControlPlane.start({
    controllers: false,
    readyDeadlineMs: 300_000,
    beforeApiServer: async (etcdUrl) => void (await loadPods(etcdUrl, PODS)),
  });
  const credentials = createCredentials({ kubeconfig: plane.adminKubeconfig, clock: systemClock });
  for (const how of ['list', 'streamed list'] as const) {
    const costs = new Map<boolean, Cost[]>([
      [false, []],
      [true, []],
    ]);
    let expected: readonly PodRecord[] | undefined;
    // In turns, and the first of each for the caches only.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const acceptGzip of [false, true]) {
        const transport = createTransport({ credentials, userAgent: 'digger/test' });
        const asking: Transport = {
          request: (request) => transport.request({ ...request, gzip: acceptGzip }),
          close: () => transport.close(),
        };
        try {
          const { records, cost } = await measure(plane, (context) => read(how, context), asking);
          assert.equal(records.length, PODS);
          expected ??= records;
          if (round === 0) assert.deepEqual(records, expected);
          else costs.get(acceptGzip)?.push(cost);
        } finally {
          await transport.close();
        }
      }
    }
    for (const [acceptGzip, all] of costs) {
      const bytes = await bytesOnTheWire(
        plane,
        (await credentials.current(new AbortController().signal)).headers,
        how,
        acceptGzip,
      );
      const median = (key: keyof Cost) =>
        Math.round(all.map((cost) => cost[key]).sort((a, b) => a - b)[ROUNDS >> 1] ?? 0);
      const figures = { bytes, serverMs: median('serverMs'), clientMs: median('clientMs'), clockMs: median('clockMs') };
      console.log(`${how}, ${acceptGzip ? 'gzip' : 'plain'}: ${JSON.stringify(figures)}`);
      assert.ok(acceptGzip ? bytes < PODS * 1_500 : bytes > PODS * 2_000, `${bytes} bytes`);
    }
  }
});

async function measure(
  plane: ControlPlane,
  act: (context: RequestContext<PodRecord>) => Promise<readonly PodRecord[]>,
  transport: Transport,
): Promise<{ readonly records: readonly PodRecord[]; readonly cost: Cost }> {
  const signal = AbortSignal.timeout(120_000);
  const serverBefore = await serverCpuMs(plane);
  const startMs = performance.now();
  const before = process.cpuUsage();
  const records = await act({ transport, resource: podResource, namespace: undefined, signal, onContact: () => {} });
  const { user, system } = process.cpuUsage(before);
  const clockMs = performance.now() - startMs;
  const serverMs = (await serverCpuMs(plane)) - serverBefore;
  return { records, cost: { clientMs: (user + system) / 1000, serverMs, clockMs } };
}

async function read(how: How, context: RequestContext<PodRecord>): Promise<readonly PodRecord[]> {
  if (how === 'list') {
    const records: PodRecord[] = [];
    await requestList(context, { resourceVersion: '0', limit: 500, continueToken: '' }, (record) =>
      records.push(record),
    );
    return records;
  }
  const store = new MirrorStore<PodRecord>();
  const initial = new InitialEvents(store);
  const query = { resourceVersion: '', timeoutSeconds: 300, sendInitialEvents: true };
  const watch = (await requestWatch(context, query)).events[Symbol.asyncIterator]();
  const { resourceVersion } = await initial.read(watch, 'pods', new ReflectorTally());
  await watch.return?.();
  await initial.commit(resourceVersion, () => ({ atMs: 0 }));
  return [...store.records.values()];
}

/** Of the body, without headers and TLS. */
function bytesOnTheWire(plane: ControlPlane, identity: RequestHeaders, how: How, acceptGzip: boolean): Promise<number> {
  const query = how === 'list' ? 'resourceVersion=0&limit=500' : WATCH_PARAMETERS.replace('=300', '=8');
  return new Promise((resolve, reject) => {
    const headers = {
      ...(identity as OutgoingHttpHeaders),
      accept: acceptHeader(podResource, how === 'list' ? 'list' : 'watch'),
      'accept-encoding': acceptGzip ? 'gzip' : 'identity',
    };
    requestHttps(`${plane.url}/api/v1/pods?${query}`, { ca: plane.ca, headers }, (response) => {
      let bytes = 0;
      assert.equal(response.headers['content-encoding'], acceptGzip ? 'gzip' : undefined);
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
    })
      .on('error', reject)
      .end();
  });
}

async function serverCpuMs(plane: ControlPlane): Promise<number> {
  const { body } = await plane.client.raw('GET', '/metrics', { accept: '*/*' });
  const found = /^process_cpu_seconds_total (\S+)$/m.exec(body)?.[1];
  return 1000 * Number(found ?? assert.fail('the server tells no processor time'));
}
