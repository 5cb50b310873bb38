// The resume token: opaque to consumers, who store it beside their copy and hand it back.
//
//   version 1 byte · CRC-32 of the rest · projection 8 bytes · epoch 16 bytes · issued 8 bytes · cursor, floor and held,
//   8 bytes each · number of sources 1 byte · per source: id 8 bytes, low, and high unless it is the same
//   (a moment: 1 byte of length + resourceVersion, digest 8 bytes; an empty version: the same as low)
//
// All numbers are big-endian. The checksum is there to tell a token from bytes that never were one, not against forgery:
// a forged token gets nothing that an empty one would not. Cursor, floor and held mean something in their own process
// only; the sources let another replica continue. 12 sources with two versions of 19 digits each take 830 bytes.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The state of one source: its version, and what its records are, see `SourcePosition.digest`. */
export interface SourceMoment {
  readonly version: string;
  readonly digest: number;
}

/**
 * Between which moments of one source everything lies that the consumer holds: `low` and `high` are the same object or
 * equal when it holds exactly one state.
 */
export interface TokenSource {
  /** 16 hexadecimal digits, see `sourceId`. */
  readonly id: string;
  readonly low: SourceMoment;
  readonly high: SourceMoment;
}

export interface ResumeToken {
  /** 8 bytes, see `projection.ts`: what the consumer sees, and in which form. */
  readonly projection: Uint8Array;
  /** 16 bytes: the process whose sequences these are. */
  readonly epoch: Uint8Array;
  /** When it was made: ms since the epoch by the clock of the process that made it. */
  readonly issuedMs: number;
  /** Everything up to this sequence was passed. */
  readonly cursor: number;
  /** See `projection.ts`. */
  readonly floor: number;
  /** See `projection.ts`. */
  readonly held: number;
  /** Empty: only its own process can continue. */
  readonly sources: readonly TokenSource[];
}

/** The contract's bound. Sources that would exceed it are left out: the token then works in its own process only. */
export const MAX_TOKEN_BYTES = 1024;

const VERSION = 1;
const CHECKSUM_AT = 1;
const PROJECTION_AT = 5;
const EPOCH_AT = 13;
const ISSUED_AT = 29;
const CURSOR_AT = 37;
const FLOOR_AT = 45;
const HELD_AT = 53;
const COUNT_AT = 61;
const SOURCES_AT = 62;
const ID_BYTES = 8;
const DIGEST_BYTES = 8;

/** A short name for a resource, of the same length whatever it is called. */
export function sourceId(resource: string): string {
  return createHash('sha256')
    .update(resource)
    .digest('hex')
    .slice(0, ID_BYTES * 2);
}

export function encodeToken(token: ResumeToken): Buffer {
  const sources = encodeSources(token.sources);
  const fits = SOURCES_AT + sources.byteLength <= MAX_TOKEN_BYTES && token.sources.length <= 0xff;
  const bytes = Buffer.allocUnsafe(SOURCES_AT + (fits ? sources.byteLength : 0));
  bytes[0] = VERSION;
  bytes.set(token.projection, PROJECTION_AT);
  bytes.set(token.epoch, EPOCH_AT);
  bytes.writeBigUInt64BE(BigInt(token.issuedMs), ISSUED_AT);
  bytes.writeBigUInt64BE(BigInt(token.cursor), CURSOR_AT);
  bytes.writeBigUInt64BE(BigInt(token.floor), FLOOR_AT);
  bytes.writeBigUInt64BE(BigInt(token.held), HELD_AT);
  bytes[COUNT_AT] = fits ? token.sources.length : 0;
  if (fits) bytes.set(sources, SOURCES_AT);
  bytes.writeUInt32BE(crc32(bytes.subarray(PROJECTION_AT)), CHECKSUM_AT);
  return bytes;
}

/** `undefined`: these bytes are no token of this version. */
export function parseToken(given: Uint8Array): ResumeToken | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.byteLength < SOURCES_AT || bytes.byteLength > MAX_TOKEN_BYTES || bytes[0] !== VERSION) return undefined;
  if (bytes.readUInt32BE(CHECKSUM_AT) !== crc32(bytes.subarray(PROJECTION_AT))) return undefined;
  const numberAt = (offset: number): number => Number(bytes.readBigUInt64BE(offset));
  const issuedMs = numberAt(ISSUED_AT);
  const cursor = numberAt(CURSOR_AT);
  const floor = numberAt(FLOOR_AT);
  const held = numberAt(HELD_AT);
  const sources = parseSources(bytes.subarray(SOURCES_AT), bytes[COUNT_AT] ?? 0);
  if (![issuedMs, cursor, floor, held].every(Number.isSafeInteger) || sources === undefined) return undefined;
  return {
    projection: bytes.subarray(PROJECTION_AT, EPOCH_AT),
    epoch: bytes.subarray(EPOCH_AT, ISSUED_AT),
    issuedMs,
    cursor,
    floor,
    held,
    sources,
  };
}

/** Frames that are made one after the other carry the same sources, as the same array. */
const encoded = new WeakMap<readonly TokenSource[], Buffer>();

function encodeSources(sources: readonly TokenSource[]): Buffer {
  let bytes = encoded.get(sources);
  if (bytes === undefined) {
    bytes = Buffer.concat(
      sources.flatMap(({ id, low, high }) => [
        Buffer.from(id, 'hex'),
        encodeMoment(low),
        low.version === high.version && low.digest === high.digest ? Buffer.of(0) : encodeMoment(high),
      ]),
    );
    encoded.set(sources, bytes);
  }
  return bytes;
}

function encodeMoment({ version, digest }: SourceMoment): Buffer {
  const length = Buffer.byteLength(version);
  if (length === 0 || length > 0xff) throw new Error(`${version} does not fit a token: ${length} bytes, 1 to 255`);
  const bytes = Buffer.alloc(1 + length + DIGEST_BYTES);
  bytes[0] = length;
  bytes.write(version, 1);
  bytes.writeBigUInt64BE(BigInt(digest), 1 + length);
  return bytes;
}

function parseSources(bytes: Buffer, count: number): readonly TokenSource[] | undefined {
  const sources: TokenSource[] = [];
  let at = 0;
  /** `undefined`: an empty version, or the bytes are over. */
  const moment = (): SourceMoment | undefined => {
    const length = bytes[at] ?? 0;
    const start = at + 1;
    at = start + (length === 0 ? 0 : length + DIGEST_BYTES);
    if (length === 0 || at > bytes.byteLength) return undefined;
    const digest = Number(bytes.readBigUInt64BE(start + length));
    return { version: bytes.toString('utf8', start, start + length), digest };
  };
  for (let index = 0; index < count; index++) {
    const id = bytes.toString('hex', at, at + ID_BYTES);
    at += ID_BYTES;
    const low = moment();
    if (low === undefined) return undefined;
    const high = moment() ?? low;
    if (at > bytes.byteLength) return undefined;
    sources.push({ id, low, high });
  }
  return at === bytes.byteLength ? sources : undefined;
}
