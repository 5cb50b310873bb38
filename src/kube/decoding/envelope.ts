// The wrapping of every protobuf object on the wire: `k8s\0` + runtime.Unknown{typeMeta, raw, contentEncoding,
// contentType} (apimachinery, pkg/runtime/serializer/protobuf).

import { WireError } from '../wire-error.ts';
import { DELIMITED, MessageCursor, tagOf } from './message-cursor.ts';

/** `k8s\0`. */
export const ENVELOPE_PREFIX: Buffer = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** A view of the bytes that came in: decode it before they are given up. */
  readonly raw: Buffer;
}

export function isEnvelope(bytes: Uint8Array): boolean {
  for (let index = 0; index < ENVELOPE_PREFIX.length; index += 1) {
    if (bytes[index] !== ENVELOPE_PREFIX[index]) return false;
  }
  return true;
}

/** Throws a WireError when it is no envelope or holds something that is neither plain nor protobuf. */
export function openEnvelope(bytes: Buffer): Envelope {
  if (!isEnvelope(bytes)) throw new WireError('an object does not begin with the protobuf prefix');
  const cursor = new MessageCursor(bytes);
  cursor.at = ENVELOPE_PREFIX.length;
  let apiVersion = '';
  let kind = '';
  let raw = EMPTY;
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case UNKNOWN.typeMeta: {
        const outer = cursor.enter();
        while (cursor.hasMore) {
          const inner = cursor.uint32();
          if (inner === TYPE_META.apiVersion) apiVersion = cursor.shared();
          else if (inner === TYPE_META.kind) kind = cursor.shared();
          else cursor.skip(inner);
        }
        cursor.leave(outer);
        break;
      }
      case UNKNOWN.raw:
        raw = cursor.view();
        break;
      case UNKNOWN.contentEncoding:
        checkContent(cursor.shared(), '');
        break;
      case UNKNOWN.contentType:
        checkContent('', cursor.shared());
        break;
      default:
        cursor.skip(tag);
    }
  }
  return { apiVersion, kind, raw };
}

/** Refuses contents that this decoder would misread. */
export function checkContent(encoding: string, type: string): void {
  if (encoding !== '') throw new WireError(`an object has contentEncoding ${JSON.stringify(encoding)}`);
  if (type !== '' && type !== 'application/vnd.kubernetes.protobuf') {
    throw new WireError(`an object has contentType ${JSON.stringify(type)}`);
  }
}

const UNKNOWN = {
  typeMeta: tagOf(1, DELIMITED),
  raw: tagOf(2, DELIMITED),
  contentEncoding: tagOf(3, DELIMITED),
  contentType: tagOf(4, DELIMITED),
} as const;
const TYPE_META = { apiVersion: tagOf(1, DELIMITED), kind: tagOf(2, DELIMITED) } as const;

const EMPTY: Buffer = Buffer.alloc(0);
