// How objects of one resource become records, in both encodings.

import type protobuf from 'protobufjs';
import type {
  EndpointSliceRecord,
  KubernetesRecord,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceCidrRecord,
  ServiceRecord,
} from '../../model/kubernetes/records.ts';
import { InterningReader } from './shared-text.ts';
import { kubernetesType } from './kubernetes-schema.ts';
import { readMetadataOnly } from './metadata-reader.ts';
import { readPod } from './pod-reader.ts';
import type {
  EndpointSliceObject,
  EndpointsObject,
  KubernetesObject,
  ListMetaObject,
  NodeObject,
  PodObject,
  ServiceCidrObject,
  ServiceObject,
} from './decoded-objects.ts';
import {
  endpointsToSliceRecord,
  toEndpointSliceRecord,
  toNamespaceRecord,
  toNodeRecord,
  toOwnerRecord,
  toServiceCidrRecord,
  toServiceRecord,
} from './records-from-objects.ts';
import { toPodRecord } from './pod-from-object.ts';

export interface Decoded<R extends KubernetesRecord> {
  readonly record: R;
  readonly resourceVersion: string;
}

export interface RecordDecoder<R extends KubernetesRecord> {
  /** Kind that an object on the wire must have, e.g. `Pod`, `PartialObjectMetadata`. */
  readonly kind: string;
  /** Kind that a list on the wire must have, e.g. `PodList`. */
  readonly listKind: string;
  /** `raw`: the message inside the envelope. Throws when it is malformed; the record keeps none of its bytes. */
  fromProtobuf(raw: Uint8Array): Decoded<R>;
  /** `object`: what JSON.parse made of an object. */
  fromJson(object: unknown): Decoded<R>;
  /** Only metadata.resourceVersion and annotations, for bookmarks. */
  metadataFromProtobuf(raw: Uint8Array): KubernetesObject;
}

/** Pods by protobufjs, as all others are decoded: what the reader of pods is held against. */
export const plainPodDecoder: RecordDecoder<PodRecord> = createDecoder<PodObject, PodRecord>('Pod', toPodRecord);
export const podDecoder: RecordDecoder<PodRecord> = { ...plainPodDecoder, fromProtobuf: readPod };
export const serviceDecoder: RecordDecoder<ServiceRecord> = createDecoder<ServiceObject, ServiceRecord>(
  'Service',
  toServiceRecord,
);
export const endpointSliceDecoder: RecordDecoder<EndpointSliceRecord> = createDecoder<
  EndpointSliceObject,
  EndpointSliceRecord
>('EndpointSlice', toEndpointSliceRecord);
export const endpointsDecoder: RecordDecoder<EndpointSliceRecord> = createDecoder<EndpointsObject, EndpointSliceRecord>(
  'Endpoints',
  endpointsToSliceRecord,
);
export const nodeDecoder: RecordDecoder<NodeRecord> = createDecoder<NodeObject, NodeRecord>('Node', toNodeRecord);

export const serviceCidrDecoder: RecordDecoder<ServiceCidrRecord> = createDecoder<ServiceCidrObject, ServiceCidrRecord>(
  'ServiceCIDR',
  toServiceCidrRecord,
);

export const namespaceDecoder: RecordDecoder<NamespaceRecord> = {
  ...createDecoder<KubernetesObject, NamespaceRecord>('PartialObjectMetadata', toNamespaceRecord),
  fromProtobuf: (raw) => {
    const { resourceVersion, ...meta } = readMetadataOnly(raw);
    return { record: { type: 'Namespace', ...meta }, resourceVersion };
  },
};

/** Metadata of objects of this version and kind. */
export function ownerDecoder(apiVersion: string, kind: string): RecordDecoder<OwnerRecord> {
  return {
    ...plainOwnerDecoder(apiVersion, kind),
    fromProtobuf: (raw) => {
      const { resourceVersion, ...meta } = readMetadataOnly(raw);
      return { record: { type: 'Owner', ...meta, apiVersion, kind }, resourceVersion };
    },
  };
}

/** Owners by protobufjs: what the reader of metadata is held against. */
export function plainOwnerDecoder(apiVersion: string, kind: string): RecordDecoder<OwnerRecord> {
  return createDecoder<KubernetesObject, OwnerRecord>('PartialObjectMetadata', (object) =>
    toOwnerRecord(object, apiVersion, kind),
  );
}

/** The list's own metadata, out of the message of field 1 of every list. */
export function listMetaFromProtobuf(bytes: Uint8Array): ListMetaObject {
  return ListMeta.decode(bytes) as ListMetaObject;
}

const ListMeta: protobuf.Type = kubernetesType('ListMeta');
/** Reads the metadata of any object: it is field 1 of all of them. */
const Metadata: protobuf.Type = kubernetesType('PartialObjectMetadata');

function createDecoder<O extends KubernetesObject, R extends KubernetesRecord>(
  kind: string,
  toRecord: (object: O) => R,
): RecordDecoder<R> {
  const type = kubernetesType(kind);
  const decode = (object: O): Decoded<R> => ({
    record: toRecord(object),
    resourceVersion: toVersion(object.metadata?.resourceVersion),
  });
  return {
    kind,
    listKind: `${kind}List`,
    fromProtobuf: (raw) => decode(type.decode(new InterningReader(raw)) as unknown as O),
    fromJson: (object) => decode((typeof object === 'object' && object !== null ? object : {}) as O),
    metadataFromProtobuf: (raw) => Metadata.decode(raw) as KubernetesObject,
  };
}

function toVersion(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
