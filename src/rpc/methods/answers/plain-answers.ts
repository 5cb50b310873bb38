// Answers that are kept ready: of an address with a plain holder (`addresses/plain-holders.ts`) the fields that tell of
// it, encoded, for the basic view. To find them costs one look in a table; to put the same together anew takes twenty
// places in memory, most of which no cache of the processor has.
//
// Never an answer that is out of date: what is kept of an address is dropped in the very step in which something about
// it or its holder changes, before anything can be asked. What changes with time, with the health of the watches or in
// another object (how far back history reaches, staleness, the workload) is not kept but looked at for every question.
//
// Bounded: so many answers, none longer than a kilobyte; where two want one place the newer has it, so that what is
// asked often comes back. Addresses that are not asked about cost nothing.

import type { AddressQuestion, PlainHolder, PlainMoment, PlainReader } from '../../../addresses/reader.ts';
import type { ByteString } from '../../../model/byte-string.ts';
import type { ObjectReference } from '../../../model/entities.ts';

export interface PlainAnswer {
  /** Canonical. */
  readonly address: string;
  /** Fields of `digger.v1.Resolution` up to the target. */
  readonly fields: ByteString;
  /** `undefined`: none, or none that is published. */
  readonly workload: ObjectReference | undefined;
  readonly sinceMs: number;
  readonly cutAtMs: number;
}

/** Encodes the fields of an answer; `undefined`: it is not to be kept. */
export type EncodePlain = (address: string, holder: PlainHolder) => PlainAnswer | undefined;

/** 14 MB of answers that are as long as most: 300 bytes of them, and 130 around them. */
export const MAX_PLAIN_ANSWERS = 32_768;

/** Longer ones are of services with very many ports. */
const MAX_FIELD_BYTES = 1_024;

/** A key has this many places to be at: their keys are one line of a processor's cache. */
const WAYS = 8;

export class PlainAnswers {
  readonly #reader: PlainReader;
  readonly #encode: EncodePlain;
  /** By place, as large as they ever are once they are needed. NaN: the place is free. */
  #keys = new Float64Array(0);
  #answers: (PlainAnswer | undefined)[] = [];
  #bytes = 0;
  #count = 0;
  #turn = 0;

  constructor(reader: PlainReader, encode: EncodePlain) {
    this.#reader = reader;
    this.#encode = encode;
    reader.onChange((address) => this.#clear(this.#placeOf(address)));
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the answers that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** For all questions that are answered now. */
  moment(): PlainMoment {
    return this.#reader.moment();
  }

  /** The answer about the address in these bytes, of which this is the key. */
  find(bytes: Uint8Array, from: number, to: number, key: number): PlainAnswer | undefined {
    if (this.#count === 0) return undefined;
    const keys = this.#keys;
    const first = firstPlaceOf(key);
    for (let place = first; place < first + WAYS; place += 1) {
      if (keys[place] !== key) continue;
      const answer = this.#answers[place];
      if (key <= MAX_IPV4 || (answer !== undefined && isAt(bytes, from, to, answer.address))) return answer;
    }
    return undefined;
  }

  /** The answer about the (canonical) address. */
  get(address: string): PlainAnswer | undefined {
    return this.#answers[this.#placeOf(address)];
  }

  /** Keeps the answer about the (canonical) address, if there is one of this kind. */
  keep(address: string): void {
    const holder = this.#reader.of(address);
    if (holder === undefined) return;
    const answer = this.#encode(address, holder);
    if (answer === undefined || answer.fields.length > MAX_FIELD_BYTES) return;
    if (this.#answers.length === 0) {
      this.#keys = new Float64Array(MAX_PLAIN_ANSWERS).fill(Number.NaN);
      this.#answers = Array.from({ length: MAX_PLAIN_ANSWERS });
    }
    const key = keyOf(address);
    const first = firstPlaceOf(key);
    let place = this.#placeOf(address);
    for (let at = first; place === -1 && at < first + WAYS; at += 1) if (this.#answers[at] === undefined) place = at;
    if (place === -1) {
      this.#turn = (this.#turn + 1) % WAYS;
      place = first + this.#turn;
    }
    this.#clear(place);
    this.#keys[place] = key;
    this.#answers[place] = answer;
    this.#count += 1;
    this.#bytes += answer.fields.length;
  }

  /** -1: it is not kept. */
  #placeOf(address: string): number {
    if (this.#count === 0) return -1;
    const key = keyOf(address);
    const first = firstPlaceOf(key);
    for (let place = first; place < first + WAYS; place += 1) {
      if (this.#keys[place] === key && this.#answers[place]?.address === address) return place;
    }
    return -1;
  }

  #clear(place: number): void {
    const answer = this.#answers[place];
    if (answer === undefined) return;
    this.#keys[place] = Number.NaN;
    this.#answers[place] = undefined;
    this.#count -= 1;
    this.#bytes -= answer.fields.length;
  }
}

/** Whether a kept answer is the answer at this moment; see `AddressQuestion`. Any port may be asked for. */
export function holdsAt(answer: PlainAnswer, atMs: AddressQuestion['atMs'], moment: PlainMoment): boolean {
  const { nowMs, historySinceMs, afterMs, beforeMs } = moment;
  const askedMs = Math.floor(atMs === undefined ? nowMs : Math.min(atMs, nowMs));
  // An answer says how far back history reaches; where that is not as far as elsewhere, it is not from here.
  if (answer.cutAtMs > historySinceMs) return false;
  if (askedMs < answer.sinceMs || askedMs <= afterMs || askedMs >= beforeMs) return false;
  return atMs === undefined || askedMs >= historySinceMs;
}

/**
 * Of the text in these bytes: an IPv4 address in its canonical form is its number, which no other text has; of any
 * other text it is a hash above those. `undefined`: the text is not ASCII.
 */
export function addressKey(bytes: Uint8Array, from: number, to: number): number | undefined {
  let hash = FNV_OFFSET;
  let bits = 0;
  let part = -1;
  let dots = 0;
  let isIpv4 = true;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
    if (byte === DOT) {
      if (part === -1) isIpv4 = false;
      bits = bits * 256 + part;
      part = -1;
      dots += 1;
    } else if (byte < ZERO || byte > NINE || part === 0) isIpv4 = false;
    else {
      part = (part === -1 ? 0 : part * 10) + byte - ZERO;
      if (part > 255) isIpv4 = false;
    }
  }
  return isIpv4 && dots === 3 && part !== -1 ? bits * 256 + part : HASH_MARK + (hash >>> 0);
}

const scratch = Buffer.alloc(64);

/** The same of a canonical address. */
function keyOf(address: string): number {
  // An address has up to 45 characters.
  const length = scratch.write(address, 0, 'latin1');
  return addressKey(scratch, 0, length) ?? HASH_MARK;
}

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const MAX_IPV4 = 2 ** 32 - 1;
const HASH_MARK = 2 ** 32;

/** http://www.isthe.com/chongo/tech/comp/fnv/: 32 bits. */
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** The first of those of a key, by its product with the golden ratio: neighbours come to lie far from each other. */
function firstPlaceOf(key: number): number {
  return (Math.imul(key | 0, 0x9e3779b1) >>> SET_SHIFT) * WAYS;
}

/** Leaves the highest bits, as many as number the sets of places. */
const SET_SHIFT = 32 - Math.log2(MAX_PLAIN_ANSWERS / WAYS);

function isAt(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let at = from; at < to; at += 1) if (bytes[at] !== text.charCodeAt(at - from)) return false;
  return true;
}
