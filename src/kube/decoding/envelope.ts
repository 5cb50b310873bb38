// The wrapping of every protobuf object on the wire: `k8s\0` + runtime.Unknown{typeMeta, raw, contentEncoding,
// contentType} (apimachinery, pkg/runtime/serializer/protobuf).

import type protobuf from 'protobufjs';
import { WireError } from '../wire-error.ts';
import { kubernetesType } from './kubernetes-schema.ts';

/** `k8s\0`. */
export const ENVELOPE_PREFIX: Buffer = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** A view of the bytes that came in: decode it before they are given up. */
  readonly raw: Uint8Array;
}

export function isEnvelope(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && ENVELOPE_PREFIX.equals(bytes.subarray(0, 4));
}

/** Throws a WireError when it is no envelope or holds something that is neither plain nor protobuf. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!isEnvelope(bytes)) throw new WireError('an object does not begin with the protobuf prefix');
  const unknown = Unknown.decode(bytes.subarray(4)) as unknown as UnknownObject;
  checkContent(unknown.contentEncoding, unknown.contentType);
  return {
    apiVersion: unknown.typeMeta?.apiVersion ?? '',
    kind: unknown.typeMeta?.kind ?? '',
    raw: unknown.raw ?? EMPTY,
  };
}

/** Refuses contents that this decoder would misread. */
export function checkContent(encoding: string, type: string): void {
  if (encoding !== '') throw new WireError(`an object has contentEncoding ${JSON.stringify(encoding)}`);
  if (type !== '' && type !== 'application/vnd.kubernetes.protobuf') {
    throw new WireError(`an object has contentType ${JSON.stringify(type)}`);
  }
}

interface UnknownObject {
  readonly typeMeta: { readonly apiVersion: string; readonly kind: string } | null;
  readonly raw: Uint8Array | undefined;
  readonly contentEncoding: string;
  readonly contentType: string;
}

const Unknown: protobuf.Type = kubernetesType('Unknown');
const EMPTY = new Uint8Array(0);
