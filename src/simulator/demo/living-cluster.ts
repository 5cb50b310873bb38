// The demo cluster behind a port: simulator, inhabitants and life in one call, for `digger demo`.
//
// Promises: the cluster is complete before the port answers, and what `examples` names exists until `stop`. The only
// file of the simulator that knows the real clock and real randomness, as defaults.

import type { ClusterExamples } from './cluster-examples.ts';
import { createDemoCluster, type DemoWellKnown } from './demo-cluster.ts';
import { createSimulator, type ListenOptions, type Simulator } from '../server/simulator.ts';

export interface LivingClusterOptions extends ListenOptions {
  /** Default: Math.random. */
  readonly random?: () => number;
  /** Milliseconds since the epoch. Default: Date.now. */
  readonly now?: () => number;
}

export interface RunningLivingCluster {
  readonly url: string;
  readonly simulator: Simulator;
  readonly wellKnown: DemoWellKnown;
  /** There from start to stop. */
  examples(): ClusterExamples;
  /** Ends its life, once no pod is on its way out: from then on nothing changes any more. */
  rest(): Promise<void>;
  /** Ends its life, then its port. */
  stop(): Promise<void>;
}

export async function startLivingCluster(options: LivingClusterOptions): Promise<RunningLivingCluster> {
  const random = options.random ?? Math.random;
  const now = options.now ?? Date.now;
  const simulator = createSimulator({ random, now });
  const demo = createDemoCluster({ cluster: simulator.cluster, random, now });
  const listening = await simulator.listen(options);
  const life = new AbortController();
  const living = demo.run(life.signal);
  const rest = async (): Promise<void> => {
    life.abort();
    await living;
    demo.settle();
  };
  const { statefulPod, frontendClusterIp } = demo.wellKnown;
  return {
    url: listening.url,
    simulator,
    wellKnown: demo.wellKnown,
    examples: () => ({
      pod: { namespace: statefulPod.namespace, name: statefulPod.name, address: statefulPod.ip },
      service: { namespace: 'shop', name: 'frontend', address: frontendClusterIp, port: 80 },
      node: 'worker-1',
      workload: { group: 'apps', kind: 'StatefulSet', namespace: statefulPod.namespace, name: 'cart-redis' },
    }),
    rest,
    stop: async () => {
      await rest();
      await listening.close();
    },
  };
}
