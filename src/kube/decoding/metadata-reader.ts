// `metadata` of any object out of its protobuf, straight into what a record says: see pod-reader.ts.
//
// Field numbers are those of proto/kubernetes/meta.proto, and the records those that records-from-objects.ts makes of
// what protobufjs decodes: a test holds the two against each other.

import type { ControllerReference, StringMap } from '../../model/kubernetes/records.ts';
import { NO_STRINGS, toMoment } from './lenient-fields.ts';
import { DELIMITED, MessageCursor, tagOf, VARINT } from './message-cursor.ts';

/** What metadata says, and the version, which records do not have. */
export interface ReadMetadata {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  labels: StringMap;
  annotations: StringMap;
  creationTimeMs: number | undefined;
  deletionTimeMs: number | undefined;
  controller: ControllerReference | undefined;
}

/** As much as an object says that has no metadata. */
export function noMetadata(): ReadMetadata {
  return {
    namespace: '',
    name: '',
    uid: '',
    resourceVersion: '',
    labels: NO_STRINGS,
    annotations: NO_STRINGS,
    creationTimeMs: undefined,
    deletionTimeMs: undefined,
    controller: undefined,
  };
}

/** Reads the message `ObjectMeta` that is next. */
export function readMetadata(cursor: MessageCursor): ReadMetadata {
  const meta = noMetadata();
  let labels: Record<string, string> | undefined;
  let annotations: Record<string, string> | undefined;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case META.name:
        meta.name = cursor.text();
        break;
      case META.namespace:
        meta.namespace = cursor.shared();
        break;
      case META.uid:
        meta.uid = cursor.text();
        break;
      case META.resourceVersion:
        meta.resourceVersion = cursor.text();
        break;
      case META.creationTimestamp:
        meta.creationTimeMs = readTime(cursor);
        break;
      case META.deletionTimestamp:
        meta.deletionTimeMs = readTime(cursor);
        break;
      case META.labels:
        readEntry(cursor, (labels ??= {}));
        break;
      case META.annotations:
        readEntry(cursor, (annotations ??= {}));
        break;
      case META.ownerReferences:
        meta.controller = readController(cursor, meta.controller);
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  if (labels !== undefined) meta.labels = labels;
  if (annotations !== undefined) meta.annotations = annotations;
  return meta;
}

/** Of an object whose metadata is all that is read: PartialObjectMetadata, or any other. */
export function readMetadataOnly(raw: Uint8Array): ReadMetadata {
  const cursor = new MessageCursor(raw);
  let meta = noMetadata();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === METADATA) meta = readMetadata(cursor);
    else cursor.skip(tag);
  }
  return meta;
}

/** Reads the message `Time` that is next. Go writes its zero time as an empty message. */
export function readTime(cursor: MessageCursor): number | undefined {
  let seconds: number | undefined;
  let nanos = 0;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === SECONDS) seconds = cursor.int64();
    else if (tag === NANOS) nanos = cursor.int32();
    else cursor.skip(tag);
  }
  cursor.leave(outer);
  return seconds === undefined ? undefined : toMoment(seconds, nanos);
}

/** Reads the entry of a map of strings that is next. */
function readEntry(cursor: MessageCursor, map: Record<string, string>): void {
  let key = '';
  let value = '';
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === KEY) key = cursor.shared();
    else if (tag === VALUE) value = cursor.shared();
    else cursor.skip(tag);
  }
  cursor.leave(outer);
  // An assignment would set the prototype instead.
  if (key === '__proto__') {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  } else map[key] = value;
}

/** Reads the `OwnerReference` that is next; `before` is kept where this one is no controller, or there was one. */
function readController(
  cursor: MessageCursor,
  before: ControllerReference | undefined,
): ControllerReference | undefined {
  let apiVersion = '';
  let kind = '';
  let name = '';
  let uid = '';
  let isController = false;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case OWNER.kind:
        kind = cursor.shared();
        break;
      case OWNER.name:
        name = cursor.shared();
        break;
      case OWNER.uid:
        uid = cursor.shared();
        break;
      case OWNER.apiVersion:
        apiVersion = cursor.shared();
        break;
      case OWNER.controller:
        isController = cursor.bool();
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return before ?? (isController ? { apiVersion, kind, name, uid } : undefined);
}

const METADATA = tagOf(1, DELIMITED);

const META = {
  name: tagOf(1, DELIMITED),
  namespace: tagOf(3, DELIMITED),
  uid: tagOf(5, DELIMITED),
  resourceVersion: tagOf(6, DELIMITED),
  creationTimestamp: tagOf(8, DELIMITED),
  deletionTimestamp: tagOf(9, DELIMITED),
  labels: tagOf(11, DELIMITED),
  annotations: tagOf(12, DELIMITED),
  ownerReferences: tagOf(13, DELIMITED),
} as const;

const OWNER = {
  kind: tagOf(1, DELIMITED),
  name: tagOf(3, DELIMITED),
  uid: tagOf(4, DELIMITED),
  apiVersion: tagOf(5, DELIMITED),
  controller: tagOf(6, VARINT),
} as const;

const SECONDS = tagOf(1, VARINT);
const NANOS = tagOf(2, VARINT);
const KEY = tagOf(1, DELIMITED);
const VALUE = tagOf(2, DELIMITED);
