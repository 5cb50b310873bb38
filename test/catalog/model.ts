// The catalog as one would write it without caring for time: all records in maps, every entity worked out anew from all
// of them, by what the comments of the contract say. It knows retained owners, which are the one thing that does not
// follow from the present records.

import { canonicalIps } from '../../src/model/ip/ip.ts';
import type {
  ControllerReference,
  EndpointRecord,
  EndpointSliceRecord,
  KubernetesRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../../src/model/kubernetes/records.ts';

type Plain = Record<string, unknown>;

interface Known {
  readonly reference: Plain;
  readonly controller: ControllerReference | undefined;
}

/** An address or a target in the endpoints of a service, and what it means. */
interface Endpoint {
  readonly pods: readonly PodRecord[];
  /** Not an address of a pod or node. */
  readonly outside?: string;
  /** The target's, where the pod says nothing of it. */
  readonly further?: string;
}

export const LONGEST_CHAIN = 10;

export class Model {
  readonly records = new Map<string, KubernetesRecord>();
  readonly retained = new Map<string, Known>();
  readonly #isWatchedKind: (kind: string) => boolean;

  constructor(isWatchedKind: (kind: string) => boolean = () => true) {
    this.#isWatchedKind = isWatchedKind;
  }

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

  /** Every published entity by its key (kind, API version, kind, namespace, name), as the message decodes. */
  entities(): Map<string, Plain> {
    const found = new Map<string, Plain>();
    const byUid = new Map([...this.records.values()].map((record) => [record.uid, record]));
    for (const record of this.records.values()) {
      const { uid, namespace, name, labels } = record;
      const key = `${record.type} ${namespace}/${name}`;
      if (record.type === 'Pod') found.set(key, this.#pod(record));
      if (record.type === 'Service') found.set(key, this.#service(record));
      if (record.type === 'Namespace') found.set(key, trimmed({ name, uid, labels }));
      if (record.type === 'Node') {
        const tunnel = canonicalIps([record.annotations['projectcalico.org/IPv4VXLANTunnelAddr'] ?? '']);
        const addresses = [
          ...record.addresses.map(({ type, address }) => ({ type, address: canonicalIps([address])[0] ?? address })),
          ...tunnel.map((address) => ({ type: 'NetworkPlugin', address })),
        ];
        const deletionTime = timestamp(record.deletionTimeMs);
        const place = this.#place(name);
        found.set(
          key,
          trimmed({
            name,
            uid,
            addresses,
            ...place,
            podRanges: record.podCidrs,
            deletionTime,
            labels,
            ...placeOf(record),
          }),
        );
      }
      if (record.type === 'Owner' && record.controller === undefined) {
        const { apiVersion, kind } = record;
        found.set(workloadKey({ ...record }), trimmed({ apiVersion, kind, namespace, name, uid, labels }));
      }
    }
    const unwatched = new Map<string, Plain>();
    for (const pod of this.#all('Pod')) {
      const workload = this.#workload(pod);
      if (workload['incomplete'] !== true || this.#isWatchedKind(String(workload['kind']))) continue;
      if (byUid.get(String(workload['uid']))?.type === 'Owner') continue;
      const other = unwatched.get(workloadKey(workload));
      if (other === undefined || String(workload['uid']) < String(other['uid'])) {
        unwatched.set(workloadKey(workload), workload);
      }
    }
    for (const [key, workload] of unwatched) if (!found.has(key)) found.set(key, workload);
    return found;
  }

  /** What a lookup by name says of an owner, also of one that is only a link of a chain. */
  owner({ apiVersion, kind, namespace, name, uid, controller, labels }: OwnerRecord): Plain {
    return trimmed({ apiVersion, kind, namespace, name, uid, ownerChain: this.chain({ uid, controller }), labels });
  }

  /** Above an object that something refers to, for as long as anything is known of it. */
  chainAbove(uid: string): Plain[] {
    const known = this.#known(uid);
    return known === undefined ? [] : this.chain({ uid, controller: known.controller });
  }

  chain(record: { readonly uid: string; readonly controller: ControllerReference | undefined }): Plain[] {
    const chain: Plain[] = [];
    let { controller } = record;
    while (controller !== undefined) {
      const { uid } = controller;
      if (uid === record.uid || chain.some((owner) => owner['uid'] === uid)) break;
      const known = this.#known(uid);
      if (known === undefined) {
        chain.push(this.#told(uid));
        break;
      }
      const isCut = chain.length === LONGEST_CHAIN - 1 && known.controller !== undefined;
      chain.push(isCut ? { ...known.reference, incomplete: true } : known.reference);
      controller = isCut ? undefined : known.controller;
    }
    return chain;
  }

  /** What all the references to an object say that nothing else is known of. */
  #told(uid: string): Plain {
    const said: { readonly namespace: string; readonly controller: ControllerReference }[] = [];
    for (const { type, namespace, controller } of this.records.values()) {
      if (controller?.uid === uid && (type === 'Pod' || type === 'Owner')) said.push({ namespace, controller });
    }
    for (const { reference, controller } of this.retained.values()) {
      if (controller?.uid === uid) said.push({ namespace: String(reference['namespace'] ?? ''), controller });
    }
    said.sort((a, b) => (order(a.controller) < order(b.controller) ? -1 : 1));
    const [first] = said;
    if (first === undefined) throw new Error(`nothing refers to ${uid}`);
    const { apiVersion, kind, name } = first.controller;
    // An owner that two namespaces share is cluster-scoped.
    const isShared = new Set(said.map((each) => each.namespace)).size > 1;
    const namespace = isShared || kind === 'Node' ? '' : first.namespace;
    return trimmed({ apiVersion, kind, namespace, name, uid, incomplete: true });

    function order(of: ControllerReference): string {
      return [of.kind, of.name, of.apiVersion].join(' ');
    }
  }

  #workload(pod: PodRecord): Plain {
    const top = this.chain(pod)
      .filter(({ kind }) => kind !== 'Node')
      .at(-1);
    const { namespace, name, uid } = pod;
    return top ?? trimmed({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid });
  }

  #place(nodeName: string): Plain {
    const labels = this.#all('Node').find(({ name }) => name === nodeName)?.labels ?? {};
    return { zone: labels['topology.kubernetes.io/zone'], region: labels['topology.kubernetes.io/region'] };
  }

  #pod(pod: PodRecord): Plain {
    const { uid, namespace, name, nodeName, hostNetwork, labels } = pod;
    const services: Plain[] = [];
    const further = new Set<string>();
    for (const service of this.#all('Service')) {
      if (service.namespace !== namespace || !this.#members(service).includes(pod)) continue;
      services.push({ apiVersion: 'v1', kind: 'Service', namespace, name: service.name, uid: service.uid });
    }
    services.sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
    for (const slice of this.#all('EndpointSlice')) {
      for (const endpoint of this.#meanings(slice)) {
        if (endpoint.further !== undefined && endpoint.pods.includes(pod)) further.add(endpoint.further);
      }
    }
    return trimmed({
      uid,
      namespace,
      name,
      addresses: canonicalIps(pod.podIps),
      hostNetwork: hostNetwork || undefined,
      nodeName,
      ...this.#place(nodeName),
      serviceAccount: pod.serviceAccount,
      ready: pod.ready || undefined,
      imageDigests: Object.fromEntries(
        pod.containers.flatMap(({ name, imageDigest }) => (imageDigest === '' ? [] : [[name, imageDigest]])),
      ),
      phase: `POD_PHASE_${pod.phase.toUpperCase()}`,
      workload: this.#workload(pod),
      ownerChain: this.chain(pod),
      services: services.slice(0, 100),
      serviceCount: services.length > 100 ? services.length : undefined,
      endpointAddresses: [...further].sort().slice(0, 100),
      deletionTime: timestamp(pod.deletionTimeMs),
      ...placeOf(this.#all('Node').find((node) => node.name === nodeName)),
      labels,
    });
  }

  #service(service: ServiceRecord): Plain {
    const { uid, namespace, name, labels } = service;
    const workloads = new Map<string, Plain>();
    for (const pod of this.#members(service)) {
      const workload = this.#workload(pod);
      workloads.set(`${String(workload['uid'])} ${String(workload['incomplete'])}`, workload);
    }
    const order = ({ kind, namespace: at = '', name: called, uid: id }: Plain) => [kind, at, called, id].join(' ');
    const sorted = [...workloads.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
    const manual = new Set(this.#endpoints(service).flatMap(({ outside }) => outside ?? []));
    const type = { ExternalName: 'EXTERNAL_NAME', LoadBalancer: 'LOAD_BALANCER' }[service.serviceType] ?? 'CLUSTER_IP';
    return trimmed({
      uid,
      namespace,
      name,
      type: `SERVICE_TYPE_${type}`,
      clusterAddresses: canonicalIps(service.clusterIps),
      loadBalancerAddresses: canonicalIps(service.loadBalancerIps),
      externalAddresses: canonicalIps(service.externalIps),
      ports: service.ports.map(({ name: called, port, nodePort }) =>
        trimmed({ name: called, protocol: 'PROTOCOL_TCP', port, nodePort: nodePort === 0 ? undefined : nodePort }),
      ),
      workloads: sorted.filter((each, at) => sorted.findIndex((other) => other['uid'] === each['uid']) === at),
      manualEndpoints: [...manual]
        .sort()
        .map((address) => ({ address, service: { apiVersion: 'v1', kind: 'Service', namespace, name, uid } })),
      labels,
    });
  }

  #members(service: ServiceRecord): PodRecord[] {
    return [...new Set(this.#endpoints(service).flatMap(({ pods }) => pods))];
  }

  #endpoints(service: ServiceRecord): Endpoint[] {
    return this.#all('EndpointSlice')
      .filter(({ namespace, serviceName }) => namespace === service.namespace && serviceName === service.name)
      .flatMap((slice) => this.#meanings(slice));
  }

  #meanings(slice: EndpointSliceRecord): Endpoint[] {
    if (slice.serviceName === '') return [];
    const isKubernetes =
      slice.labels['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io' &&
      slice.controller?.kind === 'Service' &&
      slice.controller.name === slice.serviceName;
    return slice.endpoints.flatMap((endpoint) => this.#meaningsOf(endpoint, slice.namespace, isKubernetes));
  }

  #meaningsOf({ addresses, target }: EndpointRecord, namespace: string, isKubernetes: boolean): Endpoint[] {
    const named = target?.kind === 'Pod' ? target : undefined;
    const at = named?.namespace || namespace;
    const pod = this.#all('Pod').find((each) =>
      named?.uid ? each.uid === named.uid : each.namespace === at && each.name === named?.name,
    );
    const own = canonicalIps(addresses);
    if (named !== undefined && (isKubernetes || own.length === 0)) {
      return pod !== undefined && at === namespace && pod.namespace === namespace ? [{ pods: [pod] }] : [];
    }
    return own.map((address) => this.#meaning(address, pod, namespace));
  }

  #meaning(address: string, target: PodRecord | undefined, namespace: string): Endpoint {
    if (target !== undefined && canonicalIps(target.podIps).includes(address)) return { pods: [target] };
    const holders = this.#all('Pod').filter(
      ({ hostNetwork, phase, podIps }) =>
        !hostNetwork && phase !== 'Succeeded' && phase !== 'Failed' && canonicalIps(podIps).includes(address),
    );
    if (holders.length > 0) return { pods: holders };
    const isNode = this.#all('Node').some(({ addresses, annotations }) =>
      canonicalIps([
        ...addresses.map((each) => each.address),
        annotations['projectcalico.org/IPv4VXLANTunnelAddr'] ?? '',
      ]).includes(address),
    );
    if (isNode) return { pods: [] };
    if (target?.namespace === namespace) return { pods: [target], further: address };
    return { pods: [], outside: address };
  }

  #known(uid: string): Known | undefined {
    for (const record of this.records.values()) {
      if (record.uid !== uid) continue;
      const { type, namespace, name, controller } = record;
      if (type === 'Service' || type === 'EndpointSlice' || type === 'Namespace') return undefined;
      const { apiVersion, kind } = type === 'Owner' ? record : { apiVersion: 'v1', kind: type };
      return { reference: trimmed({ apiVersion, kind, namespace, name, uid }), controller };
    }
    return this.retained.get(uid);
  }

  /** Retained is what a pod still has in its chain. */
  #prune(): void {
    const reached = new Set<string>();
    for (const pod of this.#all('Pod')) {
      let { controller } = pod;
      const links = new Set<string>();
      while (controller !== undefined && links.size < LONGEST_CHAIN && !links.has(controller.uid)) {
        links.add(controller.uid);
        controller = this.#known(controller.uid)?.controller;
      }
      for (const uid of links) reached.add(uid);
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

function workloadKey(of: { readonly [field: string]: unknown }): string {
  return `Workload ${String(of['apiVersion'])} ${String(of['kind'])} ${String(of['namespace'] ?? '')}/${String(of['name'])}`;
}

/** What a node says of where it is, for itself and its pods. */
function placeOf(node: NodeRecord | undefined): Plain {
  const { labels = {} } = node ?? {};
  return { zone: labels['topology.kubernetes.io/zone'], region: labels['topology.kubernetes.io/region'] };
}

/** Whole seconds, as Kubernetes writes them. */
function timestamp(ms: number | undefined): Plain | undefined {
  return ms === undefined ? undefined : { seconds: ms / 1_000 };
}

/** Without what protobuf does not write: empty text, empty lists and empty maps. */
function trimmed(fields: Plain): Plain {
  const written = Object.entries(fields).filter(([, value]) =>
    typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== '' && value !== undefined,
  );
  return Object.fromEntries(written);
}
