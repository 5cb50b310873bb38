// The sources in a resume token: which ones they are, and the moments of each that its consumer has seen.

import { hash } from 'node:crypto';
import { MAX_VARINT_BYTES, type Reader, writeVarint } from './token-bytes.ts';

/** The state of one source: its version, and what its records are, see `SourcePosition.digest`. */
export interface SourceMoment {
  readonly version: string;
  readonly digest: number;
}

/**
 * Between which moments of one source everything lies that the consumer holds: `low` and `high` are the same object or
 * equal when it holds exactly one state.
 */
export interface MomentRange {
  readonly low: SourceMoment;
  readonly high: SourceMoment;
}

export interface TokenSources {
  /** 16 hexadecimal digits, see `sourceSet`. */
  readonly set: string;
  /** Of each source of the set, in the order of their names. */
  readonly ranges: readonly MomentRange[];
}

export const NO_SOURCES: TokenSources = Object.freeze({ set: '', ranges: Object.freeze([]) });

const SET_BYTES = 8;

const DIGEST_BYTES = 7;

const MAX_VERSION = 2n ** 64n - 1n;

const HAS_HIGH = 1;

const HAS_NO_RECORDS = 2;

/** A short name for several sources, whatever they are called. */
export function sourceSet(names: Iterable<string>): string {
  const sorted = [...names].sort();
  // JSON keeps the names apart.
  return hash('sha256', JSON.stringify(sorted)).slice(0, SET_BYTES * 2);
}

/** Frames that are made one after the other carry the same sources, as the same object. */
const encoded = new WeakMap<TokenSources, Buffer>();

export const WITHOUT_SOURCES = Buffer.of(0);

/** With their number. */
export function encodeSources(sources: TokenSources): Buffer {
  let bytes = encoded.get(sources);
  if (bytes === undefined) {
    bytes = encodeRanges(sources) ?? WITHOUT_SOURCES;
    encoded.set(sources, bytes);
  }
  return bytes;
}

/** `undefined`: versions that are not numbers, which cannot be compared elsewhere either, or nothing to encode. */
function encodeRanges({ set, ranges }: TokenSources): Buffer | undefined {
  if (ranges.length === 0) return undefined;
  const momentBytes = MAX_VARINT_BYTES + DIGEST_BYTES;
  const bytes = Buffer.allocUnsafe(MAX_VARINT_BYTES + SET_BYTES + ranges.length * 2 * momentBytes);
  let at = writeVarint(bytes, 0, ranges.length);
  at += bytes.write(set, at, SET_BYTES, 'hex');
  for (const { low, high } of ranges) {
    const isOne = low.version === high.version && low.digest === high.digest;
    for (const moment of isOne ? [low] : [low, high]) {
      if (!isVersionNumber(moment.version)) return undefined;
      at = writeMoment(bytes, at, moment, !isOne && moment === low ? HAS_HIGH : 0);
    }
  }
  return bytes.subarray(0, at);
}

function writeMoment(bytes: Buffer, from: number, { version, digest }: SourceMoment, flags: number): number {
  const bits = flags | (digest === 0 ? HAS_NO_RECORDS : 0);
  // Up to 15 digits everything stays below 2^53.
  const at = writeVarint(
    bytes,
    from,
    version.length <= 15 ? Number(version) * 4 + bits : BigInt(version) * 4n + BigInt(bits),
  );
  if (digest === 0) return at;
  bytes.writeUIntBE(Math.floor(digest / 2 ** 32), at, DIGEST_BYTES - 4);
  bytes.writeUInt32BE(digest % 2 ** 32, at + DIGEST_BYTES - 4);
  return at + DIGEST_BYTES;
}

export function readSources(reader: Reader): TokenSources {
  const count = reader.number();
  if (count === 0) return NO_SOURCES;
  const set = reader.bytes(SET_BYTES).toString('hex');
  const ranges: MomentRange[] = [];
  // A wrong number runs out of bytes soon.
  for (let index = 0; index < count && !reader.isBroken; index++) {
    const low = readMoment(reader);
    ranges.push({ low: low.moment, high: low.hasHigh ? readMoment(reader).moment : low.moment });
  }
  return { set, ranges };
}

function readMoment(reader: Reader): { readonly moment: SourceMoment; readonly hasHigh: boolean } {
  const head = reader.varint();
  const hasHigh = (head & BigInt(HAS_HIGH)) !== 0n;
  const hasNoRecords = (head & BigInt(HAS_NO_RECORDS)) !== 0n;
  const version = head >> 2n;
  if (version > MAX_VERSION) reader.isBroken = true;
  if (hasNoRecords) return { moment: { version: String(version), digest: 0 }, hasHigh };
  const bytes = reader.bytes(DIGEST_BYTES);
  const digest = bytes.readUIntBE(0, DIGEST_BYTES - 4) * 2 ** 32 + bytes.readUInt32BE(DIGEST_BYTES - 4);
  // One way to write it, and below 2^53.
  if (digest === 0 || !Number.isSafeInteger(digest)) reader.isBroken = true;
  return { moment: { version: String(version), digest }, hasHigh };
}

function isVersionNumber(version: string): boolean {
  return /^(?:0|[1-9][0-9]{0,19})$/.test(version) && (version.length < 20 || BigInt(version) <= MAX_VERSION);
}
