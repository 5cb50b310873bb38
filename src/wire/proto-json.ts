// Messages of the contract as JSON for people and for jq, in the form that protobuf prescribes and grpcurl prints:
// field names in lowerCamelCase, enums by name, times as RFC 3339, durations as `1.5s`, bytes in base64, unset fields
// absent.

import type protobuf from 'protobufjs';
import { messageType } from './schema.ts';

/** A decoded message; the reader of a field knows its type. */
export type JsonObject = { readonly [field: string]: JsonValue | undefined };
export type JsonValue = string | number | boolean | JsonObject | readonly JsonValue[];

/** Decodes a message of this type (`digger.v1.Resolution`). Throws when the bytes are not such a message. */
export function decodeToJson(typeName: string, bytes: Uint8Array): JsonObject {
  const type = messageType(typeName);
  return toJson(type, type.decode(bytes) as unknown as Fields) as JsonObject;
}

type Fields = Readonly<Record<string, unknown>>;

function toJson(type: protobuf.Type, message: Fields): JsonValue {
  if (type.fullName === '.google.protobuf.Timestamp') return toRfc3339(message);
  if (type.fullName === '.google.protobuf.Duration') return toDurationText(message);
  const json: Record<string, JsonValue> = {};
  for (const field of type.fieldsArray) {
    // Decoded messages have unset fields on their prototype only.
    if (!Object.hasOwn(message, field.name)) continue;
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (field.map) {
      const entries = Object.entries(value as Fields);
      if (entries.length > 0) json[field.name] = Object.fromEntries(entries.map(([k, v]) => [k, single(field, v)]));
    } else if (field.repeated) {
      const items = value as readonly unknown[];
      if (items.length > 0) json[field.name] = items.map((item) => single(field, item));
    } else json[field.name] = single(field, value);
  }
  return json;
}

function single(field: protobuf.Field, value: unknown): JsonValue {
  const { resolvedType } = field;
  if (resolvedType !== null && 'fieldsArray' in resolvedType) return toJson(resolvedType, value as Fields);
  // An enum value that this version does not know stays a number.
  if (resolvedType !== null) return resolvedType.valuesById[Number(value)] ?? Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  // 64 bits: text, because JSON readers may round numbers.
  if (typeof value === 'object' && value !== null) return String(value);
  return value as string | number | boolean;
}

function toRfc3339(message: Fields): string {
  const seconds = Number(message['seconds'] ?? 0);
  const nanos = Number(message['nanos'] ?? 0);
  return new Date(seconds * 1000 + Math.floor(nanos / 1e6)).toISOString().replace('.000Z', 'Z');
}

function toDurationText(message: Fields): string {
  return `${Number(message['seconds'] ?? 0) + Number(message['nanos'] ?? 0) / 1e9}s`;
}
