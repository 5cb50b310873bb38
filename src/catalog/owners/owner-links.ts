// What the graph of owners is made of: links (one for each uid that owns something, or is an owner record), edges (how
// dependants refer to their controller) and lineages (the chain upwards from a link, shared by all its dependants).
//
// A link of which no record is known is told by the references to it, and all of its dependants are told the same,
// whatever the order in which they came: see `OwnerLink.told`.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { ObjectReference } from '../../model/entities.ts';
import type { ControllerReference } from '../../model/kubernetes/records.ts';
import { concatBytes } from '../../wire/encoded-entity.ts';
import { encodePodOwners } from '../../wire/encode-pod.ts';
import { encodeWorkloadOwners } from '../../wire/encode-workload.ts';
import { compareText } from '../records/rows.ts';

/** Longest chain. Seen in the wild: 4 (Pod, ReplicaSet, Rollout, and an operator's object above it). */
export const MAX_CHAIN = 10;

/**
 * Owners have one or two ways of being referred to. A tenant can bring any number, but beyond these nothing is looked
 * at again for their sake: what that costs is exact entities after a hop between replicas, of his own owner.
 */
export const MAX_TOLD = 32;

/** An object that a controller may own: a pod's state, or another link. */
export interface PodDependant {
  readonly dependant: 'pod';
  readonly uid: string;
}
export type Dependant = PodDependant | OwnerLink;

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
  #lastReferences: ByteString = NO_BYTES;
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
   * Encoded `workload`, `owner_chain` and these references to services; `undefined` when the workload is. One text for
   * pods with the same services, as those of one controller mostly have.
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
  /** Direct dependants: links of owners, and pods. */
  readonly links = new Set<OwnerLink>();
  readonly pods = new Set<PodDependant>();
  /** The different ways in which dependants refer to it: one, unless dependants disagree. */
  readonly edges = new Map<string, ControllerEdge>();
  /** Links with pods of their own whose chain contains this one: it is retained while there are any. */
  holders = 0;
  /** The links in the chain from this one upwards, which this one holds while it has pods. */
  held: readonly OwnerLink[] | undefined;
  #cut: ObjectReference | undefined;
  #told: ObjectReference | undefined;
  #lineage: Lineage | undefined;

  constructor(uid: string) {
    this.uid = uid;
  }

  /**
   * What references alone tell, for as long as the link is unknown; of several the first in order. An owner is in the
   * namespace of its dependants or cluster-scoped, which a reference does not tell: dependants in two namespaces can
   * only have a cluster-scoped one; of the others only Node is known to be.
   */
  get told(): ObjectReference | undefined {
    if (this.#told === undefined && this.edges.size > 0) this.#told = toldBy(this);
    return this.#told;
  }

  /**
   * The reference where a chain ends at its bound, below an owner that is not listed. One object, as others count it.
   */
  cut(reference: ObjectReference): ObjectReference {
    if (this.#cut === undefined || !isSameReference(this.#cut, reference)) {
      this.#cut = Object.freeze({ ...reference, incomplete: true });
    }
    return this.#cut;
  }

  /** The ways in which dependants refer to it changed: whether what they tell did. */
  retell(): boolean {
    const before = this.#told;
    if (before === undefined) return false;
    const after = this.edges.size === 0 ? undefined : toldBy(this);
    if (after !== undefined && isSameReference(before, after)) return false;
    this.#told = after;
    return true;
  }

  /** The chain from this link upwards; `undefined`: nothing is known of it. */
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
}

/** How dependants of one namespace refer to one controller. Shared by all that say the same. */
export class ControllerEdge {
  readonly link: OwnerLink;
  readonly controller: ControllerReference;
  readonly namespace: string;
  uses = 0;
  #lastValues: ByteString = NO_BYTES;

  constructor(link: OwnerLink, namespace: string, controller: ControllerReference) {
    this.link = link;
    this.namespace = namespace;
    this.controller = controller;
  }

  lineageFor(uid: string): Lineage {
    return this.link.lineageFor(uid);
  }

  /** The same text for dependants with the same labels and annotations, as most of one controller have. */
  shareValues(values: ByteString): ByteString {
    if (values !== this.#lastValues) this.#lastValues = values;
    return this.#lastValues;
  }

  says({ uid, name, kind, apiVersion }: ControllerReference): boolean {
    const said = this.controller;
    return said.uid === uid && said.name === name && said.kind === kind && said.apiVersion === apiVersion;
  }
}

/** Finds or makes the edge of dependants that say this; `true` with a new one. */
export function internEdge(
  link: OwnerLink,
  dependantNamespace: string,
  { apiVersion, kind, name, uid }: ControllerReference,
): { readonly edge: ControllerEdge; readonly isNew: boolean } {
  const key = edgeKey(dependantNamespace, apiVersion, kind, name);
  const known = link.edges.get(key);
  if (known !== undefined) return { edge: known, isNew: false };
  const edge = new ControllerEdge(link, dependantNamespace, Object.freeze({ apiVersion, kind, name, uid }));
  link.edges.set(key, edge);
  return { edge, isNew: true };
}

/** One dependant less that refers so; `true` when it was the last. */
export function dropUse(edge: ControllerEdge): boolean {
  edge.uses -= 1;
  if (edge.uses > 0) return false;
  const { apiVersion, kind, name } = edge.controller;
  return edge.link.edges.delete(edgeKey(edge.namespace, apiVersion, kind, name));
}

/** The links of the chain from `start` upwards, at most MAX_CHAIN, each once. */
export function linksFrom(start: OwnerLink): readonly OwnerLink[] {
  const links: OwnerLink[] = [];
  for (
    let link: OwnerLink | undefined = start;
    link !== undefined && links.length < MAX_CHAIN;
    link = link.edge?.link
  ) {
    if (links.includes(link)) break;
    links.push(link);
  }
  return links;
}

export function isNode(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.kind === 'Node' && object.apiVersion === 'v1';
}

/** With lengths, because API servers do not check what a reference says. */
function edgeKey(namespace: string, apiVersion: string, kind: string, name: string): string {
  return `${namespace.length},${apiVersion.length},${kind.length} ${namespace}${apiVersion}${kind}${name}`;
}

function toldBy({ uid, edges }: OwnerLink): ObjectReference | undefined {
  let first: ControllerEdge | undefined;
  const namespaces = new Set<string>();
  for (const edge of edges.values()) {
    if (first === undefined || compareEdges(edge, first) < 0) first = edge;
    namespaces.add(edge.namespace);
  }
  if (first === undefined) return undefined;
  const { apiVersion, kind, name } = first.controller;
  const namespace = isNode(first.controller) || namespaces.size > 1 ? '' : first.namespace;
  return Object.freeze({ apiVersion, kind, namespace, name, uid, incomplete: true });
}

function compareEdges({ controller: a }: ControllerEdge, { controller: b }: ControllerEdge): number {
  return compareText(a.kind, b.kind) || compareText(a.name, b.name) || compareText(a.apiVersion, b.apiVersion);
}

function isSameReference(a: ObjectReference, b: ObjectReference): boolean {
  return a.namespace === b.namespace && a.name === b.name && a.kind === b.kind && a.apiVersion === b.apiVersion;
}

function toChain(start: OwnerLink): ObjectReference[] {
  const chain: ObjectReference[] = [];
  for (const link of linksFrom(start)) {
    if (link.reference === undefined) {
      if (link.told !== undefined) chain.push(link.told);
      break;
    }
    const isCut = chain.length === MAX_CHAIN - 1 && link.edge !== undefined;
    chain.push(isCut ? link.cut(link.reference) : link.reference);
  }
  return chain;
}
