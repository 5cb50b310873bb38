// Reads messages field by field, straight into what a replica keeps. Field numbers come from the .proto files.
//
// protobufjs makes an object of a class of its own for each message, and of each int64 one more; a replica that takes
// in the timelines of a hundred thousand pods keeps none of them.

import type protobuf from 'protobufjs';
import { enumValues, messageType } from '../wire/schema.ts';

export type FieldReader = protobuf.Reader;

/** The numbers of the fields of a message, by name. Throws when the message has no such field. */
export function fieldNumbers<Name extends string>(fullName: string, names: readonly Name[]): Record<Name, number> {
  const { fields } = messageType(fullName);
  return Object.fromEntries(
    names.map((name) => {
      const field = fields[name];
      if (field === undefined) throw new Error(`${fullName} has no field ${name}`);
      return [name, field.id];
    }),
  ) as Record<Name, number>;
}

/** The names of an enum's values by number, without the prefix that all of them have; the unspecified one is unset. */
export function valueNames<Name extends string>(fullName: string, prefix: string): readonly (Name | undefined)[] {
  const names: (Name | undefined)[] = [];
  for (const [name, number] of Object.entries(enumValues(fullName))) {
    if (number !== 0) names[number] = name.slice(prefix.length) as Name;
  }
  return names;
}

/**
 * Calls `read` with the number of each field of a message that ends at `end`, and the reader at the field's value. What
 * `read` does not take (it returns false) is skipped: a newer server knows more fields.
 */
export function eachField(
  reader: FieldReader,
  end: number,
  read: (field: number, reader: FieldReader, wireType: number) => boolean,
): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    const wireType = tag & 7;
    if (!read(tag >>> 3, reader, wireType)) reader.skipType(wireType);
  }
  if (reader.pos !== end) throw new RangeError('a message ends inside of a field');
}

const VARINT = 0;

/** Where the message ends whose length comes next. */
export function messageEnd(reader: FieldReader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message is longer than what contains it');
  return end;
}

/**
 * An int64 that is a moment or a duration. Exact up to 2^53 on both sides of 1970, which no clock reaches in ms: an
 * object of the API may say that it began before.
 */
export function readMs(reader: FieldReader): number {
  let value = 0;
  /** What a negative number lacks to -1: of its own size, where `value` is near 2^63 and would be rounded. */
  let missing = 0;
  let factor = 1;
  for (let count = 0; count < 10; count++) {
    const byte = reader.buf[reader.pos++];
    if (byte === undefined || reader.pos > reader.len) throw new RangeError('a number ends inside of itself');
    // The highest bit of ten bytes is the sign of 64 bits.
    if (count === 9) return (byte & 1) === 0 ? value : -1 - missing;
    value += (byte & 127) * factor;
    missing += (127 - (byte & 127)) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
  throw new RangeError('a number has more than ten bytes');
}

/** Elements of a repeated uint32: several in one, or one by itself, as `wireType` says. */
export function readIndexes(reader: FieldReader, wireType: number, into: number[]): void {
  if (wireType === VARINT) {
    into.push(reader.uint32());
    return;
  }
  const end = messageEnd(reader);
  while (reader.pos < end) into.push(reader.uint32());
}
