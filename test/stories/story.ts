// What a story needs: a simulated cluster in this process, digger in a process of its own, and a reader of the
// cluster's lists that shares nothing with digger.
//
// The cluster is the demo's, standing still: workloads, services and nodes of every kind, of which a story moves what
// it is about. Between the two are real sockets on loopback; whatever fails, everything ends with the story.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDemoCluster, type DemoCluster } from '../../src/simulator/demo/demo-cluster.ts';
import {
  createSimulator,
  type ListeningSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../src/simulator/server/simulator.ts';
import type { OwnerReference } from '../../src/simulator/server/stored-objects.ts';
import { type ClusterLists, createListReader, type CustomKind } from '../observers/cluster-lists.ts';
import type { Message } from '../observers/digger-client.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { assertWholeState, type Compared } from '../observers/whole-state.ts';
import { createRandom } from '../random.ts';

export type StoryOptions = {
  /** Another cluster for another number. */
  readonly seed?: number;
  readonly simulator?: Partial<SimulatorOptions>;
  /** Writes and switches before the first request. */
  readonly arrange?: (simulator: Simulator) => void;
};

/** The same cluster in every run: uids, names and what the demo would do next. */
const DEFAULT_SEED = 20;

/** The custom kind of the demo; digger finds it when it sees who owns pods, which is after it is ready. */
export const ROLLOUTS: CustomKind = { group: 'argoproj.io', version: 'v1alpha1', plural: 'rollouts', kind: 'Rollout' };

/** A story's picture is small, and comes to agree within seconds or not at all. */
const AGREE_WITHIN_MS = 20_000;

/** See the head of the file. */
export class Story implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly demo: DemoCluster;
  readonly kubeconfig: string;
  readonly readLists: () => Promise<ClusterLists>;
  readonly #server: ListeningSimulator;
  readonly #folder: string;
  readonly #diggers: DiggerProcess[] = [];

  private constructor(simulator: Simulator, demo: DemoCluster, server: ListeningSimulator) {
    this.simulator = simulator;
    this.demo = demo;
    this.#server = server;
    this.#folder = mkdtempSync(join(tmpdir(), 'digger-story-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig.json');
    writeFileSync(this.kubeconfig, JSON.stringify(kubeconfigFor(server.url)));
    this.readLists = createListReader(this.kubeconfig, [ROLLOUTS]);
  }

  /** A cluster that listens and has no clients yet. */
  static async begin(options: StoryOptions = {}): Promise<Story> {
    const random = createRandom(options.seed ?? DEFAULT_SEED).next;
    const simulator = createSimulator({ random, now: Date.now, ...options.simulator });
    const demo = createDemoCluster({ cluster: simulator.cluster, random, now: Date.now });
    options.arrange?.(simulator);
    return new Story(simulator, demo, await simulator.listen({ port: 0 }));
  }

  /** Those that were started, in this order. */
  get diggers(): readonly DiggerProcess[] {
    return this.#diggers;
  }

  /** Starts a digger, which ends with the story at the latest; returns when it listens, which is before it is ready. */
  async startDigger(...args: readonly string[]): Promise<DiggerProcess> {
    const digger = await DiggerProcess.start(this.kubeconfig, args);
    this.#diggers.push(digger);
    return digger;
  }

  /** Starts a digger; returns when it follows everything, custom kinds too. */
  async startReadyDigger(...args: readonly string[]): Promise<DiggerProcess> {
    const digger = await this.startDigger(...args);
    await digger.untilReady();
    await untilFresh(digger);
    return digger;
  }

  /** The invariant that closes every story. */
  assertWholeState(digger: DiggerProcess): Promise<Compared> {
    return assertWholeState(digger, this.readLists, AGREE_WITHIN_MS);
  }

  /** A subscriber with the whole picture, which hears at least once a second. */
  async subscribe(digger: DiggerProcess): Promise<FeedCopy> {
    const copy = new FeedCopy(digger, { heartbeatInterval: { seconds: 1 } });
    await copy.untilSynced();
    return copy;
  }

  /**
   * A running pod, without an owner unless one is given; its address is `10.244.1.HOST`, which the demo does not use
   * while it stands still.
   */
  createPod(
    name: string,
    host: number,
    more: { readonly labels?: Record<string, string>; readonly controller?: OwnerReference } = {},
  ): string {
    const ip = `10.244.1.${host}`;
    const owners = more.controller === undefined ? {} : { ownerReferences: [more.controller] };
    this.simulator.cluster.create('pods', {
      metadata: { namespace: 'shop', name, labels: { app: name, ...more.labels }, ...owners },
      spec: { nodeName: 'worker-1', containers: [{ name: 'main', image: 'registry.example.com/main:1' }] },
      status: {
        phase: 'Running',
        podIP: ip,
        podIPs: [{ ip }],
        startTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      },
    });
    return ip;
  }

  deletePod(name: string): void {
    this.simulator.cluster.delete('pods', 'shop', name);
  }

  /** Ends everything, whatever fails on the way. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#diggers.map((digger) => digger.stop()));
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Waits until every watch of digger is up and has caught up, that of the custom kind too. */
export async function untilFresh(digger: DiggerProcess): Promise<void> {
  await eventually('every watch is up', async () => {
    const status = await digger.call('StatusService', 'GetStatus');
    const resources = status['resources'] as readonly Message[];
    const all = resources.every((resource) => resource['state'] === 'WATCH_STATE_WATCHING' && resource['synced']);
    const custom = resources.some((resource) => resource['resource'] === `${ROLLOUTS.plural}.${ROLLOUTS.group}`);
    return all && custom && !status['staleness'] ? done(undefined) : notYet(status);
  });
}

/** Waits until a subscriber has been told all of these, in whatever order, and shows what it was told instead. */
export async function untilTold(copy: FeedCopy, wanted: readonly string[]): Promise<void> {
  await eventually(`the feed has told ${wanted.join(', ')}`, () => {
    const told = new Set(copy.changesAfterSnapshot);
    return wanted.every((change) => told.has(change)) ? done(undefined) : notYet([...told]);
  });
}

/** A duration as it comes. */
export function milliseconds(duration: Message): number {
  return Number(duration['seconds'] ?? 0) * 1_000 + Number(duration['nanos'] ?? 0) / 1e6;
}

/** A kubeconfig of a server without authentication. */
export function kubeconfigFor(server: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    // client-node wants it said that there is no TLS to verify.
    clusters: [{ name: 'story', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'story', user: {} }],
    contexts: [{ name: 'story', context: { cluster: 'story', user: 'story' } }],
    'current-context': 'story',
  };
}
