// What records have in common, out of the metadata of a decoded object: identity, labels, times, the controller.

import type { ControllerReference, RecordMeta } from '../../model/kubernetes/records.ts';
import type { KubernetesObject, OwnerReferenceObject } from './decoded-objects.ts';
import { list, NOTHING, shared, text, toStringMap, toTimeMs } from './lenient-fields.ts';

export function toMeta(object: KubernetesObject): RecordMeta {
  const metadata = object.metadata ?? NOTHING;
  return {
    namespace: shared(metadata.namespace),
    name: text(metadata.name),
    uid: text(metadata.uid),
    labels: toStringMap(metadata.labels),
    annotations: toStringMap(metadata.annotations),
    creationTimeMs: toTimeMs(metadata.creationTimestamp),
    deletionTimeMs: toTimeMs(metadata.deletionTimestamp),
    controller: toController(list(metadata.ownerReferences)),
  };
}

function toController(references: readonly OwnerReferenceObject[]): ControllerReference | undefined {
  for (const reference of references) {
    if (reference?.controller !== true) continue;
    return {
      apiVersion: shared(reference.apiVersion),
      kind: shared(reference.kind),
      name: shared(reference.name),
      uid: shared(reference.uid),
    };
  }
  return undefined;
}
