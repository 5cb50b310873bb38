// List bodies, decoded while they come in: memory follows one object, not the list, whatever the server sends.
//
// A server may answer a request for 500 with everything it has (lists at resourceVersion "0" come whole out of the
// watch cache), and a list of 100,000 pods is 650 MB of protobuf or 900 MB of JSON, more than a V8 string can hold.
// So neither is ever put together: objects are cut out of the bytes one by one and handed on as records.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { ByteQueue } from './byte-queue.ts';
import { checkContent, ENVELOPE_PREFIX } from './envelope.ts';
import type { ListMetaObject } from './decoded-objects.ts';
import { JsonListScanner } from './json-list-scanner.ts';
import { type Decoded, listMetaFromProtobuf, type RecordDecoder } from './record-decoder.ts';
import { MAX_OBJECT_BYTES, WireError } from '../wire-error.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  /** `''`: this was the last page. */
  readonly continueToken: string;
}

/** Push all bytes, then end. Throws a WireError on anything that is not the whole, undamaged list of the right kind. */
export interface ListBody {
  push(chunk: Buffer): void;
  end(): ListMeta;
}

export type Encoding = 'protobuf' | 'json';

export function createListBody<R extends KubernetesRecord>(
  encoding: Encoding,
  decoder: RecordDecoder<R>,
  onItem: (item: Decoded<R>) => void,
): ListBody {
  switch (encoding) {
    case 'protobuf':
      return new ProtobufListBody(decoder, onItem);
    case 'json':
      return new JsonListBody(decoder, onItem);
  }
}

/**
 * `k8s\0` + Unknown{1: typeMeta, 2: raw = XList{1: metadata, 2: items…}, 3: contentEncoding, 4: contentType}. A small
 * reader of its own for these two levels, because protobufjs decodes whole messages only.
 */
class ProtobufListBody<R extends KubernetesRecord> implements ListBody {
  readonly #decoder: RecordDecoder<R>;
  readonly #onItem: (item: Decoded<R>) => void;
  readonly #queue = new ByteQueue();
  #prefixSeen = false;
  #kindSeen = false;
  /** Bytes of the list message still to come; `undefined` outside of it. */
  #listLeft: number | undefined;
  #listSeen = false;
  #meta: ListMetaObject = {};

  constructor(decoder: RecordDecoder<R>, onItem: (item: Decoded<R>) => void) {
    this.#decoder = decoder;
    this.#onItem = onItem;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
    if (!this.#prefixSeen) {
      if (this.#queue.length < ENVELOPE_PREFIX.length) return;
      if (!this.#queue.take(ENVELOPE_PREFIX.length).equals(ENVELOPE_PREFIX)) {
        throw new WireError('a list does not begin with the protobuf prefix');
      }
      this.#prefixSeen = true;
    }
    while (this.#step()) {
      // One element a step, until one is incomplete.
    }
  }

  end(): ListMeta {
    if (!this.#prefixSeen || this.#queue.length > 0 || this.#listLeft !== undefined) {
      throw new WireError('a list ended in the middle');
    }
    // A list without items still has metadata, so an absent one means that something was cut off.
    if (!this.#listSeen) throw new WireError('a list has no content');
    return toListMeta(this.#meta);
  }

  /** Handles one field. False: more bytes are needed. */
  #step(): boolean {
    if (this.#listLeft === 0) this.#listLeft = undefined;
    if (this.#queue.length === 0) return false;
    const bytes = this.#queue.peek(Math.min(this.#queue.length, MAX_FIELD_HEADER_BYTES));
    const header = readFieldHeader(bytes);
    if (header === undefined) return false;
    const { field, valueLength, headerLength } = header;
    const inList = this.#listLeft !== undefined;

    if (!inList && field === 2 && header.delimited) {
      if (!this.#kindSeen) throw new WireError('a list does not say its kind');
      this.#queue.skip(headerLength);
      this.#listLeft = valueLength;
      this.#listSeen = true;
      return true;
    }
    if (valueLength > MAX_OBJECT_BYTES) {
      throw new WireError(`an object of ${valueLength} bytes is larger than ${MAX_OBJECT_BYTES}`);
    }
    const total = headerLength + valueLength;
    if (this.#listLeft !== undefined) {
      if (total > this.#listLeft) throw new WireError('an object reaches beyond its list');
      if (this.#queue.length < total) return false;
      this.#listLeft -= total;
    } else if (this.#queue.length < total) return false;
    const value = this.#queue.take(total).subarray(headerLength);
    if (!header.delimited) return true;
    if (inList) this.#listField(field, value);
    else this.#envelopeField(field, value);
    return true;
  }

  #listField(field: number, value: Buffer): void {
    if (field === 1) this.#meta = decodeOrRefuse(() => listMetaFromProtobuf(value));
    else if (field === 2)
      this.#onItem(
        checkIdentity(
          decodeOrRefuse(() => this.#decoder.fromProtobuf(value)),
          this.#decoder.kind,
        ),
      );
  }

  #envelopeField(field: number, value: Buffer): void {
    if (field === 1) {
      checkKind(readKind(value), this.#decoder.listKind);
      this.#kindSeen = true;
    } else if (field === 3) checkContent(value.toString('utf8'), '');
    else if (field === 4) checkContent('', value.toString('utf8'));
  }
}

class JsonListBody<R extends KubernetesRecord> implements ListBody {
  readonly #decoder: RecordDecoder<R>;
  readonly #scanner: JsonListScanner;

  constructor(decoder: RecordDecoder<R>, onItem: (item: Decoded<R>) => void) {
    this.#decoder = decoder;
    this.#scanner = new JsonListScanner((bytes) => {
      const item = decodeOrRefuse(() => decoder.fromJson(JSON.parse(bytes.toString('utf8'))));
      onItem(checkIdentity(item, decoder.kind));
    });
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  end(): ListMeta {
    const rest = decodeOrRefuse(() => JSON.parse(this.#scanner.end()) as ListRest | null);
    checkKind(rest?.kind ?? '', this.#decoder.listKind);
    checkItems(rest?.items, this.#decoder.listKind);
    return toListMeta(rest?.metadata ?? {});
  }
}

/** A JSON list without what the scanner handed over. */
interface ListRest {
  readonly kind?: string;
  readonly metadata?: ListMetaObject;
  /** Empty where the scanner found the array; anything else is what it did not take for one. */
  readonly items?: unknown;
}

/**
 * A list that does not say what it holds must not be taken for an empty one: that would remove everything.
 * kube-apiserver writes an empty list as `[]` (its storage and its unstructured lists never leave a nil slice), with
 * one exception: of PartialObjectMetadataList it appends to a nil slice (apiserver,
 * pkg/endpoints/handlers/response.go), so there `null` is how an empty list looks.
 */
function checkItems(items: unknown, listKind: string): void {
  if (Array.isArray(items) && items.length === 0) return;
  if (items === null && listKind === 'PartialObjectMetadataList') return;
  const given = items === undefined ? 'missing' : items === null ? 'null' : `of type ${typeof items}`;
  throw new WireError(`a ${listKind} needs an array of items; items is ${given}`);
}

/** Runs a decoder over bytes from outside; whatever it throws means that they are damaged. */
export function decodeOrRefuse<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError(`undecodable object: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Objects are told apart by these: two without would be one, and a delete of one without would remove nothing. */
export function checkIdentity<R extends KubernetesRecord>(decoded: Decoded<R>, kind: string): Decoded<R> {
  const { name, uid } = decoded.record;
  if (name === '') throw new WireError(`a ${kind} has no metadata.name`);
  if (uid === '') throw new WireError(`the ${kind} ${JSON.stringify(name)} has no metadata.uid`);
  return decoded;
}

/** A tag and a length, each a varint of at most ten bytes. */
const MAX_FIELD_HEADER_BYTES = 20;

interface FieldHeader {
  readonly field: number;
  readonly delimited: boolean;
  readonly headerLength: number;
  readonly valueLength: number;
}

/** `undefined`: more bytes are needed. Wire types as in the protobuf encoding specification. */
function readFieldHeader(bytes: Buffer): FieldHeader | undefined {
  const tag = readVarint(bytes, 0);
  if (tag === undefined) return undefined;
  const field = Math.floor(tag.value / 8);
  const headerLength = tag.end;
  if (field === 0) throw new WireError('a field has the number 0');
  switch (tag.value % 8) {
    case 0: {
      const value = readVarint(bytes, tag.end);
      if (value === undefined) return undefined;
      return { field, delimited: false, headerLength, valueLength: value.end - tag.end };
    }
    case 1:
      return { field, delimited: false, headerLength, valueLength: 8 };
    case 2: {
      const length = readVarint(bytes, tag.end);
      if (length === undefined) return undefined;
      return { field, delimited: true, headerLength: length.end, valueLength: length.value };
    }
    case 5:
      return { field, delimited: false, headerLength, valueLength: 4 };
    default:
      throw new WireError(`a field has the unknown wire type ${tag.value % 8}`);
  }
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let index = start; index < start + 10; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    // Beyond 2^53 the number is inexact, which only a field that is skipped can reach.
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: index + 1 };
    factor *= 128;
  }
  throw new WireError('a number is longer than ten bytes');
}

/** `kind` (field 2) out of a TypeMeta. */
function readKind(typeMeta: Buffer): string {
  let offset = 0;
  let kind = '';
  while (offset < typeMeta.length) {
    const header = readFieldHeader(typeMeta.subarray(offset));
    if (header === undefined) throw new WireError('a type ends in the middle');
    offset += header.headerLength;
    if (header.field === 2 && header.delimited) kind = typeMeta.toString('utf8', offset, offset + header.valueLength);
    offset += header.valueLength;
  }
  return kind;
}

function checkKind(found: string, expected: string): void {
  if (found !== expected) throw new WireError(`expected a ${expected}, got ${JSON.stringify(found)}`);
}

function toListMeta(meta: ListMetaObject): ListMeta {
  const { resourceVersion } = meta;
  if (typeof resourceVersion !== 'string' || resourceVersion === '') {
    throw new WireError('a list has no resourceVersion');
  }
  return { resourceVersion, continueToken: typeof meta.continue === 'string' ? meta.continue : '' };
}
