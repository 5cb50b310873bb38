// Plays the kubelets (and the scheduler) of a few nodes that do not exist.
//
// One tick looks at every pod and does the next thing that is due: binds it to a node, gives it its addresses and a
// running status, finishes the pods of Jobs, and removes the object (grace 0) when its deletion was requested.
// Addresses go back the moment a sandbox would be gone and are handed out again first of all: the hardest case for
// anything that maps addresses to pods, and what small pod ranges do in production.
import type { ApiClient, KubeObject } from './api-client.ts';
import { ApiError } from './api-client.ts';

/** A node to create. */
export type NodeSpec = {
  readonly name: string;
  /** IPv4 range first; pod addresses are taken from the first 62 of each. */
  readonly podCidrs: readonly string[];
  readonly internalIps: readonly string[];
  readonly externalIps?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
};

/** Three nodes in two zones, dual stack; the last one has no external address. */
export const THREE_NODES: readonly NodeSpec[] = [
  {
    name: 'node-a',
    podCidrs: ['10.128.0.0/26', 'fd00:10:128::/120'],
    internalIps: ['172.18.0.2', 'fd00:172:18::2'],
    externalIps: ['203.0.113.2'],
    labels: { 'topology.kubernetes.io/zone': 'zone-1', 'topology.kubernetes.io/region': 'region-1' },
  },
  {
    name: 'node-b',
    podCidrs: ['10.128.0.64/26', 'fd00:10:128:1::/120'],
    internalIps: ['172.18.0.3', 'fd00:172:18::3'],
    externalIps: ['203.0.113.3'],
    labels: { 'topology.kubernetes.io/zone': 'zone-1', 'topology.kubernetes.io/region': 'region-1' },
  },
  {
    name: 'node-c',
    podCidrs: ['10.128.0.128/26', 'fd00:10:128:2::/120'],
    internalIps: ['172.18.0.4', 'fd00:172:18::4'],
    labels: { 'topology.kubernetes.io/zone': 'zone-2', 'topology.kubernetes.io/region': 'region-1' },
  },
];

/** A pod with this label is not finished, although a Job owns it. */
export const KEEP_RUNNING_LABEL = 'test.digger/keep-running';

/**
 * Pause between two ticks: short enough that a rollout of a few pods takes seconds, long enough to leave CPU to others.
 */
const TICK_MS = 150;

/** Hands out the addresses of one node, the one that came back last first. */
class AddressPool {
  readonly #free: string[][] = [];

  constructor(cidrs: readonly string[]) {
    // From .1 up to .62, so that both a /26 and a /120 fit; pushed downwards because the pool is a stack.
    for (let host = 62; host >= 1; host--) this.#free.push(cidrs.map((cidr) => addressAt(cidr, host)));
  }

  take(): readonly string[] {
    const taken = this.#free.pop();
    if (!taken) throw new Error('the pod range of a test node is used up');
    return taken;
  }

  giveBack(addresses: readonly string[]): void {
    this.#free.push([...addresses]);
  }
}

type PodObject = KubeObject & {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: {
          readonly nodeSelectorTerms?: readonly {
            readonly matchFields?: readonly { readonly key: string; readonly values: readonly string[] }[];
          }[];
        };
      };
    };
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status?: { readonly phase?: string; readonly podIPs?: readonly { readonly ip: string }[] };
};

/** See the head of the file. Start it with `start`, or step it with `tick`. */
export class Kubelet implements AsyncDisposable {
  #client: ApiClient;
  readonly #nodes: readonly NodeSpec[];
  readonly #pools = new Map<string, AddressPool>();
  /** Uid of the pod → node and addresses that it holds in truth, whatever the API says. */
  readonly #held = new Map<string, { readonly nodeName: string; readonly addresses: readonly string[] }>();
  #stopping: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();
  #nextNode = 0;

  constructor(client: ApiClient, nodes: readonly NodeSpec[] = THREE_NODES) {
    this.#client = client;
    this.#nodes = nodes;
    for (const node of nodes) this.#pools.set(node.name, new AddressPool(node.podCidrs));
  }

  /** Creates the Node objects. */
  async createNodes(): Promise<void> {
    for (const node of this.#nodes) {
      const created = await this.#client.create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: node.name, labels: { 'kubernetes.io/hostname': node.name, ...node.labels } },
        spec: { podCIDR: node.podCidrs[0], podCIDRs: node.podCidrs },
      });
      const addresses = [
        ...node.internalIps.map((address) => ({ type: 'InternalIP', address })),
        ...(node.externalIps ?? []).map((address) => ({ type: 'ExternalIP', address })),
        { type: 'Hostname', address: node.name },
      ];
      await this.#client.patch(
        created,
        { status: { addresses, conditions: [condition('Ready', 'True')], allocatable: { pods: '110' } } },
        'status',
      );
      // New nodes are tainted until a kubelet reports; controllers would not place DaemonSet pods with other
      // tolerations.
      await this.#client.patch(created, { spec: { taints: null } });
    }
  }

  /** From now on it talks to another API server of the same cluster; what it knows of addresses stays. */
  talkTo(client: ApiClient): void {
    this.#client = client;
  }

  /** Ticks until nothing is left to do. */
  async settle(): Promise<void> {
    while ((await this.tick()) > 0);
  }

  /** Ticks until `stop`. */
  start(): void {
    if (this.#stopping) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.#loop = this.#run(stopping.signal);
  }

  /** Ends after the tick that is under way; throws what the loop failed with. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Looks at every pod once. Returns how many things it did: 0 means that nothing is left to do for now. */
  async tick(): Promise<number> {
    let actions = 0;
    const pods = await this.#client.list<PodObject>('/api/v1/pods');
    const alive = new Set(pods.map((pod) => pod.metadata.uid));
    for (const uid of this.#held.keys()) if (!alive.has(uid)) this.#release(uid);
    for (const pod of pods) {
      try {
        if (await this.#advance({ ...pod, apiVersion: 'v1', kind: 'Pod' })) actions++;
      } catch (error) {
        // The pod changed or vanished since the list; the next tick sees what became of it.
        if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
      }
    }
    return actions;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.tick();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, TICK_MS);
        signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      });
    }
  }

  async #advance(pod: PodObject): Promise<boolean> {
    const phase = pod.status?.phase ?? 'Pending';
    const finished = phase === 'Succeeded' || phase === 'Failed';
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#release(pod.metadata.uid);
      return this.#client.delete(pod, { graceSeconds: 0 });
    }
    if (!pod.spec.nodeName) {
      await this.#bind(pod);
      return true;
    }
    if (finished) return false;
    if ((pod.status?.podIPs ?? []).length === 0) {
      await this.#runContainers(pod, pod.spec.nodeName);
      return true;
    }
    const labels = pod.metadata.labels ?? {};
    if ('batch.kubernetes.io/job-name' in labels && !(KEEP_RUNNING_LABEL in labels)) {
      await this.#finish(pod);
      return true;
    }
    return false;
  }

  async #bind(pod: PodObject): Promise<void> {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    const wanted =
      required?.flatMap((term) => term.matchFields ?? []).find((field) => field.key === 'metadata.name')?.values[0] ??
      pod.spec.nodeSelector?.['kubernetes.io/hostname'];
    const name = wanted ?? this.#nodes[this.#nextNode++ % this.#nodes.length]?.name;
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.metadata.name },
      target: { apiVersion: 'v1', kind: 'Node', name },
    };
    await this.#client.raw('POST', `${await this.#client.path(pod)}/binding`, { body });
  }

  /** Sandbox up, containers running, all in one status: the API allows it, so clients must not rely on the steps. */
  async #runContainers(pod: PodObject, nodeName: string): Promise<void> {
    const node = this.#nodes.find((candidate) => candidate.name === nodeName);
    const pool = this.#pools.get(nodeName);
    // The node of another kubelet: a test that plays a lost node.
    if (!node || !pool) return;
    const addresses = pod.spec.hostNetwork ? node.internalIps : pool.take();
    if (!pod.spec.hostNetwork) this.#held.set(pod.metadata.uid, { nodeName, addresses });
    const now = timestamp();
    await this.#client.patch(
      pod,
      {
        status: {
          phase: 'Running',
          startTime: now,
          podIP: addresses[0],
          podIPs: addresses.map((ip) => ({ ip })),
          hostIP: node.internalIps[0],
          hostIPs: node.internalIps.map((ip) => ({ ip })),
          conditions: ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready', 'PodScheduled'].map(
            (type) => condition(type, 'True'),
          ),
          containerStatuses: pod.spec.containers.map((container) => ({
            ...identity(pod, container),
            ready: true,
            started: true,
            restartCount: 0,
            state: { running: { startedAt: now } },
          })),
        },
      },
      'status',
    );
  }

  /** As a kubelet does it: the finished pod keeps its addresses in the API, while they are free for the next one. */
  async #finish(pod: PodObject): Promise<void> {
    const now = timestamp();
    await this.#client.patch(
      pod,
      {
        status: {
          phase: 'Succeeded',
          conditions: [
            ...['PodReadyToStartContainers', 'ContainersReady', 'Ready'].map((type) => condition(type, 'False')),
            ...['Initialized', 'PodScheduled'].map((type) => condition(type, 'True')),
          ],
          containerStatuses: pod.spec.containers.map((container) => ({
            ...identity(pod, container),
            ready: false,
            started: false,
            restartCount: 0,
            state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } },
          })),
        },
      },
      'status',
    );
    this.#release(pod.metadata.uid);
  }

  #release(uid: string): void {
    const held = this.#held.get(uid);
    if (!held) return;
    this.#held.delete(uid);
    this.#pools.get(held.nodeName)?.giveBack(held.addresses);
  }
}

function identity(pod: PodObject, container: { readonly name: string; readonly image: string }): object {
  return {
    name: container.name,
    image: container.image,
    imageID: `${container.image}@sha256:${'0'.repeat(64)}`,
    containerID: `containerd://${pod.metadata.uid}-${container.name}`,
  };
}

function condition(type: string, status: string): object {
  return { type, status, lastTransitionTime: timestamp() };
}

/** As the API writes times: whole seconds. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * The address `host` places after the start of the range. Ranges here end their network part on `.0/26`-like or `::`.
 */
function addressAt(cidr: string, host: number): string {
  const network = cidr.slice(0, cidr.indexOf('/'));
  if (network.includes(':')) return `${network}${host.toString(16)}`;
  const octets = network.split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + host].join('.');
}
