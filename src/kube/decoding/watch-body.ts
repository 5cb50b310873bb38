// Watch bodies: frames out of bytes, events out of frames.
//
// Protobuf: uint32 big-endian length + WatchEvent{type, object.raw = envelope}; JSON: one object a line. Everything is
// handed on or the stream is refused: an undecodable frame, an unknown type, another kind, an object without name or
// uid, half a frame at the end.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { type ApiStatus, statusFromJson, statusFromProtobuf } from './api-status.ts';
import { ByteQueue } from './byte-queue.ts';
import { openEnvelope } from './envelope.ts';
import { checkIdentity, decodeOrRefuse, type Encoding } from './list-body.ts';
import type { KubernetesObject } from './decoded-objects.ts';
import { DELIMITED, MessageCursor, tagOf } from './message-cursor.ts';
import type { RecordDecoder } from './record-decoder.ts';
import { MAX_OBJECT_BYTES, WireError } from '../wire-error.ts';

export type WatchEvent<R extends KubernetesRecord> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly record: R; readonly resourceVersion: string }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The end of a streamed initial list (KEP-3157). */
      readonly initialEventsEnd: boolean;
    }
  | { readonly type: 'ERROR'; readonly status: ApiStatus };

/** The events of one watch, in the pieces in which they come. */
export type WatchStream<R extends KubernetesRecord> = AsyncIterator<readonly WatchEvent<R>[]>;

export interface WatchBody<R extends KubernetesRecord> {
  /**
   * The events that these bytes completed. Events before a damaged frame are lost with it: their versions come again.
   */
  push(chunk: Buffer): readonly WatchEvent<R>[];
  /** Throws a WireError when the stream ended inside a frame. */
  end(): void;
}

export function createWatchBody<R extends KubernetesRecord>(
  encoding: Encoding,
  decoder: RecordDecoder<R>,
): WatchBody<R> {
  switch (encoding) {
    case 'protobuf':
      return new ProtobufWatchBody(decoder);
    case 'json':
      return new JsonWatchBody(decoder);
  }
}

class ProtobufWatchBody<R extends KubernetesRecord> implements WatchBody<R> {
  readonly #decoder: RecordDecoder<R>;
  readonly #queue = new ByteQueue();

  constructor(decoder: RecordDecoder<R>) {
    this.#decoder = decoder;
  }

  push(chunk: Buffer): readonly WatchEvent<R>[] {
    this.#queue.push(chunk);
    const events: WatchEvent<R>[] = [];
    while (this.#queue.length >= LENGTH_BYTES) {
      const length = this.#queue.peekUint32();
      if (length > MAX_OBJECT_BYTES) {
        throw new WireError(`a watch frame of ${length} bytes is larger than ${MAX_OBJECT_BYTES}`);
      }
      if (this.#queue.length < LENGTH_BYTES + length) break;
      this.#queue.skip(LENGTH_BYTES);
      const frame = this.#queue.take(length);
      events.push(decodeOrRefuse(() => this.#decode(frame)));
    }
    return events;
  }

  end(): void {
    if (this.#queue.length > 0) throw new WireError('a watch ended inside a frame');
  }

  #decode(frame: Buffer): WatchEvent<R> {
    const { type, object } = readWatchEvent(frame);
    const { kind, raw } = openEnvelope(object);
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        checkKind(kind, this.#decoder.kind);
        const { record, resourceVersion } = checkIdentity(this.#decoder.fromProtobuf(raw), kind);
        return { type, record, resourceVersion: checkVersion(resourceVersion) };
      }
      case 'BOOKMARK':
        checkKind(kind, this.#decoder.kind);
        return toBookmark(this.#decoder.metadataFromProtobuf(raw));
      case 'ERROR':
        checkKind(kind, 'Status');
        return { type: 'ERROR', status: statusFromProtobuf(raw, 0) };
      default:
        throw new WireError(`unknown watch event ${JSON.stringify(type)}`);
    }
  }
}

class JsonWatchBody<R extends KubernetesRecord> implements WatchBody<R> {
  readonly #decoder: RecordDecoder<R>;
  #line: Buffer[] = [];
  #lineLength = 0;

  constructor(decoder: RecordDecoder<R>) {
    this.#decoder = decoder;
  }

  push(chunk: Buffer): readonly WatchEvent<R>[] {
    const events: WatchEvent<R>[] = [];
    let start = 0;
    for (;;) {
      // A line feed inside a JSON string is written as \n, so a raw one always ends an object.
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.#line.push(chunk.subarray(start, end));
      const line = Buffer.concat(this.#line).toString('utf8');
      this.#line = [];
      this.#lineLength = 0;
      start = end + 1;
      if (line.trim() !== '') events.push(decodeOrRefuse(() => this.#decode(JSON.parse(line))));
    }
    if (start < chunk.length) {
      this.#line.push(chunk.subarray(start));
      this.#lineLength += chunk.length - start;
      if (this.#lineLength > MAX_OBJECT_BYTES) {
        throw new WireError(`a watch frame of ${this.#lineLength} bytes is larger than ${MAX_OBJECT_BYTES}`);
      }
    }
    return events;
  }

  end(): void {
    if (this.#lineLength > 0) throw new WireError('a watch ended inside a frame');
  }

  #decode(parsed: unknown): WatchEvent<R> {
    const event = parsed as {
      readonly type?: unknown;
      readonly object?: KubernetesObject & { readonly kind?: string };
    };
    const kind = event?.object?.kind ?? '';
    switch (event?.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        checkKind(kind, this.#decoder.kind);
        const { record, resourceVersion } = checkIdentity(this.#decoder.fromJson(event.object), kind);
        return { type: event.type, record, resourceVersion: checkVersion(resourceVersion) };
      }
      case 'BOOKMARK':
        checkKind(kind, this.#decoder.kind);
        return toBookmark(event.object ?? {});
      case 'ERROR':
        return { type: 'ERROR', status: statusFromJson(event.object, 0) };
      default:
        throw new WireError(`unknown watch event ${JSON.stringify(event?.type)}`);
    }
  }
}

const LENGTH_BYTES = 4;
const LINE_FEED = 0x0a;
const NO_BYTES: Buffer = Buffer.alloc(0);

/** KEP-3157: only this exact value counts. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** `object` is a view of the frame: WatchEvent{1: type, 2: RawExtension{1: raw}}. */
function readWatchEvent(frame: Buffer): { readonly type: string; readonly object: Buffer } {
  const cursor = new MessageCursor(frame);
  let type = '';
  let object = NO_BYTES;
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === EVENT_TYPE) type = cursor.shared();
    else if (tag === EVENT_OBJECT) {
      const outer = cursor.enter();
      while (cursor.hasMore) {
        const inner = cursor.uint32();
        if (inner === RAW) object = cursor.view();
        else cursor.skip(inner);
      }
      cursor.leave(outer);
    } else cursor.skip(tag);
  }
  return { type, object };
}

const EVENT_TYPE = tagOf(1, DELIMITED);
const EVENT_OBJECT = tagOf(2, DELIMITED);
const RAW = tagOf(1, DELIMITED);

function toBookmark<R extends KubernetesRecord>(object: KubernetesObject): WatchEvent<R> {
  return {
    type: 'BOOKMARK',
    resourceVersion: checkVersion(object.metadata?.resourceVersion),
    initialEventsEnd: object.metadata?.annotations?.[INITIAL_EVENTS_END] === 'true',
  };
}

function checkKind(found: string, expected: string): void {
  if (found !== expected) throw new WireError(`expected a ${expected} event, got ${JSON.stringify(found)}`);
}

function checkVersion(version: unknown): string {
  if (typeof version !== 'string' || version === '') throw new WireError('a watch event has no resourceVersion');
  return version;
}
