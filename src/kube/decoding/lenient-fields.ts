// Fields of decoded Kubernetes objects as plain values, whatever stands there.
//
// What is missing or of the wrong type becomes `''`, `0`, `undefined` or an empty list; nothing throws. What is
// returned keeps nothing of the object alive: text is fresh or interned, lists and maps are new.

import type { StringMap } from '../../model/kubernetes/records.ts';
import type { Int64, IntOrStringValue, TimeValue } from './decoded-objects.ts';
import { intern } from './string-interner.ts';

/** Go's zero time, 0001-01-01T00:00:00Z, in seconds since the epoch: how some writers say "no time". */
const ZERO_TIME_SECONDS = -62_135_596_800;
const MAX_PORT = 65_535;
/** Year 10000: the first that a Timestamp cannot say, so that clients could not print an answer with it. */
const END_OF_TIME_SECONDS = 253_402_300_800;

/**
 * Ms since the epoch; `undefined` for no time, Go's zero time, years of five digits and anything that is not a time.
 */
export function toTimeMs(time: TimeValue): number | undefined {
  if (time === null || time === undefined) return undefined;
  if (typeof time === 'string') {
    const parsed = Date.parse(time);
    return parsed > ZERO_TIME_SECONDS * 1000 && parsed < END_OF_TIME_SECONDS * 1000 ? parsed : undefined;
  }
  // Go writes its zero time as an empty message; hence unset seconds are not 1970.
  if (!Object.hasOwn(time, 'seconds') || time.seconds === undefined) return undefined;
  return toMoment(toNumber(time.seconds), count(time.nanos));
}

/** The same of seconds and nanoseconds. */
export function toMoment(seconds: number, nanos: number): number | undefined {
  if (!Number.isInteger(seconds) || seconds <= ZERO_TIME_SECONDS || seconds >= END_OF_TIME_SECONDS) return undefined;
  // Kubernetes writes whole seconds only; a value that is not a fraction of a second is ignored.
  return seconds * 1000 + (nanos > 0 && nanos < 1e9 ? Math.floor(nanos / 1e6) : 0);
}

export function toTargetPort(value: IntOrStringValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return shared(value);
  return toNumber(value.type) === 1 ? shared(value.strVal) : String(count(value.intVal));
}

export function toIps(
  entries: readonly { readonly ip?: string }[] | null | undefined,
  single: string | undefined,
  toText: (value: string | undefined) => string,
): readonly string[] {
  const found: string[] = [];
  for (const entry of list(entries)) {
    const ip = toText(entry?.ip);
    if (ip !== '') found.push(ip);
  }
  if (found.length > 0) return found;
  const only = toText(single);
  return only === '' ? NO_TEXTS : [only];
}

export function toTexts(values: readonly string[] | null | undefined, single: string | undefined): readonly string[] {
  const many = list(values);
  if (many.length > 0) return many.filter((value) => typeof value === 'string');
  const only = text(single);
  return only === '' ? NO_TEXTS : [only];
}

/** A copy without the values that are not text. Keys need no interning: V8 keeps property names once. */
export function toStringMap(source: Readonly<Record<string, string>> | null | undefined): StringMap {
  if (source === null || typeof source !== 'object') return NO_STRINGS;
  let map: Record<string, string> | undefined;
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (typeof value !== 'string') continue;
    map ??= {};
    // An assignment would set the prototype instead.
    if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true });
    else map[key] = intern(value);
  }
  return map ?? NO_STRINGS;
}

/** For text that is an object's own. */
export function text(value: string | null | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** For text that many objects have in common. */
export function shared(value: string | null | undefined): string {
  return typeof value === 'string' ? intern(value) : '';
}

/** 0 for anything that is not a port: a negative one could not even be encoded. */
export function toPort(value: number | undefined): number {
  const port = count(value);
  return Number.isInteger(port) && port > 0 && port <= MAX_PORT ? port : 0;
}

function count(value: number | undefined): number {
  return typeof value === 'number' ? value : 0;
}

export function list<T>(values: readonly T[] | null | undefined): readonly T[] {
  return Array.isArray(values) ? values : [];
}

/** NaN when it is not a number. */
function toNumber(value: Int64 | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value?.toNumber === 'function' ? value.toNumber() : Number.NaN;
}

export function isSet(value: string): boolean {
  return value !== '';
}

export const NOTHING: Readonly<Record<string, never>> = Object.freeze({});
export const NO_STRINGS: StringMap = Object.freeze({});
export const NO_TEXTS: readonly string[] = Object.freeze([]);
