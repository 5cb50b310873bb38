// A simulated API server full of pods, in a thread of its own: what it costs must not show in what its client costs.

import { parentPort, workerData } from 'node:worker_threads';
import { fill } from '../simulator/fill.ts';
import { createSimulator } from '../../src/simulator/server/simulator.ts';
import { createRandom } from '../random.ts';

const { pods } = workerData as { readonly pods: number };
const simulator = createSimulator({ random: createRandom(1).next, now: Date.now });
fill(simulator.cluster, { pods });
const { url } = await simulator.listen({ port: 0 });
parentPort?.on('message', () => {
  // Every watch ends, and none can go on from its version.
  simulator.cluster.advanceResourceVersion(5);
  simulator.cluster.compact();
  simulator.sendError(410);
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(url);
