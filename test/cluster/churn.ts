// Changes as a busy cluster makes them, by a plan that a seed decides: pods come, get addresses, are relabelled, go,
// and come back under their name with another uid; services, slices and Deployments likewise.
//
// Writes that fail because the API server is away are counted and forgotten; what is there in the end is the API's to
// say.
import type { Random } from '../random.ts';
import type { ApiClient, KubeObject } from './api-client.ts';
import { barePod, object, scaled, service, WORLD_NAMESPACE } from './world.ts';

/** How many of each kind there are on average. */
const TARGETS = { pod: 150, service: 20, slice: 10, deployment: 10 } as const;

type Kind = keyof typeof TARGETS;

/** Writes that wait for an answer at most: a server that is away is not to be met by a crowd. */
const MAX_IN_FLIGHT = 40;

/** See the head of the file. */
export class Churn {
  readonly #client: ApiClient;
  readonly #random: Random;
  readonly #intervalMs: number;
  readonly #present: Readonly<Record<Kind, string[]>> = { pod: [], service: [], slice: [], deployment: [] };
  readonly #inFlight = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #counter = 0;
  #writes = 0;
  #failed = 0;
  #runningMs = 0;
  #startedAt = 0;

  constructor(client: ApiClient, random: Random, changesPerSecond: number) {
    this.#client = client;
    this.#random = random;
    this.#intervalMs = 1_000 / changesPerSecond;
  }

  /** Changes that the API server took, those that failed, and the rate while it ran. */
  get totals(): { readonly writes: number; readonly failed: number; readonly perSecond: number } {
    return {
      writes: this.#writes,
      failed: this.#failed,
      perSecond: Math.round(this.#writes / (this.#runningMs / 1_000)),
    };
  }

  /** Creates everything that is there on average, so that a run does not begin in an empty cluster. */
  async fill(): Promise<void> {
    for (const kind of Object.keys(TARGETS) as Kind[]) {
      for (let n = 0; n < TARGETS[kind]; n++) {
        this.#begin(() => this.#create(kind, this.#newName(kind)));
        if (this.#inFlight.size >= 10) await Promise.race(this.#inFlight);
      }
    }
    await Promise.all(this.#inFlight);
    if (this.#failed > 0) throw new Error(`${this.#failed} of the first writes failed`);
  }

  start(): void {
    this.#startedAt = performance.now();
    let due = performance.now();
    this.#timer = setInterval(() => {
      // Timers are late on a busy machine; the rate is kept all the same.
      for (; due <= performance.now(); due += this.#intervalMs) {
        if (this.#inFlight.size < MAX_IN_FLIGHT) this.#change();
      }
    }, this.#intervalMs);
  }

  /** Resolves when the last write is answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#runningMs += performance.now() - this.#startedAt;
    await Promise.all(this.#inFlight);
  }

  #change(): void {
    const kind = this.#random.chance(0.75)
      ? 'pod'
      : this.#random.pick<Exclude<Kind, 'pod'>>(['service', 'slice', 'deployment']);
    const present = this.#present[kind];
    const what = this.#random.next();
    if (what < 0.4 && present.length > 0) {
      const name = this.#random.pick(present);
      this.#begin(() => this.#relabel(kind, name));
    } else if (what < 0.5 && kind === 'pod' && present.length > 0) {
      const name = this.#random.pick(present);
      this.#begin(async () => {
        await this.#remove(kind, name);
        await this.#create(kind, name);
      });
    } else if (present.length > TARGETS[kind] * (0.7 + 0.6 * this.#random.next())) {
      const [name] = present.splice(this.#random.between(0, present.length - 1), 1);
      if (name !== undefined) this.#begin(() => this.#remove(kind, name));
    } else {
      this.#begin(() => this.#create(kind, this.#newName(kind)));
    }
  }

  #begin(write: () => Promise<void>): void {
    const running = write()
      .then(() => void this.#writes++)
      // The API server is away, or another write of ours was first; the lists say what came of it.
      .catch(() => void this.#failed++)
      .finally(() => this.#inFlight.delete(running));
    this.#inFlight.add(running);
  }

  #newName(kind: Kind): string {
    const name = `${kind}-${this.#counter++}`;
    this.#present[kind].push(name);
    return name;
  }

  async #create(kind: Kind, name: string): Promise<void> {
    const created = await this.#client.create(this.#make(kind, name));
    if (kind !== 'pod') return;
    // As its kubelet would; no address is ever given out twice, so that every answer is certain.
    const ip = this.#address('10.240');
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], startTime: new Date().toISOString() };
    await this.#client.patch(created, { status }, 'status');
  }

  #make(kind: Kind, name: string): KubeObject {
    switch (kind) {
      case 'pod': {
        const pod = barePod(name, {});
        const spec = { ...(pod['spec'] as object), nodeName: this.#random.pick(['node-a', 'node-b', 'node-c']) };
        return { ...pod, metadata: { ...pod.metadata, labels: { app: this.#random.pick(APPS) } }, spec };
      }
      case 'service':
        return service(name, { selector: { app: this.#random.pick(APPS) }, ports: [{ port: 80 }] });
      case 'slice': {
        const { metadata } = object('v1', 'Any', name);
        return {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { ...metadata, labels: { 'kubernetes.io/service-name': `service-${this.#random.between(0, 30)}` } },
          addressType: 'IPv4',
          ports: [{ name: '', port: 3306, protocol: 'TCP' }],
          endpoints: [{ addresses: [this.#address('10.250')] }],
        } as KubeObject;
      }
      case 'deployment':
        return object('apps/v1', 'Deployment', name, scaled(name, 1));
    }
  }

  async #relabel(kind: Kind, name: string): Promise<void> {
    const labels = { 'example.dev/round': String(this.#random.between(0, 1_000_000)) };
    await this.#client.patch(reference(kind, name), { metadata: { labels } });
  }

  async #remove(kind: Kind, name: string): Promise<void> {
    await this.#client.delete(reference(kind, name), kind === 'pod' ? { graceSeconds: 0 } : {});
  }

  #address(prefix: string): string {
    this.#counter++;
    return `${prefix}.${(this.#counter >> 8) & 255}.${this.#counter & 255}`;
  }
}

const APPS = ['web', 'db', 'queue', 'mail'] as const;

function reference(kind: Kind, name: string): KubeObject {
  const types = {
    pod: { apiVersion: 'v1', kind: 'Pod' },
    service: { apiVersion: 'v1', kind: 'Service' },
    slice: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  };
  return { ...types[kind], metadata: { name, namespace: WORLD_NAMESPACE } };
}
