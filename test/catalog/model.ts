// The catalog as one would write it without caring for time: all records in maps, every entity worked out anew from all
// of them. It knows retained owners, which are the one thing that does not follow from the present records.

import type { ControllerReference, KubernetesRecord, PodRecord, ServiceRecord } from '../../src/model/records.ts';

type Plain = Record<string, unknown>;

interface Known {
  readonly reference: Plain;
  readonly controller: ControllerReference | undefined;
}

export class Model {
  readonly records = new Map<string, KubernetesRecord>();
  readonly retained = new Map<string, Known>();

  put(record: KubernetesRecord): void {
    const before = this.records.get(keyOf(record));
    if (before !== undefined && before.uid !== record.uid) this.remove(before);
    this.records.set(keyOf(record), record);
    this.retained.delete(record.uid);
    this.#prune();
  }

  remove(record: KubernetesRecord): void {
    const known = this.records.get(keyOf(record));
    if (known === undefined || known.uid !== record.uid) return;
    const last = this.#known(known.uid);
    this.records.delete(keyOf(record));
    if (last !== undefined) this.retained.set(known.uid, last);
    this.#prune();
  }

  relist(type: KubernetesRecord['type'], records: readonly KubernetesRecord[]): void {
    const uids = new Set(records.map(({ uid }) => uid));
    for (const record of [...this.records.values()]) {
      if (record.type === type && !uids.has(record.uid)) this.remove(record);
    }
    for (const record of records) this.put(record);
  }

  /** Every published entity by uid, as the message of the contract decodes. */
  entities(): Map<string, Plain> {
    const found = new Map<string, Plain>();
    for (const record of this.records.values()) {
      const { uid, name, labels } = record;
      if (record.type === 'Pod') found.set(uid, this.#pod(record));
      if (record.type === 'Service') found.set(uid, this.#service(record));
      if (record.type === 'Node') found.set(uid, trimmed({ name, uid, labels }));
      if (record.type === 'Owner' && record.controller === undefined) {
        const { apiVersion, kind, namespace } = record;
        found.set(uid, trimmed({ apiVersion, kind, namespace, name, uid, labels }));
      }
    }
    return found;
  }

  chain(record: {
    readonly uid: string;
    readonly namespace: string;
    readonly controller: ControllerReference | undefined;
  }): Plain[] {
    const chain: Plain[] = [];
    let { controller, namespace } = record;
    while (controller !== undefined) {
      const { uid, apiVersion, kind, name } = controller;
      if (uid === record.uid || chain.some((owner) => owner['uid'] === uid)) break;
      const known = this.#known(uid);
      if (known === undefined) {
        const at = kind === 'Node' ? '' : namespace;
        chain.push(trimmed({ apiVersion, kind, namespace: at, name, uid, incomplete: true }));
        break;
      }
      chain.push(known.reference);
      controller = known.controller;
      namespace = String(known.reference['namespace'] ?? '');
    }
    return chain;
  }

  #workload(pod: PodRecord): Plain {
    const top = this.chain(pod)
      .filter(({ kind }) => kind !== 'Node')
      .at(-1);
    const { namespace, name, uid } = pod;
    return top ?? { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
  }

  #pod(pod: PodRecord): Plain {
    const { uid, namespace, name, nodeName, labels } = pod;
    const services = this.#all('Service')
      .filter((service) => this.#members(service).includes(pod))
      .map((service) => ({ apiVersion: 'v1', kind: 'Service', namespace, name: service.name, uid: service.uid }));
    services.sort((a, b) => (a.name < b.name ? -1 : 1));
    return trimmed({
      uid,
      namespace,
      name,
      addresses: pod.podIps,
      nodeName,
      phase: `POD_PHASE_${pod.phase.toUpperCase()}`,
      workload: this.#workload(pod),
      ownerChain: this.chain(pod),
      services,
      labels,
    });
  }

  #service(service: ServiceRecord): Plain {
    const { uid, namespace, name, labels } = service;
    const workloads = new Map<string, Plain>();
    for (const pod of this.#members(service)) {
      const workload = this.#workload(pod);
      // Pods may say different API versions of an owner that nobody knows: the first in order stands.
      const said = workloads.get(String(workload['uid']));
      if (said === undefined || String(workload['apiVersion']) < String(said['apiVersion'])) {
        workloads.set(String(workload['uid']), workload);
      }
    }
    const order = ({ kind, namespace: at = '', name: called, uid: id }: Plain) => [kind, at, called, id].join(' ');
    const manual = new Set(
      this.#endpoints(service).flatMap(({ target, addresses }) => (target === undefined ? addresses : [])),
    );
    return trimmed({
      uid,
      namespace,
      name,
      type: 'SERVICE_TYPE_CLUSTER_IP',
      workloads: [...workloads.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1)),
      manualEndpoints: [...manual]
        .sort()
        .map((address) => ({ address, service: { apiVersion: 'v1', kind: 'Service', namespace, name, uid } })),
      labels,
    });
  }

  #members(service: ServiceRecord): PodRecord[] {
    const targets = this.#endpoints(service).flatMap(({ target }) => target ?? []);
    return this.#all('Pod').filter((pod) =>
      targets.some((target) => (target.uid === '' ? target.name === pod.name : target.uid === pod.uid)),
    );
  }

  #endpoints(service: ServiceRecord) {
    return this.#all('EndpointSlice').flatMap(({ serviceName, endpoints }) =>
      serviceName === service.name ? endpoints : [],
    );
  }

  #known(uid: string): Known | undefined {
    for (const record of this.records.values()) {
      if (record.uid !== uid) continue;
      const { type, namespace, name, controller } = record;
      if (type === 'Service' || type === 'EndpointSlice') return undefined;
      const { apiVersion, kind } = type === 'Owner' ? record : { apiVersion: 'v1', kind: type };
      return { reference: trimmed({ apiVersion, kind, namespace, name, uid }), controller };
    }
    return this.retained.get(uid);
  }

  /** Retained is what a pod still refers to, directly or through others. */
  #prune(): void {
    const reached = new Set<string>();
    for (const pod of this.#all('Pod')) {
      let { controller } = pod;
      while (controller !== undefined) {
        const { uid } = controller;
        const visited = reached.has(uid);
        reached.add(uid);
        controller = visited ? undefined : this.#known(uid)?.controller;
      }
    }
    for (const uid of [...this.retained.keys()]) if (!reached.has(uid)) this.retained.delete(uid);
  }

  #all<T extends KubernetesRecord['type']>(type: T): Extract<KubernetesRecord, { type: T }>[] {
    return [...this.records.values()].filter(
      (record): record is Extract<KubernetesRecord, { type: T }> => record.type === type,
    );
  }
}

function keyOf({ type, namespace, name }: KubernetesRecord): string {
  return `${type}/${namespace}/${name}`;
}

/** Without what protobuf does not write: empty text, empty lists and empty maps. */
function trimmed(fields: Plain): Plain {
  const written = Object.entries(fields).filter(([, value]) =>
    typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== '' && value !== undefined,
  );
  return Object.fromEntries(written);
}
