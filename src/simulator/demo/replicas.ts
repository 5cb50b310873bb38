// Controllers of the demo cluster that keep a number of pods: StatefulSet, DaemonSet, ReplicaSet,
// ReplicationController.
//
// `reconcile` compares what is wanted with what the kubelet has and writes the difference, then the status. It is
// idempotent, so it may be called any number of times.

import type { Cluster } from '../server/cluster.ts';
import type { DemoKubelet } from './kubelet.ts';
import type { DemoNode } from './nodes.ts';
import type { DemoPod, PodTemplate } from './pods.ts';
import type { KubernetesObject, OwnerReference } from '../server/stored-objects.ts';

export type ReplicaKind = 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'ReplicationController';

export interface ReplicaControllerOptions {
  readonly cluster: Cluster;
  readonly kubelet: DemoKubelet;
  readonly nodes: readonly DemoNode[];
  readonly kind: ReplicaKind;
  readonly namespace: string;
  readonly name: string;
  readonly template: PodTemplate;
  readonly desired: number;
  readonly owner?: OwnerReference;
}

export class ReplicaController {
  readonly name: string;
  readonly uid: string;
  readonly template: PodTemplate;
  readonly #options: ReplicaControllerOptions;
  #desired: number;

  constructor(options: ReplicaControllerOptions) {
    this.#options = options;
    this.name = options.name;
    this.template = options.template;
    this.#desired = options.desired;
    this.uid = options.cluster.create(RESOURCES[options.kind].plural, this.#object([])).metadata.uid;
    this.reconcile();
  }

  get desired(): number {
    return this.#desired;
  }

  get pods(): readonly DemoPod[] {
    return this.#options.kubelet.podsOf(this.uid);
  }

  get readyPods(): number {
    return this.pods.filter((pod) => pod.stage === 'ready').length;
  }

  scale(desired: number): void {
    this.#desired = desired;
    this.reconcile();
  }

  reconcile(): void {
    const { kind, cluster } = this.#options;
    switch (kind) {
      case 'StatefulSet':
        this.#reconcileOrdinals();
        break;
      case 'DaemonSet':
        this.#reconcileNodes();
        break;
      case 'ReplicaSet':
      case 'ReplicationController':
        this.#reconcileCount();
        break;
    }
    cluster.update(RESOURCES[kind].plural, this.#object(this.pods));
  }

  /** Removes the object; its pods go with it. */
  delete(): void {
    const { kubelet, cluster, kind, namespace, name } = this.#options;
    for (const pod of this.pods) {
      kubelet.terminate(pod);
    }
    cluster.delete(RESOURCES[kind].plural, namespace, name);
  }

  /** The name of a StatefulSet's pod is free again only when the old pod is gone. */
  #reconcileOrdinals(): void {
    const { kubelet, namespace, name } = this.#options;
    for (let ordinal = 0; ordinal < this.#desired; ordinal++) {
      if (!kubelet.has(namespace, `${name}-${ordinal}`)) {
        this.#create(`${name}-${ordinal}`);
      }
    }
    for (const pod of this.pods.filter(
      ({ name: podName }) => Number(podName.slice(name.length + 1)) >= this.#desired,
    )) {
      kubelet.terminate(pod);
    }
  }

  #reconcileNodes(): void {
    const { nodes } = this.#options;
    const covered = new Set(this.pods.map((pod) => pod.node));
    for (const node of nodes) {
      if (!covered.has(node)) {
        this.#create(this.#generateName(), node);
      }
    }
  }

  /** Too many: the youngest go first, as a ReplicaSet does with pods that are otherwise alike. */
  #reconcileCount(): void {
    const { pods } = this;
    for (let missing = this.#desired - pods.length; missing > 0; missing--) {
      this.#create(this.#generateName());
    }
    for (const pod of pods.slice(this.#desired)) {
      this.#options.kubelet.terminate(pod);
    }
  }

  #generateName(): string {
    return this.#options.kubelet.generateName(this.#options.namespace, this.name);
  }

  #create(name: string, node?: DemoNode): void {
    const { kubelet, namespace, kind } = this.#options;
    const owner = controllerReference(RESOURCES[kind].apiVersion, kind, this.name, this.uid);
    kubelet.create({ namespace, name, template: this.template, owner, ...(node === undefined ? {} : { node }) });
  }

  #object(pods: readonly DemoPod[]): KubernetesObject {
    const { namespace, name, owner, template, kind } = this.#options;
    const ready = pods.filter((pod) => pod.stage === 'ready').length;
    const spec = kind === 'DaemonSet' ? {} : { replicas: this.#desired };
    const status =
      kind === 'DaemonSet'
        ? { desiredNumberScheduled: pods.length, currentNumberScheduled: pods.length, numberReady: ready }
        : { replicas: pods.length, readyReplicas: ready, availableReplicas: ready };
    const selector = kind === 'ReplicationController' ? template.labels : { matchLabels: template.labels };
    return {
      metadata: {
        name,
        namespace,
        labels: template.labels,
        ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      },
      spec: { ...spec, selector, template: { metadata: { labels: template.labels } } },
      status,
    };
  }
}

export function controllerReference(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

const RESOURCES: Readonly<Record<ReplicaKind, { readonly plural: string; readonly apiVersion: string }>> = {
  StatefulSet: { plural: 'statefulsets.apps', apiVersion: 'apps/v1' },
  DaemonSet: { plural: 'daemonsets.apps', apiVersion: 'apps/v1' },
  ReplicaSet: { plural: 'replicasets.apps', apiVersion: 'apps/v1' },
  ReplicationController: { plural: 'replicationcontrollers', apiVersion: 'v1' },
};
