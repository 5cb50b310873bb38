// Reads the request of a batch without making objects of it: where each address is, and its port, protocol and moment
// as numbers. Decoding 1,000 queries with protobufjs took as long as answering them does.
//
// It knows the requests that callers send by the thousand and no others: at anything else (an interval, a wait, a field
// that is given twice or is not known, a number out of range, bytes that are no message) it gives up, and the request
// is decoded as every other. So what it does not refuse is what the decoder would have made of it, and every error
// comes from where it came before.

import { FieldTags } from '../../../wire/field-tags.ts';
import { enumValues } from '../../../wire/schema.ts';
import { addressKey } from '../answers/plain-answers.ts';
import type { QuestionFields } from './request-fields.ts';

/** What was read, to be used before the next request is. */
export class BatchScan {
  /** Queries. */
  count = 0;
  /** As `view` is decoded. */
  view = '';
  bytes: Buffer = NOTHING;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** See `addressKey`. */
  readonly keys: Float64Array;
  /** -1: unset. */
  readonly ports: Float64Array;
  readonly protocols: Uint8Array;
  /** -1: unset. */
  readonly seconds: Float64Array;
  readonly nanos: Float64Array;
  #at = 0;

  constructor(maxQueries: number) {
    this.starts = new Int32Array(maxQueries);
    this.ends = new Int32Array(maxQueries);
    this.keys = new Float64Array(maxQueries);
    this.ports = new Float64Array(maxQueries);
    this.protocols = new Uint8Array(maxQueries);
    this.seconds = new Float64Array(maxQueries);
    this.nanos = new Float64Array(maxQueries);
  }

  /** Whether it could be read. */
  read(bytes: Buffer): boolean {
    this.bytes = bytes;
    this.count = 0;
    this.#at = 0;
    let view = -1;
    while (this.#at < bytes.length) {
      switch (bytes[this.#at++]) {
        case QUERIES: {
          const length = this.#varint(MAX_LENGTH_BYTES);
          const end = this.#at + length;
          if (length < 0 || end > bytes.length || this.count === this.starts.length) return false;
          if (!this.#readQuery(end)) return false;
          this.count += 1;
          break;
        }
        case VIEW:
          if (view !== -1) return false;
          view = this.#varint(1);
          if (view < 0 || VIEWS[view] === undefined) return false;
          break;
        default:
          return false;
      }
    }
    this.view = VIEWS[Math.max(0, view)] ?? '';
    return this.count > 0;
  }

  /** Lets go of the request. */
  forget(): void {
    this.bytes = NOTHING;
    this.count = 0;
  }

  /** One query as it is decoded. */
  fieldsOf(index: number): QuestionFields {
    const port = this.ports[index] ?? -1;
    const seconds = this.seconds[index] ?? -1;
    return {
      address: this.bytes.toString('latin1', this.starts[index], this.ends[index]),
      ...(port === -1 ? undefined : { port }),
      protocol: PROTOCOLS[this.protocols[index] ?? 0] ?? '',
      at: seconds === -1 ? null : { seconds, nanos: this.nanos[index] ?? 0 },
    };
  }

  #readQuery(end: number): boolean {
    const { bytes, count } = this;
    let seen = 0;
    this.starts[count] = end;
    this.ends[count] = end;
    this.keys[count] = NO_ADDRESS;
    this.ports[count] = -1;
    this.protocols[count] = 0;
    this.seconds[count] = -1;
    this.nanos[count] = 0;
    while (this.#at < end) {
      const tag = bytes[this.#at++] ?? 0;
      const bit = 1 << (tag >>> 3);
      if ((seen & bit) !== 0) return false;
      seen |= bit;
      switch (tag) {
        case ADDRESS: {
          const length = this.#varint(1);
          const to = this.#at + length;
          if (length < 0 || to > end) return false;
          const key = addressKey(bytes, this.#at, to);
          if (key === undefined) return false;
          this.starts[count] = this.#at;
          this.ends[count] = to;
          this.keys[count] = key;
          this.#at = to;
          break;
        }
        case PORT: {
          const port = this.#varint(MAX_UINT32_BYTES);
          if (port < 0 || port > MAX_UINT32) return false;
          this.ports[count] = port;
          break;
        }
        case PROTOCOL: {
          const protocol = this.#varint(1);
          if (protocol < 0 || PROTOCOLS[protocol] === undefined) return false;
          this.protocols[count] = protocol;
          break;
        }
        case AT: {
          const length = this.#varint(1);
          const to = this.#at + length;
          if (length < 0 || to > end || !this.#readMoment(to)) return false;
          break;
        }
        default:
          return false;
      }
    }
    return this.#at === end;
  }

  #readMoment(end: number): boolean {
    const { bytes, count } = this;
    this.seconds[count] = 0;
    let last = 0;
    while (this.#at < end) {
      const tag = bytes[this.#at++] ?? 0;
      // In order, so that neither comes twice.
      if (tag <= last) return false;
      last = tag;
      const value = this.#varint(tag === SECONDS ? MAX_SECONDS_BYTES : MAX_UINT32_BYTES);
      if (value < 0) return false;
      if (tag === SECONDS) this.seconds[count] = value;
      else if (tag === NANOS && value <= MAX_INT32) this.nanos[count] = value;
      else return false;
    }
    return this.#at === end;
  }

  /** A number of at most so many bytes; -1: it has more, or is cut off. */
  #varint(maxBytes: number): number {
    const { bytes } = this;
    let value = 0;
    let factor = 1;
    for (let index = 0; index < maxBytes; index += 1) {
      const byte = bytes[this.#at++];
      if (byte === undefined) return -1;
      if (byte < 0x80) return value + byte * factor;
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
    }
    return -1;
  }
}

const NOTHING = Buffer.alloc(0);

const NO_ADDRESS = addressKey(NOTHING, 0, 0) ?? 0;

/** A request has up to 4 MiB. */
const MAX_LENGTH_BYTES = 4;
const MAX_UINT32_BYTES = 5;
const MAX_UINT32 = 2 ** 32 - 1;
const MAX_INT32 = 2 ** 31 - 1;
/** 49 bits, which a number holds. */
const MAX_SECONDS_BYTES = 7;

const request = new FieldTags('digger.v1.BatchResolveAddressesRequest');
const QUERIES = request.delimited('queries');
const VIEW = request.varint('view');
const query = new FieldTags('digger.v1.AddressQuery');
const ADDRESS = query.delimited('address');
const PORT = query.varint('port');
const PROTOCOL = query.varint('protocol');
const AT = query.delimited('at');
const timestamp = new FieldTags('google.protobuf.Timestamp');
const SECONDS = timestamp.varint('seconds');
const NANOS = timestamp.varint('nanos');

/** Names by number, as they are decoded. */
const VIEWS = namesOf('digger.v1.View');
const PROTOCOLS = namesOf('digger.v1.Protocol');

function namesOf(enumName: string): readonly (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const [name, value] of Object.entries(enumValues(enumName))) names[value] = name;
  return names;
}
