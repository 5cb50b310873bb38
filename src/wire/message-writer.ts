// Writes protobuf messages into memory that it keeps, for what is written once per call.
//
// protobufjs collects an operation object per field and sizes the message at the end; that suits messages that are
// encoded rarely, but for a lookup, whose entities are encoded already, it cost more than the lookup itself, and for
// the first list of a large cluster more than decoding it. Here every field goes straight into one buffer, and the
// length of an embedded message is put in front of it when it is complete. One message at a time, from `startMessage`
// to `finish` or the last `cut`, without waiting in between; what these give is a copy.

import { type ByteString, toByteString } from '../model/byte-string.ts';
import type { EncodedEntity } from '../model/entities.ts';
import { copyByteString, copyEncoded, encodedLength, type View } from './encoded-entity.ts';

/** The writer for messages, empty. What was begun before and not finished (its encoder threw) is forgotten. */
export function startMessage(): MessageWriter {
  forMessages.reset();
  return forMessages;
}

/**
 * The writer for parts of entities, empty. Another one, because some entities are encoded in the middle of an answer.
 */
export function startEntity(): MessageWriter {
  forEntities.reset();
  return forEntities;
}

export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  #at = 0;

  reset(): void {
    this.#at = 0;
    // A batch of large entities can need many MB; that much is not kept for the next message.
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  }

  /** Bytes that were written since the last cut or the start. */
  get length(): number {
    return this.#at;
  }

  /** A tag, or an unsigned number below 2^32. */
  uint32(value: number): this {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
    return this;
  }

  bool(value: boolean): this {
    return this.uint32(value ? 1 : 0);
  }

  /** A safe integer as int64 (or int32, which is the same on the wire). */
  int64(value: number): this {
    if (value >= 0 && value < TWO_TO_THE_32) return this.uint32(value);
    this.#reserve(MAX_VARINT_BYTES);
    // Two's complement of 64 bits: a negative number takes ten bytes.
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
    return this;
  }

  /** Text with its length in front. */
  string(text: string): this {
    const { length } = text;
    this.#reserve(1 + length * MAX_UTF8_BYTES);
    if (length <= MAX_COPIED_CHARACTERS) {
      // The way out of JavaScript costs more than a few dozen characters do.
      const bytes = this.#bytes;
      let at = this.#at;
      bytes[at++] = length;
      let index = 0;
      for (; index < length; index += 1) {
        const character = text.charCodeAt(index);
        if (character > 0x7f) break;
        bytes[at++] = character;
      }
      if (index === length) {
        this.#at = at;
        return this;
      }
    }
    const mark = this.begin();
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
    return this.end(mark);
  }

  /** Bytes with their length in front. */
  bytes(source: Uint8Array): this {
    const { length } = source;
    this.uint32(length);
    this.#reserve(length);
    this.#bytes.set(source, this.#at);
    this.#at += length;
    return this;
  }

  /** An encoded entity with its length in front. */
  entity(entity: EncodedEntity, view: View): this {
    const length = encodedLength(entity, view);
    this.uint32(length);
    this.#reserve(length);
    this.#at = copyEncoded(this.#bytes, this.#at, entity, view);
    return this;
  }

  /** Fields that are encoded already. */
  fields(encoded: ByteString): this {
    this.#reserve(encoded.length);
    this.#at = copyByteString(this.#bytes, this.#at, encoded);
    return this;
  }

  /** Begins what has its length in front, an embedded message for one; the mark is for `end`. */
  begin(): number {
    this.#reserve(1);
    this.#at += 1;
    return this.#at;
  }

  /** Ends what began at the mark: its length goes into the byte before, and beyond 127 what was written moves up. */
  end(mark: number): this {
    const length = this.#at - mark;
    if (length > 0x7f) {
      const extra = varintBytes(length) - 1;
      this.#reserve(extra);
      this.#bytes.copyWithin(mark + extra, mark, this.#at);
      this.#at = mark - 1;
      this.uint32(length);
      this.#at += length;
    } else {
      this.#bytes[mark - 1] = length;
    }
    return this;
  }

  /** What was written since the last cut or the start, for good; what follows begins anew. */
  cut(): ByteString {
    const text = toByteString(this.#bytes, this.#at);
    this.reset();
    return text;
  }

  /** The message. */
  finish(): Buffer {
    const message = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(message, 0, 0, this.#at);
    this.reset();
    return message;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/**
 * Room for a batch of 1,000 answers in the basic view; larger messages grow it for themselves. What is never written to
 * takes no memory.
 */
const KEPT_BYTES = 1_048_576;

const MAX_VARINT_BYTES = 10;

/** Names, addresses, label keys; at most 127, so that the length takes one byte. */
const MAX_COPIED_CHARACTERS = 48;

/** UTF-8 takes at most three bytes for a UTF-16 code unit (four for the two of a surrogate pair). */
const MAX_UTF8_BYTES = 3;

const TWO_TO_THE_32 = 4_294_967_296;

/** Bytes of an unsigned number below 2^32. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}

const forMessages = new MessageWriter();
const forEntities = new MessageWriter();
