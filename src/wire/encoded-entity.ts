// The parts of an encoded entity put together, to be copied into an answer or a frame.

import { type ByteString, NO_BYTES, toByteString } from '../model/byte-string.ts';
import type { EncodedEntity } from '../model/entities.ts';

/** What a record alone contributes. */
export type EncodedRecord = Omit<EncodedEntity, 'joined' | 'place'>;

/** `digger.v1.View` without its default. */
export type View = 'BASIC' | 'FULL';

/** Bytes of the message in this view. */
export function encodedLength({ own, joined, place, values, rest }: EncodedEntity, view: View): number {
  const basic = own.length + joined.length + (place === undefined ? 0 : place.length);
  return view === 'BASIC' ? basic : basic + values.length + rest.length;
}

/** Writes the message into memory that has room for it; returns the offset behind it. */
export function copyEncoded(target: Buffer, offset: number, entity: EncodedEntity, view: View): number {
  let at = offset;
  at = copyByteString(target, at, entity.own);
  at = copyByteString(target, at, entity.joined);
  if (entity.place !== undefined) at = copyByteString(target, at, entity.place);
  if (view === 'BASIC') return at;
  at = copyByteString(target, at, entity.values);
  return copyByteString(target, at, entity.rest);
}

/** The message in memory of its own. */
export function encodedBytes(entity: EncodedEntity, view: View = 'FULL'): Buffer {
  const bytes = Buffer.allocUnsafe(encodedLength(entity, view));
  copyEncoded(bytes, 0, entity, view);
  return bytes;
}

/** Returns the offset behind what was written. */
export function copyByteString(target: Buffer, offset: number, text: ByteString): number {
  // Most parts of most entities are there, but not all.
  return text === '' ? offset : offset + target.write(text, offset, 'latin1');
}

/**
 * In one piece: text that was put together with `+` keeps what it is made of, and is put together anew by each reader.
 */
export function concatBytes(...given: readonly ByteString[]): ByteString {
  const parts = given.filter((part) => part !== '');
  if (parts.length < 2) return parts[0] ?? NO_BYTES;
  const bytes = Buffer.allocUnsafe(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => copyByteString(bytes, at, part), 0);
  return toByteString(bytes);
}
