// How answers become bytes, as one interface for both encodings, and its JSON half.
//
// JSON as kube-apiserver writes it: items of a list carry no kind and apiVersion unless they are custom resources or
// PartialObjectMetadata; a watch is one object per line under the plain content type `application/json`; every
// document ends with a newline.

import type { StoredObject } from './stored-objects.ts';
import { apiVersionOf, type Resource } from './served-resources.ts';
import type { Status } from './error-status.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** One frame of a watch. BOOKMARK carries metadata only; ERROR a Status. */
export type WatchFrame =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: StoredObject }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'ERROR'; readonly status: Status };

export interface Encoding {
  readonly contentType: string;
  readonly watchContentType: string;
  object(object: StoredObject): Buffer;
  list(items: readonly StoredObject[], metadata: ListMeta): Buffer;
  status(status: Status): Buffer;
  frame(frame: WatchFrame): Buffer;
  /** A frame whose envelope is whole and whose content is not. */
  corruptFrame(): Buffer;
}

/** Annotation of the bookmark that ends a streamed list; counts only when it equals `true` (KEP-3157). */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Type information of a PartialObjectMetadata. */
export const PARTIAL_OBJECT = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };

export function createJsonEncoding(resource: Resource, metadataOnly: boolean): Encoding {
  const typeMeta = metadataOnly ? PARTIAL_OBJECT : { kind: resource.kind, apiVersion: apiVersionOf(resource) };
  const shape = (object: StoredObject): unknown => (metadataOnly ? { ...typeMeta, metadata: object.metadata } : object);
  const item = (object: StoredObject): unknown =>
    metadataOnly || resource.custom ? shape(object) : { ...object, kind: undefined, apiVersion: undefined };
  return {
    contentType: 'application/json',
    watchContentType: 'application/json',
    object: (object) => toJson(shape(object)),
    list: (items, metadata) => toJson({ ...typeMeta, kind: `${typeMeta.kind}List`, metadata, items: items.map(item) }),
    status: toJson,
    frame: (frame) => {
      switch (frame.type) {
        case 'BOOKMARK': {
          const { resourceVersion, annotations } = frame;
          const body = metadataOnly ? {} : (EMPTY_BODIES[resource.kind] ?? {});
          return toJson({
            type: 'BOOKMARK',
            object: { ...typeMeta, metadata: { resourceVersion, annotations }, ...body },
          });
        }
        case 'ERROR':
          return toJson({ type: 'ERROR', object: frame.status });
        default:
          return toJson({ type: frame.type, object: shape(frame.object) });
      }
    },
    corruptFrame: () => Buffer.from('{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":\n'),
  };
}

/**
 * What an empty object of these kinds looks like when Go writes it: a bookmark is one, and a client that expects
 * a list under `spec.containers` finds null there.
 */
const EMPTY_BODIES: Readonly<Record<string, object>> = {
  Pod: { spec: { containers: null }, status: {} },
  Service: { spec: {}, status: { loadBalancer: {} } },
  EndpointSlice: { addressType: '', endpoints: null, ports: null },
  Node: { spec: {}, status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: { kubeletVersion: '' } } },
  ReplicationController: { spec: {}, status: { replicas: 0 } },
  ReplicaSet: { spec: { replicas: 0, selector: null }, status: { replicas: 0 } },
  Deployment: { spec: { replicas: 0, selector: null, strategy: {} }, status: {} },
};

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
