// What a write means: one shelf for each type of record takes accepted writes, keeps owners, memberships and counts up
// to date, and marks the entities that may come out differently. Nothing is joined here; see `join.ts`.

import type { Entity, ObjectReference } from '../../model/entities.ts';
import type {
  ControllerReference,
  EndpointSliceRecord,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../../model/kubernetes/records.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { CustomOwners } from '../owners/custom-owners.ts';
import type { FormerOwnersOptions } from '../owners/former-owners.ts';
import type { Marks } from './marks.ts';
import { Membership } from './membership.ts';
import { PodCounts } from './pod-counts.ts';
import type { PodNetworkProblem } from '../../model/kubernetes/pod-networks.ts';
import { type NamespaceDraft, namespaceShelf, type NamespaceState } from '../entities/namespace-state.ts';
import { draftNode, isSameNode, type NodeDraft, NodeState } from '../entities/node-state.ts';
import { type NodePlace, NodePlaces } from '../entities/node-places.ts';
import { OwnerGraph } from '../owners/owner-graph.ts';
import { type ControllerEdge, linksFrom, type OwnerLink } from '../owners/owner-links.ts';
import { draftOwner, isSameOwner, knownOwner, type OwnerDraft, OwnerState } from '../entities/owner-state.ts';
import type { Picture } from '../entities/picture.ts';
import { draftPod, isSamePod, type PodDraft, PodState } from '../entities/pod-state.ts';
import type { Shelf } from '../records/record-table.ts';
import { draftService, isSameService, type ServiceDraft, type ServiceState } from '../entities/service-state.ts';
import { draftSlice, isSameSlice, type SliceDraft, SliceState } from '../entities/slice-state.ts';
import { Interner } from '../records/text-interner.ts';

export interface ShelvesOptions {
  readonly picture: Picture;
  readonly marks: Marks;
  readonly customOwners: CustomOwners;
  readonly policy: ValuePolicy;
  readonly podNamed: (namespace: string, name: string) => PodState | undefined;
  /** What one write may list or not list any more at once; the rest waits for `membership.proceed`. */
  readonly sliceSize: () => number;
  /** See `OwnerGraphOptions`. */
  readonly former?: FormerOwnersOptions;
}

export class Shelves {
  readonly graph: OwnerGraph;
  readonly membership: Membership;
  readonly places = new NodePlaces();
  readonly counts: PodCounts;
  /** How often a service got another reference, or none: pods in the same services may tell of others then. */
  referenceChanges = 0;
  /** Annotations of networks of which something was left out, by why; counted each time that a pod is read. */
  readonly networkProblems: Record<PodNetworkProblem, number> = { too_long: 0, malformed: 0, too_many: 0 };
  readonly #picture: Picture;
  readonly #marks: Marks;
  readonly #customOwners: CustomOwners;
  readonly #policy: ValuePolicy;
  readonly #sliceSize: () => number;
  readonly #interner = new Interner();

  constructor({ picture, marks, customOwners, policy, podNamed, sliceSize, former }: ShelvesOptions) {
    this.#picture = picture;
    this.#marks = marks;
    this.#customOwners = customOwners;
    this.#policy = policy;
    this.#sliceSize = sliceSize;
    this.counts = new PodCounts(marks, customOwners);
    this.graph = new OwnerGraph({
      find: (uid) => (picture.pods.get(uid) ?? picture.nodes.get(uid))?.known,
      touchedOwner: ({ uid }) => this.#touchedOwner(uid),
      touchedPods: (link) => marks.crowds.set(link, link.pods.values()),
      ...(former === undefined ? {} : { former }),
    });
    this.membership = new Membership({
      podByUid: (uid) => picture.pods.get(uid),
      podByName: podNamed,
      service: (namespace, name) => picture.service(namespace, name),
      release: (service) => this.release(service),
      member: (service, pod, by) => {
        this.counts.member(service, pod, by);
        if (service.namespace === pod.row.namespace) this.#markPod(pod);
      },
      outside: (service) => marks.services.add(service),
      further: (pod) => this.#markPod(pod),
      looked: (service) => marks.lookedAt.add(service),
    });
  }

  pods(resource: string): Shelf<PodRecord, PodDraft, PodState> {
    const { graph, membership } = this;
    const { pods } = this.#picture;
    return {
      draft: (record) => {
        const { networkProblem } = record;
        if (networkProblem !== undefined) this.networkProblems[networkProblem] += 1;
        return draftPod(record, this.#policy, this.#interner);
      },
      isSame: isSamePod,
      create: (draft) => {
        const pod = new PodState(resource, draft.row);
        pods.set(draft.uid, pod);
        if (draft.controller !== undefined) pod.edge = graph.attach(pod, draft.namespace, draft.controller);
        pod.row.values = pod.edge?.shareValues(draft.row.values) ?? draft.row.values;
        graph.notice(pod.known);
        this.#touchTold(pod.edge?.link);
        this.places.podAdded(pod);
        this.#marks.pods.add(pod);
        return pod;
      },
      created: (pod) => membership.podAdded(pod),
      update: (pod, draft) => {
        const before = pod.row;
        pod.row = draft.row;
        if (!sameController(pod.edge, draft.controller)) {
          this.#touchTold(pod.edge?.link);
          pod.edge = graph.move(pod, pod.edge, draft.namespace, draft.controller);
          this.#touchTold(pod.edge?.link);
          graph.notice(pod.known);
          this.counts.touchWhatItCountsFor(pod);
        }
        pod.row.values = pod.edge?.shareValues(draft.row.values) ?? draft.row.values;
        membership.podChanged(pod, before);
        if (before.nodeName !== draft.row.nodeName) {
          this.places.podLeft(pod, before.nodeName);
          this.places.podAdded(pod);
        }
        this.#marks.pods.add(pod);
      },
      remove: (pod) => {
        const { uid, edge } = pod;
        pods.delete(uid);
        membership.podRemoved(pod);
        this.places.podLeft(pod, pod.row.nodeName);
        this.#marks.pods.delete(pod);
        this.#customOwners.move(pod.countedAs, undefined);
        pod.countedAs = undefined;
        this.#touchTold(edge?.link);
        pod.edge = undefined;
        if (edge !== undefined) graph.detach(pod, edge);
        graph.forget(uid);
        this.#remove(resource, pod.published);
      },
    };
  }

  nodes(resource: string): Shelf<NodeRecord, NodeDraft, NodeState> {
    const { graph, membership } = this;
    const { nodes } = this.#picture;
    return {
      draft: (record) => draftNode(record, this.#policy, this.#interner),
      isSame: isSameNode,
      create: (draft) => {
        const node = new NodeState(resource, draft);
        nodes.set(draft.uid, node);
        graph.notice(node.known);
        membership.nodeChanged(undefined, node.row);
        this.#markPlace(this.places.nodeChanged(node));
        this.#marks.nodes.add(node);
        return node;
      },
      update: (node, draft) => {
        membership.nodeChanged(node.row, draft.row);
        node.row = draft.row;
        node.place = draft.place;
        this.#markPlace(this.places.nodeChanged(node));
        this.#marks.nodes.add(node);
      },
      remove: (node) => {
        nodes.delete(node.uid);
        this.#marks.nodes.delete(node);
        membership.nodeChanged(node.row, undefined);
        this.#markPlace(this.places.nodeRemoved(node));
        graph.forget(node.uid);
        this.#remove(resource, node.published);
      },
    };
  }

  namespaces(resource: string): Shelf<NamespaceRecord, NamespaceDraft, NamespaceState> {
    return namespaceShelf(resource, {
      namespaces: this.#picture.namespaces,
      marked: () => this.#marks.namespaces,
      policy: this.#policy,
      removed: (of, published) => this.#remove(of, published),
    });
  }

  owners(resource: string): Shelf<OwnerRecord, OwnerDraft, OwnerState> {
    const { graph } = this;
    const { owners } = this.#picture;
    return {
      draft: (record) => draftOwner(record, this.#policy, this.#interner),
      isSame: isSameOwner,
      create: (draft) => {
        const link = graph.record(knownOwner(draft));
        this.#touchTop(link);
        const owner = new OwnerState(resource, link, draft.row);
        owner.published = this.#customOwners.handOver(draft.uid);
        owners.set(draft.uid, owner);
        this.#customOwners.recordChanged(referenceOf(owner));
        this.#marks.owners.add(owner);
        return owner;
      },
      update: (owner, draft) => {
        this.#customOwners.recordChanged(referenceOf(owner));
        owner.row = draft.row;
        owner.joined = undefined;
        this.#touchTop(owner.link);
        graph.record(knownOwner(draft));
        this.#touchTop(owner.link);
        this.#customOwners.recordChanged(referenceOf(owner));
        this.#marks.owners.add(owner);
      },
      remove: (owner) => {
        owners.delete(owner.uid);
        this.#marks.owners.delete(owner);
        this.#touchTop(owner.link);
        graph.forget(owner.uid);
        this.#customOwners.recordChanged(referenceOf(owner));
        if (owner.published !== undefined) this.#customOwners.recordTold(owner.published);
        this.#remove(resource, owner.published);
      },
    };
  }

  services(resource: string): Shelf<ServiceRecord, ServiceDraft, ServiceState> {
    const { services } = this.#picture;
    return {
      draft: (record) => draftService(record, this.#policy, this.#interner),
      isSame: isSameService,
      create: (draft) => {
        const service = this.#picture.service(draft.namespace, draft.name);
        service.resource = resource;
        service.row = draft.row;
        service.setReference(draft.uid);
        this.referenceChanges += 1;
        services.set(draft.uid, service);
        this.#markMembers(service);
        this.#marks.services.add(service);
        return service;
      },
      update: (service, draft) => {
        service.row = draft.row;
        this.#marks.services.add(service);
      },
      // What is published goes when it is joined, because there may be much to take back with it.
      remove: (service) => {
        if (service.published === undefined) services.delete(service.uid);
        this.#markMembers(service);
        service.row = undefined;
        service.setReference(undefined);
        this.referenceChanges += 1;
        this.#marks.services.add(service);
        this.release(service);
      },
    };
  }

  slices(): Shelf<EndpointSliceRecord, SliceDraft, SliceState> {
    return {
      draft: draftSlice,
      isSame: isSameSlice,
      create: (draft) => {
        const slice = new SliceState(draft.uid);
        this.membership.update(slice, draft, this.#sliceSize());
        return slice;
      },
      update: (slice, draft) => this.membership.update(slice, draft, this.#sliceSize()),
      remove: (slice) => this.membership.update(slice, undefined, this.#sliceSize()),
    };
  }

  /** Lets go of the state of a service that nothing speaks of any more. */
  release(service: ServiceState): void {
    if (this.#picture.release(service)) this.#marks.services.delete(service);
  }

  /** Above this owner there may be one that is known through pods alone, and now is not for want of a pod. */
  #touchTop(link: OwnerLink): void {
    const { edge, uid } = link;
    const top = edge?.lineageFor(uid).chain.at(-1);
    if (top !== undefined) this.#customOwners.touch(top);
    this.#touchTold(link);
  }

  /** What dependants of this owner and of those above it tell of them. */
  #touchTold(link: OwnerLink | undefined): void {
    if (link === undefined) return;
    for (const each of linksFrom(link)) this.#customOwners.touchTold(each.uid, each.edges.values());
  }

  #touchedOwner(uid: string): void {
    const owner = this.#picture.owners.get(uid);
    if (owner === undefined) return;
    owner.joined = undefined;
    this.#marks.owners.add(owner);
  }

  #markPlace(place: NodePlace | undefined): void {
    if (place !== undefined && place.pods.size > 0) this.#marks.places.set(place, place.pods.values());
  }

  #markMembers(service: ServiceState): void {
    this.#marks.crowds.set(service, this.membership.membersOf(service));
  }

  /** Not one that is just going. */
  #markPod(pod: PodState): void {
    if (this.#picture.pods.get(pod.uid) === pod) this.#marks.pods.add(pod);
  }

  #remove(resource: string, published: Entity | undefined): void {
    if (published !== undefined) this.#marks.removed.add({ resource, before: published });
  }
}

function sameController(edge: ControllerEdge | undefined, controller: ControllerReference | undefined): boolean {
  return controller === undefined ? edge === undefined : edge?.says(controller) === true;
}

function referenceOf({ row }: OwnerState): ObjectReference {
  const { apiVersion, workloadKind: kind, namespace, name, uid } = row;
  return { apiVersion, kind, namespace, name, uid, incomplete: false };
}
