// What one lookup of a batch costs the process, without the connection that brings it: µs of CPU a lookup from the
// bytes of a request to the bytes of its answer.
//
// A real catalog and a real address index with 20,000 pods of 1,000 deployments; addresses in random order, because in
// a cluster most of what an answer needs is in no cache of the processor either. CPU time of the thread, so that other
// work on the machine is not in it; medians of the rounds.

import { Registry } from '@prometheus-io/client';
import { AddressBook } from '../../src/addresses/address-book.ts';
import { Catalog } from '../../src/catalog/catalog.ts';
import { UNKNOWN_CLUSTER } from '../../src/model/cluster-identity.ts';
import type { CallContext } from '../../src/rpc/methods/call-context.ts';
import { batchResolveAddresses } from '../../src/rpc/methods/batch-resolve-addresses.ts';
import { PodAttributes } from '../../src/rpc/methods/answers/otel-attributes.ts';
import { PlainAnswers } from '../../src/rpc/methods/answers/plain-answers.ts';
import { encodePlain } from '../../src/rpc/methods/answers/resolution.ts';
import type { AddressLookup } from '../../src/rpc/methods/resolve-address.ts';
import { loadBytesService } from '../../src/rpc/services.ts';
import { storesOf } from '../catalog/harness.ts';
import { controlledBy, node, owner, pod } from '../catalog/records.ts';
import { createRandom } from '../random.ts';
import { encodeMessage } from '../rpc/serving.ts';

const PODS = 20_000;
const PODS_PER_DEPLOYMENT = 20;
const NODES = 200;
const SIZES = [100, 1_000] as const;
const ROUNDS = process.argv.includes('--short') ? 5 : 15;
/** Lookups of a round. */
const LOOKUPS = 100_000;
const SEEN = { atMs: Date.now() - 60_000 };

const random = createRandom(1);
const lookup = await createLookup();
const call: CallContext = {
  nowMs: Date.now,
  charge: () => undefined,
  turn: () => undefined,
  waitSignal: () => AbortSignal.abort(),
  throwIfOver: () => undefined,
  draining: false,
};
const { batchResolveAddresses: method } = loadBytesService('digger.v1.LookupService');
if (method === undefined) throw new Error('no BatchResolveAddresses');
const { requestDeserialize } = method;

for (const view of ['VIEW_BASIC', 'VIEW_FULL'] as const) {
  for (const size of SIZES) measure(view, size, 'now');
}
measure('VIEW_BASIC', 1_000, 'then');

function measure(view: string, size: number, when: 'now' | 'then'): void {
  const requests = Array.from({ length: 50 }, () => {
    const at = when === 'then' ? { seconds: Math.floor(Date.now() / 1_000) - 5, nanos: 0 } : undefined;
    const question = { port: 443, protocol: 'PROTOCOL_TCP', at };
    const queries = Array.from({ length: size }, () => ({
      address: podAddress(random.between(0, PODS - 1)),
      ...(when === 'then' ? question : undefined),
    }));
    return encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries, view });
  });
  const calls = LOOKUPS / size;
  const wholeUs: number[] = [];
  let bytes = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const whole = cpuUs(() => {
      for (let at = 0; at < calls; at += 1) {
        const answer = batchResolveAddresses(requestDeserialize(request(at)) as never, lookup, call);
        if (answer instanceof Promise) throw new Error('waits');
        bytes = answer.length;
      }
    });
    // Round 0 warms up.
    if (round === 0) continue;
    wholeUs.push(whole / LOOKUPS);
  }
  const us = median(wholeUs).toFixed(2);
  console.log(`batch of ${size}, ${view}, ${when}: ${us} µs a lookup; ${Math.round(bytes / size)} bytes a lookup`);

  function request(at: number): Buffer {
    return requests[at % requests.length] as Buffer;
  }
}

function cpuUs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function podAddress(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

async function createLookup(): Promise<AddressLookup> {
  const catalog = new Catalog({ registry: new Registry() });
  const addresses = new AddressBook({
    now: Date.now,
    slackMs: 500,
    retentionMs: 600_000,
    maxClaims: 100_000,
    maxBytes: 100_000_000,
    maxWaiters: 100,
    clusterRanges: [],
    blindSinceMs: () => undefined,
  });
  catalog.onBatch((batch) => addresses.apply(batch));
  const stores = storesOf(catalog);
  const sets = catalog.owners('replicasets.apps');
  for (let at = 0; at < NODES; at += 1) stores.Node.upsert(node(`node-${at}`), '1', SEEN);
  for (let at = 0; at < PODS / PODS_PER_DEPLOYMENT; at += 1) {
    const deployment = owner('Deployment', `deployment-${at}`);
    stores.Owner.upsert(deployment, '1', SEEN);
    const name = `${deployment.name}-5d59d67564`;
    sets.upsert(owner('ReplicaSet', name, { controller: controlledBy(deployment) }), '1', SEEN);
  }
  for (let at = 0; at < PODS; at += 1) stores.Pod.upsert(podAt(at), '1', SEEN);
  await catalog.open();
  addresses.open();
  while (!addresses.timelines.settle()) continue;
  return {
    addresses,
    plain: new PlainAnswers(addresses.plain, encodePlain),
    catalog,
    networks: { find: () => undefined },
    cluster: () => UNKNOWN_CLUSTER,
    podAttributes: new PodAttributes(),
    stalenessMs: () => undefined,
    countLookup: (outcome) => {
      if (outcome !== 'RESOLVED') throw new Error(`a pod's address is ${outcome}`);
    },
  };
}

function podAt(at: number): ReturnType<typeof pod> {
  const deployment = Math.floor(at / PODS_PER_DEPLOYMENT);
  const set = owner('ReplicaSet', `deployment-${deployment}-5d59d67564`);
  const hash = at.toString(16).padStart(12, '0');
  return pod(`deployment-${deployment}-5d59d67564-${at.toString(36).padStart(5, 'x')}`, {
    uid: `2f1b7c9a-0000-4000-8000-${hash}`,
    namespace: 'shop',
    controller: controlledBy(set),
    nodeName: `node-${at % NODES}`,
    podIps: [podAddress(at)],
    hostIps: [`192.168.0.${at % NODES}`],
    startTimeMs: SEEN.atMs - 1_000,
    labels: { 'app.kubernetes.io/name': `deployment-${deployment}`, 'pod-template-hash': '5d59d67564', tier: 'web' },
    annotations: { 'prometheus.io/scrape': 'true', 'checksum/config': hash.repeat(5), team: 'payments' },
  });
}
