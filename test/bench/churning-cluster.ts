// A simulated cluster in a thread, whose pods come and go at a rate that it is told: half of the changes are a new pod
// with an address, the other half the end of one that came two seconds before. The name of a pod says when it came.

import { parentPort, workerData } from 'node:worker_threads';
import { createSimulator } from '../../src/simulator/server/simulator.ts';
import { createRandom } from '../random.ts';
import { fill } from '../simulator/fill.ts';

/** `perSecond` changes from now on; 0: none. */
export interface ChurnOrder {
  readonly perSecond: number;
}

export const NAMESPACE = 'churn';
const TICK_MS = 10;
const LIVES_MS = 2_000;

if (parentPort === null) throw new Error('runs in a thread');
const { pods } = workerData as { readonly pods: number };
const simulator = createSimulator({ random: createRandom(1).next, now: Date.now });
fill(simulator.cluster, { pods });
const server = await simulator.listen({ host: '127.0.0.1', port: 0 });

let perSecond = 0;
let owed = 0;
let made = 0;
const living: { readonly name: string; readonly atMs: number }[] = [];
setInterval(() => {
  owed += (perSecond * TICK_MS) / 1_000;
  for (; owed >= 1; owed--) {
    const oldest = living[0];
    if (oldest !== undefined && Date.now() - oldest.atMs >= LIVES_MS) {
      living.shift();
      simulator.cluster.delete('pods', NAMESPACE, oldest.name);
    } else if (perSecond > 0) create();
  }
}, TICK_MS);
parentPort.on('message', (order: ChurnOrder) => (perSecond = order.perSecond));
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort.postMessage(server.url);

function create(): void {
  const number = made++;
  const atMs = performance.timeOrigin + performance.now();
  const name = `at-${Math.round(atMs * 1_000)}-${number % 1_000}`;
  const ip = `10.200.${(number >> 8) & 255}.${number & 255}`;
  living.push({ name, atMs: Date.now() });
  simulator.cluster.create('pods', {
    metadata: { namespace: NAMESPACE, name, labels: { app: 'churn' } },
    spec: { nodeName: 'node-0', containers: [{ name: 'main', image: 'registry.example.com/main:1' }] },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], startTime: `${new Date().toISOString().slice(0, 19)}Z` },
  });
}
