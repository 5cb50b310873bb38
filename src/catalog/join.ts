// The join: which entities a write touches, and what they become.
//
// Shelves (one per type of record) take accepted writes, keep the graph of owners and the memberships up to date, and
// mark what may have changed. `drain` joins what is marked and yields one change per entity that really differs:
// removals first, then nodes, workloads, pods, and services last, because the workloads behind a service follow from
// its pods. Nothing here knows of sequences, listeners or time.

import type { ByteString, Entity, ObjectReference, PodEntity, ServiceEntity } from '../model/entities.ts';
import type {
  ControllerReference,
  EndpointSliceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../model/records.ts';
import { concatBytes } from '../wire/encoded-entity.ts';
import { encodePodOwners } from '../wire/encode-pod.ts';
import { encodeServiceBackends } from '../wire/encode-service.ts';
import type { ValuePolicy } from '../wire/value-policy.ts';
import { CustomOwners, type IsWatchedKind } from './custom-owners.ts';
import { Interner } from './text-interner.ts';
import type { JoinedChange, JoinedTouch } from './joined.ts';
import { draftSlice, isSameSlice, Membership, type SliceDraft, SliceState } from './membership.ts';
import { draftNode, isSameNode, type NodeDraft, NodeState } from './node-state.ts';
import { type ControllerEdge, type Dependant, OwnerGraph, type OwnerLink } from './owner-graph.ts';
import { draftOwner, isSameOwner, knownOwner, type OwnerDraft, OwnerState } from './owner-state.ts';
import { draftPod, isSamePod, NO_SERVICES, type PodDraft, type PodRow, PodState } from './pod-state.ts';
import type { Shelf } from './record-table.ts';
import { compareText, isSameButJoined, NO_REFERENCES } from './rows.ts';
import { draftService, isSameService, type ServiceDraft, ServiceState, type Target } from './service-state.ts';

export class Join {
  readonly graph: OwnerGraph;
  readonly pods = new Map<string, PodState>();
  readonly nodes = new Map<string, NodeState>();
  readonly owners = new Map<string, OwnerState>();
  readonly services = new Map<string, ServiceState>();
  readonly customOwners: CustomOwners;
  readonly #servicesByName = new Map<string, Map<string, ServiceState>>();
  readonly #membership: Membership;
  readonly #policy: ValuePolicy;
  readonly #interner = new Interner();
  /** Finds a pod by name for endpoints that name no uid. */
  readonly #podNamed: (namespace: string, name: string) => PodState | undefined;

  readonly #removed: JoinedChange[] = [];
  readonly #dirtyNodes = new Set<NodeState>();
  readonly #dirtyOwners = new Set<OwnerState>();
  readonly #dirtyPods = new Set<PodState>();
  readonly #dirtyServices = new Set<ServiceState>();
  /** Whose backends were counted anew without a difference. */
  readonly #countedServices = new Set<ServiceState>();

  constructor(
    policy: ValuePolicy,
    isWatchedKind: IsWatchedKind,
    podNamed: (namespace: string, name: string) => PodState | undefined,
  ) {
    this.#policy = policy;
    this.#podNamed = podNamed;
    this.customOwners = new CustomOwners(isWatchedKind);
    this.graph = new OwnerGraph({
      find: (uid) => (this.pods.get(uid) ?? this.nodes.get(uid))?.known,
      touched: (dependant) => this.#touchedDependant(dependant),
    });
    this.#membership = new Membership({
      service: (namespace, name) => this.#service(namespace, name),
      release: (service) => this.#releaseService(service),
      touchedTarget: (target) => this.#touchedTarget(target),
      touchedService: (service) => this.#dirtyServices.add(service),
    });
  }

  /** Joins everything that is marked. What is yielded is already the state that readers see. */
  *drain(): Generator<JoinedChange | JoinedTouch> {
    while (this.isDirty) {
      while (this.#removed.length > 0) yield* this.#removed.splice(0);
      for (const node of taken(this.#dirtyNodes)) {
        if (node.published === node.row) continue;
        const before = node.published;
        node.published = node.row;
        yield { resource: node.resource, before, after: node.row };
      }
      for (const owner of taken(this.#dirtyOwners)) yield* this.#joinOwner(owner);
      for (const pod of taken(this.#dirtyPods)) yield* this.#joinPod(pod);
      for (const service of taken(this.#dirtyServices)) yield* this.#joinService(service);
      // Known through pods alone, so their changes come from the same source.
      for (const { before, after } of this.customOwners.drain((uid) => this.owners.has(uid))) {
        yield { resource: PODS, before, after };
      }
    }
    for (const { published } of taken(this.#countedServices)) if (published !== undefined) yield { touched: published };
    for (const { reference, entity } of this.customOwners.drainTouched()) yield { touched: entity ?? reference };
  }

  get isDirty(): boolean {
    return (
      this.#removed.length + this.#dirtyNodes.size + this.#dirtyOwners.size > 0 ||
      this.#dirtyPods.size + this.#dirtyServices.size > 0 ||
      this.customOwners.isDirty
    );
  }

  serviceNamed(namespace: string, name: string): ServiceState | undefined {
    return this.#servicesByName.get(namespace)?.get(name);
  }

  podShelf(resource: string): Shelf<PodRecord, PodDraft, PodState> {
    return {
      draft: (record) => draftPod(record, this.#policy, this.#interner),
      isSame: isSamePod,
      create: (draft) => {
        const pod = new PodState(resource, draft.row);
        this.pods.set(draft.uid, pod);
        if (draft.controller !== undefined) pod.edge = this.graph.attach(pod, draft.namespace, draft.controller);
        pod.row.values = pod.edge?.shareValues(draft.row.values) ?? draft.row.values;
        this.graph.notice(pod.known);
        this.#dirtyPods.add(pod);
        return pod;
      },
      update: (pod, draft) => {
        pod.row = draft.row;
        if (!sameController(pod.edge, draft.controller)) {
          pod.edge = this.graph.move(pod, pod.edge, draft.namespace, draft.controller);
          this.graph.notice(pod.known);
          this.#touchWhatItCountsFor(pod);
        }
        pod.row.values = pod.edge?.shareValues(draft.row.values) ?? draft.row.values;
        this.#dirtyPods.add(pod);
      },
      remove: (pod) => {
        const { uid } = pod;
        this.pods.delete(uid);
        this.#dirtyPods.delete(pod);
        this.#count(pod, undefined, NO_SERVICES);
        const { edge } = pod;
        pod.edge = undefined;
        if (edge !== undefined) this.graph.detach(pod, edge);
        this.graph.forget(uid);
        this.#remove(resource, pod.published);
      },
    };
  }

  nodeShelf(resource: string): Shelf<NodeRecord, NodeDraft, NodeState> {
    return {
      draft: (record) => draftNode(record, this.#policy, this.#interner),
      isSame: isSameNode,
      create: (draft) => {
        const node = new NodeState(resource, draft.row);
        this.nodes.set(draft.uid, node);
        this.graph.notice(node.known);
        this.#dirtyNodes.add(node);
        return node;
      },
      update: (node, draft) => {
        node.row = draft.row;
        this.#dirtyNodes.add(node);
      },
      remove: (node) => {
        this.nodes.delete(node.uid);
        this.#dirtyNodes.delete(node);
        this.graph.forget(node.uid);
        this.#remove(resource, node.published);
      },
    };
  }

  ownerShelf(resource: string): Shelf<OwnerRecord, OwnerDraft, OwnerState> {
    return {
      draft: (record) => draftOwner(record, this.#policy, this.#interner),
      isSame: isSameOwner,
      create: (draft) => {
        const link = this.graph.record(knownOwner(draft));
        this.#touchTop(link);
        const owner = new OwnerState(resource, link, draft.row);
        owner.published = this.customOwners.handOver(draft.uid);
        this.owners.set(draft.uid, owner);
        this.#dirtyOwners.add(owner);
        return owner;
      },
      update: (owner, draft) => {
        owner.row = draft.row;
        owner.joined = undefined;
        this.#touchTop(owner.link);
        this.graph.record(knownOwner(draft));
        this.#touchTop(owner.link);
        this.#dirtyOwners.add(owner);
      },
      remove: (owner) => {
        this.owners.delete(owner.uid);
        this.#dirtyOwners.delete(owner);
        this.#touchTop(owner.link);
        this.graph.forget(owner.uid);
        this.#remove(resource, owner.published);
      },
    };
  }

  serviceShelf(resource: string): Shelf<ServiceRecord, ServiceDraft, ServiceState> {
    return {
      draft: (record) => draftService(record, this.#policy, this.#interner),
      isSame: isSameService,
      create: (draft) => {
        const service = this.#service(draft.namespace, draft.name);
        service.resource = resource;
        service.row = draft.row;
        service.setReference(draft.uid);
        this.services.set(draft.uid, service);
        this.#touchedMembers(service);
        this.#dirtyServices.add(service);
        return service;
      },
      update: (service, draft) => {
        service.row = draft.row;
        this.#dirtyServices.add(service);
      },
      remove: (service) => {
        this.services.delete(service.uid);
        this.#dirtyServices.delete(service);
        this.#touchedMembers(service);
        this.#remove(resource, service.published);
        service.row = undefined;
        service.published = undefined;
        service.setReference(undefined);
        this.#releaseService(service);
      },
    };
  }

  sliceShelf(): Shelf<EndpointSliceRecord, SliceDraft, SliceState> {
    return {
      draft: draftSlice,
      isSame: isSameSlice,
      create: (draft) => {
        const slice = new SliceState(draft.uid);
        this.#updateMembership(slice, draft);
        return slice;
      },
      update: (slice, draft) => this.#updateMembership(slice, draft),
      remove: (slice) => this.#updateMembership(slice, undefined),
    };
  }

  /** Members that do not exist make no difference to a service, but it was looked whether they do. */
  #updateMembership(slice: SliceState, draft: SliceDraft | undefined): void {
    if (slice.service !== undefined) this.#countedServices.add(slice.service);
    this.#membership.update(slice, draft);
    if (slice.service !== undefined) this.#countedServices.add(slice.service);
  }

  *#joinOwner(owner: OwnerState): Generator<JoinedChange | JoinedTouch> {
    const before = owner.published;
    const isTop = owner.link.edge === undefined;
    const entity = isTop ? owner.entity() : undefined;
    if (before === entity || (before && entity && before.joined === entity.joined && isSameButJoined(before, entity))) {
      if (before !== undefined) yield { touched: before };
      return;
    }
    owner.published = entity;
    yield { resource: owner.resource, before, after: entity };
  }

  *#joinPod(pod: PodState): Generator<JoinedChange | JoinedTouch> {
    const { row, published: before } = pod;
    const lineage = pod.edge?.lineageFor(row.uid);
    const services = this.#servicesOf(row);
    const ownerChain = lineage?.chain ?? NO_REFERENCES;
    const workload = lineage?.workload ?? selfReference(row, before);
    const references = services.length === 1 ? services[0]?.referenceBytes : concatReferences(services);
    const joined =
      lineage?.podBytesWith(references ?? '') ?? concatBytes(encodePodOwners(workload, ownerChain), references ?? '');
    this.#count(pod, workload, services);
    if (before !== undefined && before.joined === joined && (row === before || isSameButJoined(before, row))) {
      // The row goes back to what listeners hold, so that the two share their memory.
      pod.row = before;
      yield { touched: before };
      return;
    }
    // What nobody has seen yet may still be written to.
    const entity = row === before ? { ...row } : row;
    entity.ownerChain = ownerChain;
    entity.workload = workload;
    entity.joined = joined;
    pod.row = entity;
    pod.published = entity;
    yield { resource: pod.resource, before, after: entity };
  }

  *#joinService(service: ServiceState): Generator<JoinedChange | JoinedTouch> {
    const { row, reference, published: before } = service;
    if (row === undefined || reference === undefined) return;
    const workloads = service.workloads();
    const manualEndpoints = service.manualEndpoints();
    const joined = encodeServiceBackends(reference, workloads, manualEndpoints);
    if (before !== undefined && before.joined === joined && isSameButJoined(before, row)) {
      service.row = before;
      yield { touched: before };
      return;
    }
    const entity: ServiceEntity = { ...row, workloads, manualEndpoints, joined };
    service.row = entity;
    service.published = entity;
    yield { resource: service.resource, before, after: entity };
  }

  /** Services that exist and whose endpoints contain this pod, sorted by namespace and name. */
  #servicesOf({ uid, namespace, name }: PodEntity): readonly ServiceState[] {
    const named = this.#membership.servicesOf(uid, namespace, name);
    if (named.length === 0) return NO_SERVICES;
    const found = named.filter(({ row }) => row !== undefined);
    if (found.length === 0) return NO_SERVICES;
    if (found.length === 1) return found[0]?.alone ?? NO_SERVICES;
    return found.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  }

  /** Keeps the counts of workloads behind services in step with the pod; a service costs nothing but the difference. */
  #count(pod: PodState, workload: ObjectReference | undefined, services: readonly ServiceState[]): void {
    const { countedAs, countedIn } = pod;
    this.customOwners.move(countedAs, workload);
    if (countedAs === workload && sameElements(countedIn, services)) return;
    if (workload !== undefined) {
      for (const service of services) this.#countBackend(service, workload, 1);
    }
    if (countedAs !== undefined) {
      for (const service of countedIn) this.#countBackend(service, countedAs, -1);
    }
    pod.countedAs = workload;
    pod.countedIn = services;
  }

  /** Above this owner there may be one that is known through pods alone, and now is not for want of a pod. */
  #touchTop({ edge, uid }: OwnerLink): void {
    const top = edge?.lineageFor(uid).chain.at(-1);
    if (top !== undefined) this.customOwners.touch(top);
  }

  /** Its workload may come out the same by another way; what was made of the way before was looked at again. */
  #touchWhatItCountsFor({ countedAs, countedIn }: PodState): void {
    for (const service of countedIn) this.#countedServices.add(service);
    if (countedAs !== undefined) this.customOwners.touch(countedAs);
  }

  #countBackend(service: ServiceState, workload: ObjectReference, by: 1 | -1): void {
    const differs = service.countBackend(workload, by);
    (differs ? this.#dirtyServices : this.#countedServices).add(service);
  }

  #remove(resource: string, published: Entity | undefined): void {
    if (published !== undefined) this.#removed.push({ resource, before: published, after: undefined });
  }

  #touchedDependant(dependant: Dependant): void {
    if (dependant.dependant === 'pod') {
      const pod = this.pods.get(dependant.uid);
      if (pod === undefined) return;
      this.#dirtyPods.add(pod);
      this.#touchWhatItCountsFor(pod);
      return;
    }
    const owner = this.owners.get(dependant.uid);
    if (owner === undefined) return;
    owner.joined = undefined;
    this.#dirtyOwners.add(owner);
  }

  #touchedTarget({ key }: Target): void {
    const [, namespace, name] = key.startsWith('/') ? key.split('/') : [];
    const pod = namespace !== undefined && name !== undefined ? this.#podNamed(namespace, name) : this.pods.get(key);
    if (pod !== undefined) this.#dirtyPods.add(pod);
  }

  #touchedMembers(service: ServiceState): void {
    for (const target of service.members.keys()) this.#touchedTarget(target);
  }

  #service(namespace: string, name: string): ServiceState {
    let services = this.#servicesByName.get(namespace);
    if (services === undefined) this.#servicesByName.set(namespace, (services = new Map()));
    let service = services.get(name);
    if (service === undefined) services.set(name, (service = new ServiceState(namespace, name)));
    return service;
  }

  #releaseService(service: ServiceState): void {
    if (!service.isVoid) return;
    const services = this.#servicesByName.get(service.namespace);
    if (services?.get(service.name) !== service) return;
    services.delete(service.name);
    if (services.size === 0) this.#servicesByName.delete(service.namespace);
    this.#dirtyServices.delete(service);
  }
}

/** Source of what only pods tell. */
const PODS = 'pods';

/** Empties the set while it is walked; what is added meanwhile is walked too. */
function* taken<T>(set: Set<T>): Generator<T> {
  for (const element of set) {
    set.delete(element);
    yield element;
  }
}

function sameController(edge: ControllerEdge | undefined, controller: ControllerReference | undefined): boolean {
  return controller === undefined ? edge === undefined : edge?.says(controller) === true;
}

function selfReference(row: PodRow, before: PodRow | undefined): ObjectReference {
  if (before?.workload.uid === row.uid && before.workload.kind === 'Pod') return before.workload;
  const { namespace, name, uid } = row;
  return Object.freeze({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid, incomplete: false });
}

function concatReferences(services: readonly ServiceState[]): ByteString {
  return services.reduce((all, { referenceBytes }) => concatBytes(all, referenceBytes ?? ''), '');
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element, at) => element === b[at]));
}
