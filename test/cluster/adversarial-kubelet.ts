// The kubelets of two nodes that do everything that makes attribution hard, against a real API server, and keep the
// record of who really had which address.
//
// Fewer addresses than pods, handed out again the moment they are free, the last one first. Status comes late; objects
// outlive their sandboxes or vanish before them; finished pods keep their address in the API; sandboxes are remade in
// place with another address; pods come back under their names; a node is lost and its pods stay Running in the API.
// All choices follow from the seed; the clock is real, so a replayed seed makes the same choices, not the same
// milliseconds.
import type { Hold } from '../addresses/adversary.ts';
import { createRandom, type Random } from '../random.ts';
import { type ApiClient, ApiError, type KubeObject } from './api-client.ts';
import { finishedStatus, runningStatus, wholeSecond } from './pod-status.ts';
import { object } from './world.ts';

/** How to set it up. */
export type AdversaryOptions = {
  readonly client: ApiClient;
  readonly seed: number;
};

/** Where its pods are; made with its start. */
const NAMESPACE = 'adversary';
/** Pods at once, each under a name of its own that is used again and again. */
const PODS = 14;
/** Less than pods. */
const ADDRESSES = 10;
/** Every so often a node is lost. */
const NODE_LOSS_MS = 20_000;

/** A node as long as it lives. */
type LiveNode = { readonly name: string; readonly lost: AbortController };

const IMAGE = 'registry.example.dev/web:1';

/** How long a write is tried again while the API server is away; then the adversary fails. */
const WRITE_DEADLINE_MS = 120_000;

/** See the head of the file. */
export class AdversarialKubelet {
  readonly addresses: readonly string[];
  /** Who had an address, all of them, in no particular order. */
  readonly holds: Hold[] = [];
  /** What was done, for figures. */
  readonly deeds = new Map<string, number>();
  readonly #options: AdversaryOptions;
  readonly #free: string[];
  readonly #nodes: LiveNode[] = [];
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #nodesMade = 0;

  constructor(options: AdversaryOptions) {
    this.#options = options;
    this.addresses = Array.from({ length: ADDRESSES }, (_, i) => `10.130.0.${i + 1}`);
    this.#free = [...this.addresses];
  }

  /** Creates the namespace and the nodes, and starts the lives of the pods. No other kubelet may run beside it. */
  async start(): Promise<void> {
    const { client, seed } = this.#options;
    await client.apply(object('v1', 'Namespace', NAMESPACE));
    // Without it no pod may be created, and no controller is there to make it.
    const metadata = { name: 'default', namespace: NAMESPACE };
    await client.apply({ ...object('v1', 'ServiceAccount', 'default'), metadata });
    for (let i = 0; i < 2; i++) await this.#addNode();
    const lives = Array.from({ length: PODS }, (_, i) => this.#lives(`web-${i}`, createRandom(seed * 1_000 + i)));
    lives.push(this.#loseNodes(createRandom(seed * 1_000 + PODS), NODE_LOSS_MS));
    this.#running = Promise.all(lives);
    this.#running.catch(() => this.#stopping.abort());
  }

  /** Ends all lives where they are; throws what went wrong. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** One name, one pod after the other. */
  async #lives(name: string, random: Random): Promise<void> {
    await this.#pause(random.between(0, 3_000));
    while (!this.#stopping.signal.aborted) {
      const node = this.#nodes[random.between(0, this.#nodes.length - 1)];
      if (node !== undefined) await this.#live(name, node, random);
      await this.#pause(random.chance(0.5) ? 0 : random.between(0, 2_000), undefined);
    }
  }

  async #live(name: string, node: LiveNode, random: Random): Promise<void> {
    const createdMs = Date.now();
    const uid = await this.#create(name, node.name);
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE, uid },
    };
    const hasCondition = random.chance(0.8);
    let replaced: Hold | undefined;
    await this.#pause(random.between(100, 2_000), node);
    for (;;) {
      const address = await this.#takeAddress(random, node);
      if (address === undefined) return this.#vanishAfterLoss(pod, undefined, replaced, node, random);
      const isRemade = replaced !== undefined;
      const fromMs = Date.now();
      const hold: Hold = {
        uid,
        address,
        fromMs,
        untilMs: Number.POSITIVE_INFINITY,
        possibleFromMs: isRemade ? fromMs : hasCondition ? wholeSecond(fromMs) : wholeSecond(createdMs),
        shownMs: Number.POSITIVE_INFINITY,
        hiddenMs: Number.POSITIVE_INFINITY,
        isRemade,
        isRegained: this.holds.some((other) => other.uid === uid && other.address === address),
      };
      this.holds.push(hold);
      await this.#pause(random.between(20, 1_500), node);
      if (node.lost.signal.aborted) return this.#vanishAfterLoss(pod, hold, replaced, node, random);
      await this.#patchStatus(
        pod,
        runningStatus([address], {
          startMs: createdMs,
          sandboxReadyMs: hasCondition && !isRemade ? fromMs : undefined,
        }),
      );
      hold.shownMs = Date.now();
      // With this write the address that it replaces left the status.
      if (replaced !== undefined) replaced.hiddenMs = hold.shownMs;
      replaced = undefined;
      await this.#pause(random.between(200, 9_000), node);
      if (node.lost.signal.aborted) return this.#vanishAfterLoss(pod, hold, undefined, node, random);
      const kind = random.between(0, 9);
      if (kind < 4) return this.#deleteWithGrace(pod, hold, random);
      if (kind < 7) return this.#finish(pod, hold, random);
      if (kind < 8) return this.#deleteByForce(pod, hold, random);
      this.#count('sandbox remade in place');
      hold.untilMs = Date.now();
      this.#free.push(hold.address);
      replaced = hold;
      await this.#pause(random.between(100, 2_000), node);
    }
  }

  /** The address is free before or after the object vanishes. */
  async #deleteWithGrace(pod: KubeObject, hold: Hold, random: Random): Promise<void> {
    this.#count('deleted with grace');
    await this.#write(() => this.#options.client.delete(pod, { graceSeconds: 30 }));
    const endsInMs = random.between(100, 3_000);
    const vanishesInMs = Math.max(0, endsInMs + random.between(-300, 2_500));
    const ended = this.#pause(endsInMs).then(() => {
      hold.untilMs = Date.now();
      this.#free.push(hold.address);
    });
    await this.#pause(vanishesInMs);
    hold.hiddenMs = await this.#vanish(pod);
    await ended;
  }

  /** Keeps its address in the API until it is cleaned up. */
  async #finish(pod: KubeObject, hold: Hold, random: Random): Promise<void> {
    this.#count('finished');
    const endedMs = Date.now();
    hold.untilMs = endedMs;
    const freed = this.#pause(random.between(0, 1_000)).then(() => this.#free.push(hold.address));
    await this.#pause(random.between(20, 1_500));
    await this.#patchStatus(pod, finishedStatus(IMAGE, endedMs));
    hold.hiddenMs = Date.now();
    await this.#pause(random.between(2_000, 10_000));
    await this.#vanish(pod);
    await freed;
  }

  /** The object is gone at once, the sandbox is not; its name is free. */
  async #deleteByForce(pod: KubeObject, hold: Hold, random: Random): Promise<void> {
    this.#count('deleted by force');
    hold.hiddenMs = await this.#vanish(pod);
    void this.#pause(random.between(0, 3_000)).then(() => {
      hold.untilMs = Date.now();
      this.#free.push(hold.address);
    });
  }

  /** Its node is gone, and with it the sandbox; the object stays as it was for a while. */
  async #vanishAfterLoss(
    pod: KubeObject,
    hold: Hold | undefined,
    replaced: Hold | undefined,
    node: LiveNode,
    random: Random,
  ): Promise<void> {
    if (hold !== undefined) {
      hold.untilMs = Date.now();
      if (node.lost.signal.aborted) hold.isOnLostNode = true;
      this.#free.push(hold.address);
    }
    if (!node.lost.signal.aborted) return;
    await this.#pause(random.between(5_000, 20_000));
    const goneMs = await this.#vanish(pod);
    for (const each of [hold, replaced]) if (each !== undefined) each.hiddenMs = goneMs;
  }

  async #loseNodes(random: Random, everyMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#pause(everyMs);
      if (this.#stopping.signal.aborted) return;
      const [node] = this.#nodes.splice(random.between(0, this.#nodes.length - 1), 1);
      await this.#addNode();
      if (node === undefined) continue;
      this.#count('node lost');
      node.lost.abort();
      await this.#pause(random.between(1_000, 5_000));
      const object: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: node.name } };
      await this.#write(() => this.#options.client.delete(object));
    }
  }

  async #addNode(): Promise<void> {
    const name = `adversary-${this.#nodesMade++}`;
    await this.#write(() =>
      this.#options.client.create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name },
        // Both nodes have the range: their addresses come from one pool, as with an overlay of the whole cluster.
        spec: { podCIDR: '10.130.0.0/24', podCIDRs: ['10.130.0.0/24'] },
      }),
    );
    this.#nodes.push({ name, lost: new AbortController() });
  }

  /** `undefined`: the node or the test ended first. */
  async #takeAddress(random: Random, node: LiveNode): Promise<string | undefined> {
    while (!node.lost.signal.aborted && !this.#stopping.signal.aborted) {
      const index = random.chance(0.8) ? this.#free.length - 1 : random.between(0, Math.max(0, this.#free.length - 1));
      const [address] = this.#free.splice(Math.max(0, index), 1);
      if (address !== undefined) return address;
      await this.#pause(random.between(20, 200), node);
    }
    return undefined;
  }

  /** Its uid. The name may still be taken by the one before. */
  async #create(name: string, nodeName: string): Promise<string> {
    const { client } = this.#options;
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        nodeName,
        containers: [{ name: 'main', image: IMAGE }],
        tolerations: [{ operator: 'Exists' }],
      },
    };
    const created = await this.#write(async () => {
      try {
        return await client.create(pod);
      } catch (error) {
        // An answer was lost on the way when the API server went away.
        if (!(error instanceof ApiError && error.status === 409)) throw error;
        return await client.get(await client.path(pod));
      }
    });
    this.#count('pod created');
    return created.metadata.uid ?? '';
  }

  async #patchStatus(pod: KubeObject, status: object): Promise<void> {
    await this.#write(() => this.#options.client.patch(pod, { status }, 'status'));
  }

  /** When the object was gone. */
  async #vanish(pod: KubeObject): Promise<number> {
    await this.#write(() => this.#options.client.delete(pod, { graceSeconds: 0 }));
    return Date.now();
  }

  /** As kubelets do: tries until the API server is back. An answer of the API server is one. */
  async #write<T>(write: () => Promise<T>): Promise<T> {
    const endMs = Date.now() + WRITE_DEADLINE_MS;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        const isRefusal = error instanceof ApiError && error.status < 500 && error.status !== 429;
        if (isRefusal || Date.now() > endMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Ends early when the test ends or, where one is given, the node is lost. */
  async #pause(ms: number, node?: LiveNode): Promise<void> {
    const signals = [this.#stopping.signal, ...(node === undefined ? [] : [node.lost.signal])];
    if (ms <= 0 || signals.some((signal) => signal.aborted)) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        for (const signal of signals) signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      for (const signal of signals) signal.addEventListener('abort', end);
    });
  }

  #count(deed: string): void {
    this.deeds.set(deed, (this.deeds.get(deed) ?? 0) + 1);
  }
}
