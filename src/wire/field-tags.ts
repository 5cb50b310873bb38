// Tags of the fields of a message type: field number and wire type, as they stand before a field's value.
//
// The only way to a tag. Numbers come from the .proto files, so none is written twice, and what is not in them throws
// when the module loads.

import type protobuf from 'protobufjs';
import { messageType } from './schema.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

export class FieldTags {
  readonly #type: protobuf.Type;

  /** `digger.v1.Pod`. */
  constructor(fullName: string) {
    this.#type = messageType(fullName);
  }

  /** Tag of a string, bytes, map or message field, or of each element of a repeated one. */
  delimited(field: string): number {
    return (this.#number(field) << 3) | LENGTH_DELIMITED;
  }

  /** Tag of a bool, enum or integer field. */
  varint(field: string): number {
    return (this.#number(field) << 3) | VARINT;
  }

  #number(field: string): number {
    const found = this.#type.fields[field];
    if (found === undefined) throw new Error(`${this.#type.fullName} has no field ${field}`);
    return found.id;
  }
}
