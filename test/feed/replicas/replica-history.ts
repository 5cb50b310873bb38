// The history of a small cluster as etcd has it: one counter of versions, and for each resource the changes of its
// objects, each at its version. Replicas read it as watches and lists would show it, each resource at its own pace.
//
// Objects are in two namespaces, which have labels and come and go themselves. Their owners are watched or not, have a
// namespace or not (so that references alone do not tell which), may be shared by both namespaces, and may be referred
// to in two API versions and with several uids.
//
// Owners are deleted only after their pods are, and readers see it in that order (`needsPods`): the names of owners
// that are gone before their pods depend on what a replica has seen, and are the one thing that replicas may differ in.

import type { ControllerReference, EndpointTarget, KubernetesRecord } from '../../../src/model/kubernetes/records.ts';
import { namespace as namespaceRecord, node, owner, pod, service, slice } from '../../catalog/records.ts';
import type { Random } from '../../random.ts';

export const RESOURCES = [
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'nodes',
  'namespaces',
  'replicasets.apps',
  'deployments.apps',
  'installations.operator.tigera.io',
] as const;
export type Resource = (typeof RESOURCES)[number];

export interface HistoryEvent {
  readonly version: number;
  readonly removed: boolean;
  readonly record: KubernetesRecord;
  /** Number of events of pods that have to be seen before this one. */
  readonly needsPods: number;
}

const NAMES = ['n0', 'n1', 'n2', 'n3', 'n4'];

/** Of every object with this name that has a namespace. */
function namespaceOf(name: string): string {
  return name < 'n3' ? 'shop' : 'mall';
}

/** Of kinds that are not watched: only references tell of them. */
const UNWATCHED: readonly ControllerReference[] = [
  { apiVersion: 'example.com/v1', kind: 'Rollout', name: 'roll', uid: 'uid-roll' },
  { apiVersion: 'example.com/v2', kind: 'Rollout', name: 'roll', uid: 'uid-roll' },
  { apiVersion: 'example.com/v1', kind: 'Rollout', name: 'roll', uid: 'uid-roll-again' },
  { apiVersion: 'example.com/v1', kind: 'Rollout', name: 'other', uid: 'uid-roll' },
];

const LABELS: Readonly<Record<string, string>>[] = [{}, { app: 'x' }, { app: 'y' }, { app: 'x', tier: 't' }];

export class ReplicaHistory {
  version = 1;
  readonly events: Readonly<Record<Resource, HistoryEvent[]>> = {
    pods: [],
    services: [],
    'endpointslices.discovery.k8s.io': [],
    nodes: [],
    namespaces: [],
    'replicasets.apps': [],
    'deployments.apps': [],
    'installations.operator.tigera.io': [],
  };
  readonly #live = new Map<string, { readonly resource: Resource; readonly record: KubernetesRecord }>();
  /** Objects as they were before their last change. */
  readonly #earlier = new Map<string, KubernetesRecord>();
  readonly #random: Random;
  /** Resources that nothing happens to for now. */
  readonly #idle = new Set<Resource>();
  #uids = 0;
  /** How often the installation with this name was deleted. */
  readonly #generations = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Something happens, or nothing. */
  step(): void {
    const random = this.#random;
    // Objects that are not watched have versions too.
    if (random.chance(0.2)) this.version += random.between(1, 3);
    if (random.chance(0.02)) {
      this.#idle.clear();
      for (const resource of RESOURCES) if (random.chance(0.4)) this.#idle.add(resource);
    }
    const resource = random.pick([...RESOURCES, 'pods', 'pods', 'endpointslices.discovery.k8s.io'] as const);
    if (this.#idle.has(resource)) return;
    const picked = random.pick(NAMES);
    const name = resource === 'namespaces' ? namespaceOf(picked) : picked;
    const key = `${resource} ${name}`;
    const known = this.#live.get(key)?.record;
    if (known !== undefined && random.chance(0.3)) {
      if (this.#mayGo(known)) this.#emit(resource, known, true);
      return;
    }
    const earlier = this.#earlier.get(key);
    if (
      earlier !== undefined &&
      known !== undefined &&
      earlier.uid === known.uid &&
      this.#hasOwner(earlier) &&
      random.chance(0.25)
    ) {
      // As it was before: the same records at two moments, and others in between.
      this.#emit(resource, earlier, false);
      return;
    }
    // Now and then another object under the same name.
    const recreate =
      known !== undefined &&
      resource !== 'installations.operator.tigera.io' &&
      random.chance(0.15) &&
      this.#mayGo(known);
    if (recreate) this.#emit(resource, known, true);
    const uid =
      resource === 'installations.operator.tigera.io'
        ? this.#installation(name).uid
        : known === undefined || recreate
          ? `uid-${++this.#uids}`
          : known.uid;
    this.#emit(resource, this.#record(resource, name, uid), false);
  }

  /** The objects of a resource as they were after this many of its events. */
  at(resource: Resource, events: number): readonly KubernetesRecord[] {
    const objects = new Map<string, KubernetesRecord>();
    for (const { removed, record } of this.events[resource].slice(0, events)) {
      if (removed) objects.delete(record.name);
      else objects.set(record.name, record);
    }
    return [...objects.values()];
  }

  #record(resource: Resource, name: string, uid: string): KubernetesRecord {
    const random = this.#random;
    const labels = random.pick(LABELS);
    const namespace = namespaceOf(name);
    switch (resource) {
      case 'pods':
        return pod(name, {
          uid,
          namespace,
          labels,
          nodeName: random.pick(['', 'n0', 'n1']),
          phase: random.pick(['Pending', 'Running']),
          controller: this.#ownerOfPod(),
        });
      case 'services':
        return service(name, { uid, namespace, labels, clusterIps: [random.pick(['10.96.0.1', '10.96.0.2'])] });
      case 'endpointslices.discovery.k8s.io': {
        const record = slice(name, random.pick(NAMES), []);
        const endpoints = NAMES.filter(() => random.chance(0.4)).map((each) => ({
          addresses: [],
          ready: true,
          target: this.#target(each),
        }));
        return { ...record, uid, namespace, endpoints };
      }
      case 'nodes':
        return node(name, { uid, labels });
      case 'namespaces':
        return namespaceRecord(name, { uid, labels });
      case 'replicasets.apps':
        return owner('ReplicaSet', name, {
          uid,
          namespace,
          controller: random.chance(0.3) ? this.#customOwner() : this.#controller('deployments.apps', 'Deployment'),
        });
      case 'deployments.apps':
        return owner('Deployment', name, { uid, namespace, labels });
      case 'installations.operator.tigera.io':
        return owner('Installation', name, { uid, namespace: '', labels, apiVersion: 'operator.tigera.io/v1' });
    }
  }

  /** By uid, or now and then by name alone. */
  #target(name: string): EndpointTarget {
    const uid = this.#live.get(`pods ${name}`)?.record.uid;
    const byName = uid === undefined || this.#random.chance(0.2);
    return { kind: 'Pod', namespace: namespaceOf(name), name, uid: byName ? '' : uid };
  }

  #customOwner(): ControllerReference {
    return this.#random.pick([...UNWATCHED, ...['n0', 'n1', 'n2'].map((name) => this.#installation(name))]);
  }

  /** Cluster-scoped, and made before or after the pods that refer to it; what is deleted is referred to no more. */
  #installation(name: string): ControllerReference {
    const uid = `uid-installation-${name}-${this.#generations.get(name) ?? 0}`;
    return { apiVersion: 'operator.tigera.io/v1', kind: 'Installation', name, uid };
  }

  #ownerOfPod(): ControllerReference | undefined {
    if (this.#random.chance(0.35)) return this.#customOwner();
    return this.#controller('replicasets.apps', 'ReplicaSet');
  }

  #controller(resource: Resource, kind: string): ControllerReference | undefined {
    if (this.#random.chance(0.3)) return undefined;
    const { name, uid } = this.#live.get(`${resource} ${this.#random.pick(NAMES)}`)?.record ?? {};
    return name === undefined || uid === undefined ? undefined : { apiVersion: 'apps/v1', kind, name, uid };
  }

  /** Its owner, if it has one, is there: of owners that are gone only the names are known, not to everybody alike. */
  #hasOwner({ controller }: KubernetesRecord): boolean {
    if (controller === undefined || controller.kind === 'Rollout') return true;
    if (controller.kind === 'Installation') return controller.uid === this.#installation(controller.name).uid;
    for (const { record } of this.#live.values()) if (record.uid === controller.uid) return true;
    return false;
  }

  /** Nothing below it, at whatever distance. */
  #mayGo(record: KubernetesRecord): boolean {
    if (record.type !== 'Owner') return true;
    for (const { record: other } of this.#live.values()) if (other.controller?.uid === record.uid) return false;
    return true;
  }

  #emit(resource: Resource, record: KubernetesRecord, removed: boolean): void {
    this.version += 1;
    const needsPods = record.type === 'Owner' ? this.events.pods.length : 0;
    this.events[resource].push({ version: this.version, removed, record, needsPods: removed ? needsPods : 0 });
    const known = this.#live.get(`${resource} ${record.name}`)?.record;
    if (known !== undefined) this.#earlier.set(`${resource} ${record.name}`, known);
    if (removed && resource === 'installations.operator.tigera.io') {
      this.#generations.set(record.name, (this.#generations.get(record.name) ?? 0) + 1);
    }
    if (removed) this.#live.delete(`${resource} ${record.name}`);
    else this.#live.set(`${resource} ${record.name}`, { resource, record });
  }
}
