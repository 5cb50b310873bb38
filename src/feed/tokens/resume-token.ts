// The resume token: opaque to consumers, who store it beside their copy and hand it back.
//
//   form 1 byte · CRC-32 of the rest · projection 8 bytes · epoch 16 bytes · issued, cursor, floor, held, followed · number of sources
//   if there are any: which sources they are 8 bytes · per source, in the order of their ids: a moment, and another one
//   if its first says so
//   then the cluster: length of its uid, uid · length of its name, name; a uid of the usual form has 16 bytes
//   a moment: version and two bits (another one follows; the digest is 0, as that of no records at all) · digest 7 bytes
//
// Numbers without a size are varints: seven bits a byte, lowest first. Which sources is a hash of all their names,
// because another process continues only with the same ones. So a token takes 50 to 60 bytes, and 11 for each source at
// one moment with a version of eight digits; 12 sources: 190 bytes, and up to 4 with timelines; 16 more with the uid of
// the cluster, and its name.
//
// The checksum is there to tell a token from bytes that never were one, not against forgery: a forged token gets
// nothing that an empty one would not. Cursor, floor and held mean something in their own process only; the sources let
// another replica continue. A token of another form (of an older or newer version of this service) is known by its
// checksum, which stands in the same place in all of them: it is not refused, but starts over.

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type ClusterIdentity, UNKNOWN_CLUSTER } from '../../model/cluster-identity.ts';

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

export interface ResumeToken {
  /** 8 bytes, see `reading/projection.ts`: what the consumer sees, and in which form. */
  readonly projection: Uint8Array;
  /** 16 bytes: the process whose sequences these are. */
  readonly epoch: Uint8Array;
  /** When it was made: ms since the epoch by the clock of the process that made it. */
  readonly issuedMs: number;
  /** Everything up to this sequence was passed. */
  readonly cursor: number;
  /** See `reading/projection.ts`. */
  readonly floor: number;
  /** See `reading/projection.ts`. */
  readonly held: number;
  /**
   * Of a consumer of timelines: how long the process that made it had followed the cluster without a break, ms; 0: it
   * does not now, the consumer is behind, or the token is for no timelines.
   */
  readonly followedForMs: number;
  /** The consumer has the timelines of all the entities that it has. */
  readonly isSettled: boolean;
  /** None: only its own process can continue. */
  readonly sources: TokenSources;
  /** Whose entities they are, as far as was known. */
  readonly cluster: ClusterIdentity;
}

/**
 * The contract's bound: room for what 16 namespaces watched one by one have in sources, each between two moments.
 * Sources that would exceed it are left out: the token then works in its own process only.
 */
export const MAX_TOKEN_BYTES = 4096;

export const NO_SOURCES: TokenSources = Object.freeze({ set: '', ranges: Object.freeze([]) });

/** 1 had sources by name, and numbers of fixed length; 2 had no cluster, 3 did not say since when it was followed. */
const FORM = 4;
const CHECKSUM_AT = 1;
const PROJECTION_AT = 5;
const EPOCH_AT = 13;
const NUMBERS_AT = 29;
const SET_BYTES = 8;
const DIGEST_BYTES = 7;
/** Of a 64-bit number and the two bits. */
const MAX_VARINT_BYTES = 10;
const MAX_VERSION = 2n ** 64n - 1n;

const HAS_HIGH = 1;
const HAS_NO_RECORDS = 2;

/** A short name for several sources, whatever they are called. */
export function sourceSet(names: Iterable<string>): string {
  const sorted = [...names].sort();
  // JSON keeps the names apart.
  return hash('sha256', JSON.stringify(sorted)).slice(0, SET_BYTES * 2);
}

export function encodeToken(token: ResumeToken): Buffer {
  const sources = encodeSources(token.sources);
  const cluster = encodeCluster(token.cluster);
  const numbers = [
    token.issuedMs,
    token.cursor,
    token.floor,
    token.held,
    token.followedForMs * 2 + (token.isSettled ? 1 : 0),
  ];
  const bytes = Buffer.allocUnsafe(
    NUMBERS_AT + numbers.length * MAX_VARINT_BYTES + sources.byteLength + cluster.byteLength,
  );
  bytes[0] = FORM;
  bytes.set(token.projection, PROJECTION_AT);
  bytes.set(token.epoch, EPOCH_AT);
  let at = NUMBERS_AT;
  for (const number of numbers) at = writeVarint(bytes, at, number);
  const fits = at + sources.byteLength + cluster.byteLength <= MAX_TOKEN_BYTES;
  const told = fits ? sources : WITHOUT_SOURCES;
  bytes.set(told, at);
  at += told.byteLength;
  bytes.set(cluster, at);
  const whole = bytes.subarray(0, at + cluster.byteLength);
  whole.writeUInt32BE(crc32(whole.subarray(PROJECTION_AT)), CHECKSUM_AT);
  return whole;
}

/** `other-form`: a token of another version of this service. `undefined`: these bytes are not a token. */
export function parseToken(given: Uint8Array): ResumeToken | 'other-form' | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.byteLength <= NUMBERS_AT || bytes.byteLength > MAX_TOKEN_BYTES) return undefined;
  if (bytes.readUInt32BE(CHECKSUM_AT) !== crc32(bytes.subarray(PROJECTION_AT))) return undefined;
  if (bytes[0] !== FORM) return 'other-form';
  const reader = new Reader(bytes, NUMBERS_AT);
  const issuedMs = reader.number();
  const [cursor, floor, held] = [reader.number(), reader.number(), reader.number()];
  const followed = reader.number();
  const sources = readSources(reader);
  const cluster = readCluster(reader);
  if (reader.isBroken || !reader.isAtEnd) return undefined;
  return {
    projection: bytes.subarray(PROJECTION_AT, EPOCH_AT),
    epoch: bytes.subarray(EPOCH_AT, NUMBERS_AT),
    issuedMs,
    cursor,
    floor,
    held,
    followedForMs: Math.floor(followed / 2),
    isSettled: followed % 2 === 1,
    sources,
    cluster,
  };
}

/** Frames that are made one after the other carry the same sources, as the same object. */
const encoded = new WeakMap<TokenSources, Buffer>();

const WITHOUT_SOURCES = Buffer.of(0);

const encodedClusters = new WeakMap<ClusterIdentity, Buffer>();

function encodeCluster(cluster: ClusterIdentity): Buffer {
  let bytes = encodedClusters.get(cluster);
  if (bytes === undefined) {
    const uid = uidBytes(cluster.uid);
    const name = Buffer.from(cluster.name);
    if (Math.max(uid.length, name.length) > MAX_CLUSTER_TEXT_BYTES) return encodeCluster(UNKNOWN_CLUSTER);
    bytes = Buffer.concat([Buffer.of(uid.length), uid, Buffer.of(name.length), name]);
    encodedClusters.set(cluster, bytes);
  }
  return bytes;
}

function readCluster(reader: Reader): ClusterIdentity {
  const [writtenUid, writtenName] = [readCounted(reader), readCounted(reader)];
  const name = writtenName.toString();
  const uid =
    writtenUid.length === UUID_BYTES
      ? writtenUid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      : writtenUid.toString();
  // There is one way to write each; bytes that are no text have none.
  if (!Buffer.from(name).equals(writtenName) || !uidBytes(uid).equals(writtenUid)) reader.isBroken = true;
  return { uid, name };
}

/** The usual form in 16 bytes; another as text, unless that has 16 too: then it counts as unknown. */
function uidBytes(uid: string): Buffer {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uid)) return Buffer.from(uid.replaceAll('-', ''), 'hex');
  const text = Buffer.from(uid);
  return text.length === UUID_BYTES ? Buffer.alloc(0) : text;
}

/** With its length, of one byte, in front. */
function readCounted(reader: Reader): Buffer {
  const length = reader.bytes(1)[0] ?? 0;
  if (length > MAX_CLUSTER_TEXT_BYTES) reader.isBroken = true;
  return reader.isBroken ? Buffer.alloc(0) : reader.bytes(length);
}

const UUID_BYTES = 16;

/** What the option allows for a name, and kube/cluster-uid.ts for a uid. */
const MAX_CLUSTER_TEXT_BYTES = 128;

/** With their number. */
function encodeSources(sources: TokenSources): Buffer {
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

function readSources(reader: Reader): TokenSources {
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

/** Returns where it ends. */
function writeVarint(bytes: Buffer, from: number, value: number | bigint): number {
  let at = from;
  if (typeof value === 'bigint') {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes[at++] = Number(rest & 0x7fn) | 0x80;
    bytes[at++] = Number(rest);
    return at;
  }
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** Reads on and on; beyond the end it gives nothing, and says so once. */
class Reader {
  isBroken = false;
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  /** So many bytes; zeros when there are fewer. */
  bytes(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (this.#at <= this.#bytes.byteLength) return this.#bytes.subarray(start, this.#at);
    this.isBroken = true;
    return Buffer.alloc(length);
  }

  /** A number that is safe. */
  number(): number {
    const value = Number(this.varint());
    if (!Number.isSafeInteger(value)) this.isBroken = true;
    return value;
  }

  varint(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.bytes(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) {
        // One way to write it: no zeros at the end.
        if (byte === 0 && index > 0) this.isBroken = true;
        return value;
      }
    }
    this.isBroken = true;
    return 0n;
  }
}
