// Plays scheduler and kubelets for the demo cluster: places pods, starts them, ends them, takes their addresses back.
//
// Nothing happens by itself: each `tick` moves every pod at most one stage on, in the order of their creation. An
// address is free again at the moment when the pod that had it has ended, which for a pod that ran to completion is
// long before its object goes away.

import type { Cluster } from '../server/cluster.ts';
import type { DemoNode } from './nodes.ts';
import { type DemoPod, type PodTemplate, toPodObject } from './pods.ts';
import { createUid, type OwnerReference } from '../server/stored-objects.ts';

export interface NewPod {
  readonly namespace: string;
  readonly name: string;
  readonly template: PodTemplate;
  readonly owner?: OwnerReference;
  /** Default: the worker with the fewest pods. */
  readonly node?: DemoNode;
  readonly runsToCompletion?: boolean;
}

export interface KubeletOptions {
  readonly cluster: Cluster;
  readonly nodes: readonly DemoNode[];
  readonly random: () => number;
  readonly now: () => number;
}

export class DemoKubelet {
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, DemoPod>();

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  get pods(): readonly DemoPod[] {
    return [...this.#pods.values()];
  }

  /** Pods of one controller that are not on their way out, oldest first. */
  podsOf(ownerUid: string): readonly DemoPod[] {
    return this.pods.filter((pod) => pod.owner?.uid === ownerUid && pod.deletedMs === undefined);
  }

  has(namespace: string, name: string): boolean {
    return this.#pods.has(`${namespace}/${name}`);
  }

  /** A generated name that no pod has; generated names do collide, if rarely. */
  generateName(namespace: string, prefix: string): string {
    for (;;) {
      const name = `${prefix}-${randomSuffix(this.#options.random)}`;
      if (!this.has(namespace, name)) {
        return name;
      }
    }
  }

  create(request: NewPod): DemoPod {
    const { cluster, random, now } = this.#options;
    const pod: DemoPod = {
      namespace: request.namespace,
      name: request.name,
      uid: createUid(random),
      template: request.template,
      node: request.node ?? this.#leastUsed(),
      owner: request.owner,
      runsToCompletion: request.runsToCompletion ?? false,
      createdMs: now(),
      stage: 'scheduled',
      addresses: undefined,
      startedMs: undefined,
      finishedMs: undefined,
      deletedMs: undefined,
    };
    this.#pods.set(`${pod.namespace}/${pod.name}`, pod);
    cluster.create('pods', toPodObject(pod));
    return pod;
  }

  /** Asks for the deletion; the pod goes with the next tick. */
  terminate(pod: DemoPod): void {
    if (pod.deletedMs !== undefined) {
      return;
    }
    pod.deletedMs = this.#options.now();
    if (pod.stage !== 'succeeded') {
      pod.stage = 'terminating';
    }
    this.#show(pod);
  }

  tick(): void {
    for (const pod of this.pods) {
      this.#advance(pod);
    }
  }

  /** Ticks until every pod runs. */
  settle(): void {
    const unsettled = (pod: DemoPod): boolean => pod.stage === 'scheduled' || pod.stage === 'starting';
    // Two stages to go through; anything beyond is a full address range, which does not settle.
    for (let round = 0; round < 2 && this.pods.some(unsettled); round++) {
      for (const pod of this.pods.filter(unsettled)) {
        this.#advance(pod);
      }
    }
  }

  /** The container of a pod that runs to completion exits with 0. */
  finish(pod: DemoPod): void {
    pod.stage = 'succeeded';
    pod.finishedMs = this.#options.now();
    this.#freeAddresses(pod);
    this.#show(pod);
  }

  #advance(pod: DemoPod): void {
    const { cluster, now } = this.#options;
    if (pod.deletedMs !== undefined) {
      if (pod.stage !== 'succeeded') {
        this.#freeAddresses(pod);
      }
      this.#pods.delete(`${pod.namespace}/${pod.name}`);
      cluster.delete('pods', pod.namespace, pod.name);
      return;
    }
    switch (pod.stage) {
      case 'scheduled':
        if (pod.template.hostNetwork !== true) {
          pod.addresses = pod.node.takeAddresses();
          if (pod.addresses === undefined) {
            return;
          }
        }
        pod.startedMs = now();
        pod.stage = 'starting';
        break;
      case 'starting':
        pod.stage = 'ready';
        break;
      case 'ready':
      case 'terminating':
      case 'succeeded':
        return;
    }
    this.#show(pod);
  }

  #show(pod: DemoPod): void {
    this.#options.cluster.update('pods', toPodObject(pod));
  }

  #freeAddresses(pod: DemoPod): void {
    if (pod.addresses !== undefined) {
      pod.node.freeAddresses(pod.addresses);
    }
  }

  #leastUsed(): DemoNode {
    const count = (node: DemoNode): number => this.pods.filter((pod) => pod.node === node).length;
    const workers = this.#options.nodes.filter((node) => !node.controlPlane);
    return workers.reduce((best, node) => (count(node) < count(best) ? node : best));
  }
}

/** Letters and digits without vowels, as the API server's name generator uses them. */
export function randomSuffix(random: () => number, length = 5): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
}
