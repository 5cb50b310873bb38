// Plays the Deployment controller, and one for the custom kind Rollout: both own ReplicaSets and replace their pods.
//
// A rollout makes a new ReplicaSet, adds one pod at a time and takes one old pod away for each new one that is ready.
// One finished ReplicaSet is kept at zero replicas; older ones are deleted, which bounds the demo.

import type { Cluster } from '../server/cluster.ts';
import type { DemoWorkload } from './inventory.ts';
import { type DemoKubelet, randomSuffix } from './kubelet.ts';
import type { DemoNode } from './nodes.ts';
import type { PodTemplate } from './pods.ts';
import { controllerReference, ReplicaController } from './replicas.ts';
import type { KubernetesObject } from '../server/stored-objects.ts';

export interface RolloutControllerOptions {
  readonly cluster: Cluster;
  readonly kubelet: DemoKubelet;
  readonly nodes: readonly DemoNode[];
  readonly random: () => number;
  readonly workload: DemoWorkload & { readonly kind: 'Deployment' | 'Rollout' };
}

export class RolloutController {
  readonly workload: RolloutControllerOptions['workload'];
  readonly #options: RolloutControllerOptions;
  readonly #uid: string;
  #desired: number;
  #revision = 1;
  #image: string;
  #current: ReplicaController;
  /** Newest first: the one being replaced, or the last one that was. */
  #old: readonly ReplicaController[] = [];

  constructor(options: RolloutControllerOptions) {
    this.#options = options;
    this.workload = options.workload;
    this.#desired = options.workload.replicas;
    this.#image = options.workload.template.image;
    this.#uid = options.cluster.create(this.#plural, this.#object(0, 0)).metadata.uid;
    this.#current = this.#createReplicaSet(this.#desired);
    this.#showStatus();
  }

  get desired(): number {
    return this.#desired;
  }

  get rolling(): boolean {
    return this.#current.readyPods < this.#desired || this.#old.some((old) => old.desired > 0);
  }

  scale(desired: number): void {
    this.#desired = desired;
    if (!this.rolling) {
      this.#current.scale(desired);
    }
    this.#showStatus();
  }

  /** Begins a rollout of a new image; does nothing while one is under way. */
  rollout(): boolean {
    if (this.rolling) {
      return false;
    }
    this.#revision += 1;
    this.#image = `${this.workload.template.image.replace(/:[^:]*$/, '')}:${this.#revision}`;
    for (const expired of this.#old) {
      expired.delete();
    }
    this.#old = [this.#current];
    this.#current = this.#createReplicaSet(1);
    this.#showStatus();
    return true;
  }

  /** One step of the rollout: at most one pod more than wanted, and never fewer ready ones. */
  reconcile(): void {
    const [old] = this.#old;
    const ready = this.#current.readyPods;
    if (old !== undefined && old.desired > 0) {
      const stillNeeded = Math.max(0, this.#desired - ready);
      if (old.desired > stillNeeded) {
        old.scale(old.desired - 1);
      }
    }
    const total = this.#current.desired + (old?.desired ?? 0);
    if (this.#current.desired < this.#desired && total <= this.#desired) {
      this.#current.scale(this.#current.desired + 1);
    } else if (this.#current.desired > this.#desired) {
      this.#current.scale(this.#desired);
    }
    this.#current.reconcile();
    old?.reconcile();
    this.#showStatus();
  }

  get #plural(): string {
    return this.workload.kind === 'Deployment' ? 'deployments.apps' : 'rollouts.argoproj.io';
  }

  #createReplicaSet(desired: number): ReplicaController {
    const { namespace, name, kind, template } = this.workload;
    const hash = randomSuffix(this.#options.random, 9);
    const hashLabel = kind === 'Deployment' ? 'pod-template-hash' : 'rollouts-pod-template-hash';
    const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'argoproj.io/v1alpha1';
    const stamped: PodTemplate = { ...template, image: this.#image, labels: { ...template.labels, [hashLabel]: hash } };
    return new ReplicaController({
      ...this.#options,
      kind: 'ReplicaSet',
      namespace,
      name: `${name}-${hash}`,
      template: stamped,
      desired,
      owner: controllerReference(apiVersion, kind, name, this.#uid),
    });
  }

  #showStatus(): void {
    const sets = [this.#current, ...this.#old];
    const replicas = sets.reduce((sum, set) => sum + set.pods.length, 0);
    const ready = sets.reduce((sum, set) => sum + set.readyPods, 0);
    this.#options.cluster.update(this.#plural, this.#object(replicas, ready));
  }

  #object(replicas: number, readyReplicas: number): KubernetesObject {
    const { namespace, name, template } = this.workload;
    return {
      metadata: {
        name,
        namespace,
        labels: template.labels,
        annotations: { 'deployment.kubernetes.io/revision': String(this.#revision) },
      },
      spec: {
        replicas: this.#desired,
        selector: { matchLabels: template.labels },
        template: { metadata: { labels: template.labels }, spec: { containers: [{ name, image: this.#image }] } },
      },
      status: { replicas, readyReplicas, availableReplicas: readyReplicas },
    };
  }
}
