// Who owns whom, by uid: chains of controllers from an object to the top, shared by all objects of one controller.
//
// A link stands for one uid that owns something or is an owner record. It is known (a record says what it is), retained
// (the record vanished while pods below it live, see attribution.md in the design) or unknown (only referred to); a
// chain ends at an unknown link and is marked incomplete there. Chains are a pure function of the records, retained
// links excepted. Depth is bounded, a cycle ends a chain. Whoever's chain may have changed is reported through `touched`.
//
// Bound: links are owner records, plus uids that live objects refer to, plus retained ones, of which each live pod
// keeps at most MAX_CHAIN. A link goes when the last reason for it does.

import type { ByteString, ObjectReference } from '../model/entities.ts';
import type { ControllerReference } from '../model/records.ts';
import { concatBytes } from '../wire/encoded-entity.ts';
import { encodePodOwners } from '../wire/encode-pod.ts';
import { encodeWorkloadOwners } from '../wire/encode-workload.ts';

/** Longest chain. Seen in the wild: 4 (Pod, ReplicaSet, Rollout, and an operator's object above it). */
export const MAX_CHAIN = 10;

/** An object that a controller may own: a pod's state, or another link. */
export interface PodDependant {
  readonly dependant: 'pod';
  readonly uid: string;
}
export type Dependant = PodDependant | OwnerLink;

/** A record that can stand in a chain, as others refer to it. */
export interface KnownObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: ControllerReference | undefined;
}

/** What all dependants of one controller share. */
export class Lineage {
  /** From the direct controller upwards; frozen. */
  readonly chain: readonly ObjectReference[];
  /** Top of the chain; `undefined` when the dependant is its own workload (a static pod under its Node). */
  readonly workload: ObjectReference | undefined;
  /** Encoded `owner_chain` of a workload. */
  readonly workloadBytes: ByteString;
  /** Encoded `workload` and `owner_chain` of a pod; unset when the workload is. */
  readonly #podBytes: ByteString | undefined;
  #lastReferences: ByteString = '';
  #lastPodBytes: ByteString | undefined;

  constructor(chain: readonly ObjectReference[]) {
    this.chain = Object.freeze(chain);
    const top = chain.at(-1);
    // A static pod's owner is its Node, which is where it runs, not what it is.
    this.workload = top !== undefined && isNode(top) ? chain.at(-2) : top;
    this.workloadBytes = encodeWorkloadOwners(chain);
    this.#podBytes = this.workload === undefined ? undefined : encodePodOwners(this.workload, chain);
    this.#lastPodBytes = this.#podBytes;
  }

  /**
   * Encoded `workload`, `owner_chain` and these references to services; `undefined` when the workload is. One text for pods
   * with the same services, as those of one controller mostly have.
   */
  podBytesWith(references: ByteString): ByteString | undefined {
    if (this.#podBytes === undefined || references === this.#lastReferences) return this.#lastPodBytes;
    this.#lastReferences = references;
    this.#lastPodBytes = concatBytes(this.#podBytes, references);
    return this.#lastPodBytes;
  }
}

export class OwnerLink {
  readonly dependant = 'link';
  readonly uid: string;
  /** Set while known or retained; replaced only when its content changes. */
  reference: ObjectReference | undefined;
  /** Towards its own controller, as known or retained. */
  edge: ControllerEdge | undefined;
  retained = false;
  /** An owner record stands behind it (pods and nodes keep their own state). */
  isRecord = false;
  readonly dependants = new Set<Dependant>();
  /** The different ways in which dependants refer to it; one but for dependants that disagree. */
  readonly edges: ControllerEdge[] = [];

  constructor(uid: string) {
    this.uid = uid;
  }
}

/** How dependants of one namespace refer to one controller. Shared by all that say the same. */
export class ControllerEdge {
  readonly link: OwnerLink;
  /** What the reference alone tells, for as long as the link is unknown. */
  readonly told: ObjectReference;
  uses = 0;
  #lineage: Lineage | undefined;
  #lastValues: ByteString = '';

  constructor(link: OwnerLink, told: ObjectReference) {
    this.link = link;
    this.told = told;
  }

  get lineage(): Lineage {
    this.#lineage ??= new Lineage(toChain(this));
    return this.#lineage;
  }

  invalidate(): void {
    this.#lineage = undefined;
  }

  /** The lineage for a dependant of this uid: cut where a cycle comes back to the dependant itself. */
  lineageFor(uid: string): Lineage {
    const { lineage } = this;
    const at = lineage.chain.findIndex((owner) => owner.uid === uid);
    return at === -1 ? lineage : new Lineage(lineage.chain.slice(0, at));
  }

  /** The same text for dependants with the same labels and annotations, as most of one controller have. */
  shareValues(values: ByteString): ByteString {
    if (values !== this.#lastValues) this.#lastValues = values;
    return this.#lastValues;
  }

  says(controller: ControllerReference): boolean {
    const { told } = this;
    return (
      this.link.uid === controller.uid &&
      told.name === controller.name &&
      told.kind === controller.kind &&
      told.apiVersion === controller.apiVersion
    );
  }
}

export interface OwnerGraphOptions {
  /** A pod or node with this uid, which owns nothing yet as far as the graph knows. */
  readonly find: (uid: string) => KnownObject | undefined;
  /** The chain of this dependant may have changed. */
  readonly touched: (dependant: Dependant) => void;
}

export class OwnerGraph {
  readonly #links = new Map<string, OwnerLink>();
  readonly #options: OwnerGraphOptions;
  #retained = 0;

  constructor(options: OwnerGraphOptions) {
    this.#options = options;
  }

  get retainedCount(): number {
    return this.#retained;
  }

  get(uid: string): OwnerLink | undefined {
    return this.#links.get(uid);
  }

  /** The dependant now has this controller. Detach it with the edge that this returns. */
  attach(dependant: Dependant, namespace: string, controller: ControllerReference): ControllerEdge {
    let link = this.#links.get(controller.uid);
    if (link === undefined) {
      link = new OwnerLink(controller.uid);
      this.#links.set(link.uid, link);
      const known = this.#options.find(link.uid);
      if (known !== undefined) this.#learn(link, known);
    }
    link.dependants.add(dependant);
    const edge = internEdge(link, namespace, controller);
    edge.uses += 1;
    return edge;
  }

  detach(dependant: Dependant, edge: ControllerEdge): void {
    const { link } = edge;
    link.dependants.delete(dependant);
    dropUse(edge);
    this.#release(link);
  }

  /** The dependant's controller is now said differently; what goes on existing is never gone in between. */
  move(
    dependant: Dependant,
    before: ControllerEdge | undefined,
    namespace: string,
    controller: ControllerReference | undefined,
  ): ControllerEdge | undefined {
    const after = controller === undefined ? undefined : this.attach(dependant, namespace, controller);
    if (before === undefined) return after;
    // The same controller in other words: it keeps its dependant.
    if (before.link === after?.link) dropUse(before);
    else this.detach(dependant, before);
    return after;
  }

  /** An owner record came or changed. */
  record(known: KnownObject): OwnerLink {
    let link = this.#links.get(known.uid);
    if (link === undefined) {
      link = new OwnerLink(known.uid);
      this.#links.set(link.uid, link);
    }
    link.isRecord = true;
    this.#learn(link, known);
    return link;
  }

  /** A pod or node came or changed; it matters only if something refers to it. */
  notice(known: KnownObject): void {
    const link = this.#links.get(known.uid);
    if (link !== undefined) this.#learn(link, known);
  }

  /** The object behind this uid vanished. It is retained while pods below it live. */
  forget(uid: string): void {
    const link = this.#links.get(uid);
    if (link?.reference === undefined) return;
    link.isRecord = false;
    if (!link.retained && hasPods(link)) {
      link.retained = true;
      this.#retained += 1;
    } else {
      this.#unlearn(link);
    }
    this.#release(link);
  }

  #learn(link: OwnerLink, known: KnownObject): void {
    if (link.retained) {
      link.retained = false;
      this.#retained -= 1;
    }
    const { controller } = known;
    let changed = false;
    if (link.reference === undefined || !refersTo(link.reference, known)) {
      const { apiVersion, kind, namespace, name, uid } = known;
      link.reference = Object.freeze({ apiVersion, kind, namespace, name, uid, incomplete: false });
      changed = true;
    }
    const before = link.edge;
    if (controller === undefined ? before !== undefined : before?.says(controller) !== true) {
      link.edge = this.move(link, before, known.namespace, controller);
      changed = true;
    }
    if (changed) this.#invalidate(link);
  }

  #unlearn(link: OwnerLink): void {
    if (link.retained) this.#retained -= 1;
    link.retained = false;
    link.reference = undefined;
    const { edge } = link;
    link.edge = undefined;
    this.#invalidate(link);
    if (edge !== undefined) this.detach(link, edge);
  }

  /** Something below this link went: retained links that no pod needs any more go, here and further up. */
  #release(link: OwnerLink): void {
    for (let at: OwnerLink | undefined = link, depth = 0; at !== undefined && depth <= MAX_CHAIN; depth += 1) {
      const next: OwnerLink | undefined = at.edge?.link;
      if (at.retained && !hasPods(at)) this.#unlearn(at);
      if (at.dependants.size === 0 && !at.isRecord && this.#links.get(at.uid) === at) {
        this.#links.delete(at.uid);
        const { edge } = at;
        at.edge = undefined;
        if (edge !== undefined) this.detach(at, edge);
      }
      at = next;
    }
  }

  /** All chains through this link are void. */
  #invalidate(link: OwnerLink): void {
    const seen = new Set<OwnerLink>();
    const stack = [link];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      for (const edge of at.edges) edge.invalidate();
      for (const dependant of at.dependants) {
        this.#options.touched(dependant);
        if (dependant.dependant === 'link') stack.push(dependant);
      }
    }
    this.#options.touched(link);
  }
}

function dropUse(edge: ControllerEdge): void {
  edge.uses -= 1;
  if (edge.uses === 0) edge.link.edges.splice(edge.link.edges.indexOf(edge), 1);
}

function refersTo(reference: ObjectReference, known: KnownObject): boolean {
  return (
    reference.name === known.name &&
    reference.namespace === known.namespace &&
    reference.kind === known.kind &&
    reference.apiVersion === known.apiVersion
  );
}

function internEdge(link: OwnerLink, dependantNamespace: string, controller: ControllerReference): ControllerEdge {
  // An owner is in its dependant's namespace or cluster-scoped. Which of the two a reference does not tell; among
  // the kinds that own pods as we know them only Node is cluster-scoped.
  const namespace = isNode(controller) ? '' : dependantNamespace;
  for (const edge of link.edges) {
    if (edge.told.namespace === namespace && edge.says(controller)) return edge;
  }
  const { apiVersion, kind, name, uid } = controller;
  const edge = new ControllerEdge(link, Object.freeze({ apiVersion, kind, namespace, name, uid, incomplete: true }));
  link.edges.push(edge);
  return edge;
}

function isNode(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.kind === 'Node' && object.apiVersion === 'v1';
}

function toChain(start: ControllerEdge): ObjectReference[] {
  const chain: ObjectReference[] = [];
  for (let edge: ControllerEdge | undefined = start; edge !== undefined; ) {
    const { link }: { link: OwnerLink } = edge;
    if (chain.some((owner) => owner.uid === link.uid)) break;
    if (link.reference === undefined) {
      chain.push(edge.told);
      break;
    }
    if (chain.length === MAX_CHAIN - 1 && link.edge !== undefined) {
      // It has an owner that is not listed.
      chain.push(Object.freeze({ ...link.reference, incomplete: true }));
      break;
    }
    chain.push(link.reference);
    edge = link.edge;
  }
  return chain;
}

function hasPods(link: OwnerLink, seen: Set<OwnerLink> = new Set()): boolean {
  if (seen.has(link)) return false;
  seen.add(link);
  for (const dependant of link.dependants) {
    if (dependant.dependant === 'pod' || hasPods(dependant, seen)) return true;
  }
  return false;
}
