// Reads protobuf messages field by field, straight into what is kept: no object for a message, none for a field that
// is skipped. For what comes by the hundred thousand; everything else is decoded by protobufjs from the schema.
//
// A message that reaches beyond the one around it, a number of more than ten bytes, and groups in one another beyond
// any use are refused with a WireError. A field of another wire type than the schema's is an unknown one, and skipped.

import { WireError } from '../wire-error.ts';
import { sharedText } from './shared-text.ts';

export const VARINT = 0;
export const DELIMITED = 2;
/** Ends with a tag of wire type 4. */
const GROUP = 3;
const MAX_GROUPS = 100;

/** A tag: the number of a field and its wire type. */
export function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

/** A list of one has no room for more: most lists of a pod have one element, and arrays that grow begin with 17. */
export function append<T>(list: T[] | undefined, element: T): T[] {
  if (list === undefined) return [element];
  list.push(element);
  return list;
}

export class MessageCursor {
  readonly bytes: Buffer;
  at = 0;
  /** Of the message that is being read. */
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
  }

  /** The message has another field. */
  get hasMore(): boolean {
    return this.at < this.end;
  }

  /** A tag, a length, a bool or an int32 as its lowest 32 bits, unsigned. */
  uint32(): number {
    const { bytes, end } = this;
    let { at } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw new WireError('a message ends in the middle of a number');
      const byte = bytes[at] as number;
      at += 1;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return value >>> 0;
      }
    }
    throw new WireError('a number is longer than ten bytes');
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.int64() !== 0;
  }

  /** Exact up to 2^53, which is further than any moment. */
  int64(): number {
    const { bytes, end } = this;
    let { at } = this;
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index += 1) {
      if (at >= end) throw new WireError('a message ends in the middle of a number');
      const byte = bytes[at] as number;
      at += 1;
      const part = byte & 0x7f;
      // 32 bits each; the fifth byte has bits for both.
      if (index < 4) low |= part << (7 * index);
      else if (index === 4) {
        low |= part << 28;
        high = part >>> 4;
      } else high |= part << (7 * index - 32);
      if (byte < 0x80) {
        this.at = at;
        return (high | 0) * 4_294_967_296 + (low >>> 0);
      }
    }
    throw new WireError('a number is longer than ten bytes');
  }

  /** Text of this object's own. */
  text(): string {
    const end = this.#valueEnd();
    const start = this.at;
    this.at = end;
    return end === start ? '' : this.bytes.toString('utf8', start, end);
  }

  /** Text that many objects have in common: the copy of it that there is, where there is one. */
  shared(): string {
    const end = this.#valueEnd();
    const start = this.at;
    this.at = end;
    return sharedText(this.bytes, start, end);
  }

  /** Enters the message that is next; give what this returns to `leave` when it is read. */
  enter(): number {
    const outer = this.end;
    this.end = this.#valueEnd();
    return outer;
  }

  leave(outer: number): void {
    this.end = outer;
  }

  /** The value that is next, as a view. */
  view(): Buffer {
    const end = this.#valueEnd();
    const start = this.at;
    this.at = end;
    return this.bytes.subarray(start, end);
  }

  /** Passes over the value of the field with this tag, which is not a known one, with any wire type. */
  skip(tag: number, depth = 0): void {
    switch (tag % 8) {
      case VARINT:
        this.int64();
        return;
      case 1:
        this.#pass(8);
        return;
      case DELIMITED:
        this.at = this.#valueEnd();
        return;
      case GROUP:
        this.#skipGroup(tag, depth);
        return;
      case 5:
        this.#pass(4);
        return;
      default:
        throw new WireError(`a field has the unknown wire type ${tag % 8}`);
    }
  }

  /** Kubernetes has no groups, but the encoding does. */
  #skipGroup(tag: number, depth: number): void {
    if (depth === MAX_GROUPS) throw new WireError(`more than ${MAX_GROUPS} groups in one another`);
    for (let inner = this.uint32(); inner !== tag + 1; inner = this.uint32()) this.skip(inner, depth + 1);
  }

  /** Reads the length in front of a value: it goes from `at` to what this returns. */
  #valueEnd(): number {
    const length = this.uint32();
    const end = this.at + length;
    if (end > this.end) throw new WireError(`a value of ${length} bytes reaches beyond its message`);
    return end;
  }

  #pass(length: number): void {
    if (this.at + length > this.end) throw new WireError('a message ends in the middle of a number');
    this.at += length;
  }
}
