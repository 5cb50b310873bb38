// A little cluster that lives: two dozen workloads of all kinds on four nodes, and something happening every second.
//
// Deployments roll out and scale, pods of StatefulSets come back under their names, Jobs finish and hand their
// addresses on, CronJobs start the next ones. Everything follows from the given randomness and clock and from the
// number of steps; nothing in it knows a timer except `run`. Bounded: objects and addresses are reused for hours.

import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../server/cluster.ts';
import { DEMO_ADDRESSES, DEMO_NAMESPACES, DEMO_SERVICES, DEMO_WORKLOADS, type DemoWorkload } from './inventory.ts';
import { JobController } from './jobs.ts';
import { DemoKubelet } from './kubelet.ts';
import { DemoNode } from './nodes.ts';
import { ReplicaController } from './replicas.ts';
import { RolloutController } from './rollouts.ts';
import { DemoEndpointsController } from './services.ts';

export interface DemoClusterOptions {
  /** Filled in place: must not hold any of the demo's objects yet. */
  readonly cluster: Cluster;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a demo may print: holds for as long as the cluster lives. */
export type DemoWellKnown = typeof DEMO_ADDRESSES & {
  readonly statefulPod: { readonly namespace: string; readonly name: string; readonly ip: string };
};

export interface DemoCluster {
  readonly wellKnown: DemoWellKnown;
  /** One step of everything that lives: some ten writes, most of them to pods, slices and their owners. */
  step(): void;
  /** Steps once a second until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Steps until no pod is on its way out. A pod outlives the Job or ReplicaSet that was deleted with it, and then lists
   * do not tell any more what that was: who compares with lists has to wait.
   */
  settle(): void;
}

/** Synchronous; some milliseconds. Registers the custom kind `rollouts.argoproj.io`. */
export function createDemoCluster(options: DemoClusterOptions): DemoCluster {
  return new LivingCluster(options);
}

class LivingCluster implements DemoCluster {
  readonly wellKnown: DemoWellKnown;
  readonly #options: DemoClusterOptions;
  readonly #nodes: readonly DemoNode[];
  readonly #kubelet: DemoKubelet;
  readonly #endpoints: DemoEndpointsController;
  readonly #rollouts: RolloutController[] = [];
  readonly #replicas: { readonly workload: DemoWorkload; readonly controller: ReplicaController }[] = [];
  readonly #jobs: JobController[] = [];
  #steps = 0;

  constructor(options: DemoClusterOptions) {
    const { cluster, random, now } = options;
    this.#options = options;
    cluster.registerCustomResource({
      group: 'argoproj.io',
      version: 'v1alpha1',
      plural: 'rollouts',
      kind: 'Rollout',
    });
    for (const name of Object.keys(DEMO_NAMESPACES)) {
      cluster.create('namespaces', {
        metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...DEMO_NAMESPACES[name] } },
        status: { phase: 'Active' },
      });
    }
    cluster.create('servicecidrs.networking.k8s.io', {
      metadata: { name: 'kubernetes' },
      spec: { cidrs: ['10.96.0.0/16', 'fd00:10:96::/112'] },
    });
    this.#nodes = NODE_NAMES.map((name, index) => new DemoNode(cluster, index, name, index === 0, now()));
    this.#kubelet = new DemoKubelet({ cluster, nodes: this.#nodes, random, now });
    for (const workload of DEMO_WORKLOADS) {
      this.#start(workload);
      // At once, so that the first workloads have the first addresses.
      this.#kubelet.settle();
    }
    this.#endpoints = new DemoEndpointsController(cluster, DEMO_SERVICES);
    this.#reconcile();
    this.wellKnown = { ...DEMO_ADDRESSES, statefulPod: this.#statefulPod('shop', 'cart-redis-0') };
  }

  step(): void {
    this.#steps += 1;
    this.#kubelet.tick();
    for (const job of this.#jobs) {
      job.step();
    }
    this.#act();
    if (this.#steps % HEARTBEAT_STEPS === 0) {
      for (const node of this.#nodes) {
        node.heartbeat(this.#options.cluster, this.#options.now());
      }
    }
    this.#reconcile();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.step();
      await delay(STEP_INTERVAL_MS, undefined, { signal }).catch((error: unknown) => {
        // Aborted while waiting: the loop ends by its own condition.
        if (!signal.aborted) {
          throw error;
        }
      });
    }
  }

  settle(): void {
    const isLeaving = () =>
      this.#options.cluster.list('pods').some(({ metadata }) => metadata.deletionTimestamp !== undefined);
    for (let step = 0; isLeaving(); step++) {
      if (step === MAX_STEPS_TO_SETTLE) throw new Error(`pods are still on their way out after ${step} steps`);
      this.step();
    }
  }

  /** What operators do all day: one thing at every second step. */
  #act(): void {
    if (this.#steps % 2 !== 0) {
      return;
    }
    const { random } = this.#options;
    const rollouts = this.#rollouts.filter(({ workload }) => !workload.quiet);
    const rollout = pick(rollouts, random);
    const dice = random();
    if (dice < 0.4) {
      rollout.rollout();
    } else if (dice < 0.7) {
      const spread = rollout.workload.replicas + 2;
      rollout.scale(1 + Math.floor(random() * spread));
    } else {
      const { controller } = pick(
        this.#replicas.filter(({ workload }) => !workload.quiet),
        random,
      );
      const pods = controller.pods;
      if (pods.length > 0) {
        this.#kubelet.terminate(pick(pods, random));
      }
    }
  }

  #reconcile(): void {
    for (const { controller } of this.#replicas) {
      controller.reconcile();
    }
    for (const rollout of this.#rollouts) {
      rollout.reconcile();
    }
    this.#endpoints.sync(this.#kubelet.pods);
  }

  #start(workload: DemoWorkload): void {
    const { kind, namespace, name, template } = workload;
    const parts = { ...this.#options, kubelet: this.#kubelet, nodes: this.#nodes };
    switch (kind) {
      case 'Deployment':
      case 'Rollout':
        this.#rollouts.push(new RolloutController({ ...parts, workload: { ...workload, kind } }));
        break;
      case 'StatefulSet':
      case 'DaemonSet':
      case 'ReplicaSet':
      case 'ReplicationController': {
        const controller = new ReplicaController({
          ...parts,
          kind,
          namespace,
          name,
          template,
          desired: workload.replicas,
        });
        this.#replicas.push({ workload, controller });
        break;
      }
      case 'Job':
      case 'CronJob':
        this.#jobs.push(new JobController({ ...parts, workload: { ...workload, kind } }));
        break;
      case 'Pod':
        this.#kubelet.create({ namespace, name, template });
        break;
      case 'StaticPod': {
        const node = this.#nodes.find((candidate) => candidate.controlPlane);
        if (node === undefined) {
          throw new Error('the demo has no control plane node');
        }
        const owner = { apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true };
        this.#kubelet.create({ namespace, name, template, owner, node });
        break;
      }
    }
  }

  #statefulPod(namespace: string, name: string): DemoWellKnown['statefulPod'] {
    const ip = this.#kubelet.pods.find((pod) => pod.namespace === namespace && pod.name === name)?.addresses?.ipv4;
    if (ip === undefined) {
      throw new Error(`the demo's pod ${namespace}/${name} has no address`);
    }
    return { namespace, name, ip };
  }
}

const NODE_NAMES = ['control-plane', 'worker-1', 'worker-2', 'worker-3'] as const;

/** Lively enough to watch, slow enough to read. */
const STEP_INTERVAL_MS = 1_000;

/** It takes one or two: pods go within a step, and operators do something at every second one. */
const MAX_STEPS_TO_SETTLE = 1_000;

/** A kubelet reports about every ten seconds when nothing changes. */
const HEARTBEAT_STEPS = 10;

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) {
    throw new Error('nothing to pick from');
  }
  return item;
}
