// Workload entities that are made on demand: pods as their own workload, retained owners, and owners of which only a
// reference is known. Each is made once for as long as what it is made of lives.

import type { EncodedEntity, ObjectReference, PodEntity, WorkloadEntity } from '../../model/entities.ts';
import { encodePodAsWorkload, encodeReferredWorkload } from '../../wire/encode-workload.ts';
import type { OwnerGraph } from './owner-graph.ts';
import { NO_REFERENCES } from '../records/rows.ts';

export class WorkloadEntities {
  readonly #graph: OwnerGraph;
  readonly #made = new WeakMap<object, WorkloadEntity>();

  constructor(graph: OwnerGraph) {
    this.#graph = graph;
  }

  /** A pod as a workload, even where an owner stands above it: an answer may still refer to it as it was. */
  ofPod(pod: PodEntity): WorkloadEntity {
    return this.#once(pod, pod.ownerChain, () => {
      const { namespace, name, uid, creationTimeMs, ownerChain } = pod;
      const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, incomplete: false };
      return toWorkload(reference, creationTimeMs, ownerChain, encodePodAsWorkload(pod, reference));
    });
  }

  /** A retained owner, or what the reference alone tells. */
  ofReference(reference: ObjectReference): WorkloadEntity {
    const link = this.#graph.get(reference.uid);
    const retained = link?.retained === true ? link : undefined;
    const known = retained?.reference ?? reference;
    const ownerChain = retained?.edge?.lineageFor(reference.uid).chain ?? NO_REFERENCES;
    return this.#once(known, ownerChain, () =>
      toWorkload(known, undefined, ownerChain, encodeReferredWorkload(known, ownerChain)),
    );
  }

  /** Made again when the chain above it has changed. */
  #once(key: object, ownerChain: readonly ObjectReference[], make: () => WorkloadEntity): WorkloadEntity {
    let made = this.#made.get(key);
    if (made === undefined || made.ownerChain !== ownerChain) {
      made = make();
      this.#made.set(key, made);
    }
    return made;
  }
}

function toWorkload(
  { apiVersion, kind, namespace, name, uid }: ObjectReference,
  creationTimeMs: number | undefined,
  ownerChain: readonly ObjectReference[],
  encoded: EncodedEntity,
): WorkloadEntity {
  const topLevel = ownerChain.length === 0;
  const facts = { uid, namespace, name, apiVersion, workloadKind: kind, creationTimeMs, ownerChain, topLevel };
  return { kind: 'Workload', ...facts, ...encoded };
}
