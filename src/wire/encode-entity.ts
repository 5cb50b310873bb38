// What the encodings of all entities share: the parts that a record alone says, and the tags of a message's fields.
//
// Field numbers come from the .proto files, defaults are not written, maps are sorted: equal content gives equal bytes,
// and a join never needs the record again.

import type protobuf from 'protobufjs';
import type { EncodedEntity } from '../model/entities.ts';
import { messageType } from './schema.ts';

/** What a record alone contributes. */
export type EncodedRecord = Omit<EncodedEntity, 'joined'>;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Tags of the fields of one message type by name. What is not in the .proto file throws when the module loads. */
export class FieldTags {
  readonly #type: protobuf.Type;

  constructor(fullName: string) {
    this.#type = messageType(fullName);
  }

  /** Tag of a string, bytes, map or message field, or of each element of a repeated one. */
  delimited(field: string): number {
    return (this.#id(field) << 3) | LENGTH_DELIMITED;
  }

  /** Tag of a bool, enum or integer field. */
  varint(field: string): number {
    return (this.#id(field) << 3) | VARINT;
  }

  #id(field: string): number {
    const found = this.#type.fields[field];
    if (found === undefined) throw new Error(`${this.#type.fullName} has no field ${field}`);
    return found.id;
  }
}
