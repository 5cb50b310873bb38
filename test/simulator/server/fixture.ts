// A simulator with some pods on a loopback port, closed when the test ends.

import type { TestContext } from 'node:test';
import {
  createSimulator,
  type ListeningSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../../src/simulator/server/simulator.ts';

export interface Fixture {
  readonly simulator: Simulator;
  readonly server: ListeningSimulator;
  readonly url: string;
}

export async function start(test: TestContext, options: Partial<SimulatorOptions> = {}): Promise<Fixture> {
  const simulator = createSimulator({
    random: createRandom(1),
    now: () => 1_767_225_600_000,
    freshnessWaitMs: 50,
    ...options,
  });
  const server = await simulator.listen({ port: 0 });
  test.after(() => server.close());
  return { simulator, server, url: server.url };
}

export function createPods(simulator: Simulator, names: readonly string[], namespace = 'default'): void {
  for (const name of names) {
    simulator.cluster.create('pods', {
      metadata: { namespace, name, labels: { app: name } },
      spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'image:1' }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], startTime: '2026-01-01T00:00:00Z' },
    });
  }
}

/** mulberry32: small, seeded, good enough for names. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
