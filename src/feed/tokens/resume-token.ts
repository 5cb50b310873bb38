// The resume token: opaque to consumers, who store it beside their copy and hand it back.
//
//   form 1 byte · CRC-32 of the rest · projection 8 bytes · epoch 16 bytes · issued, cursor, floor, held, followed
//   number of sources
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

import { crc32 } from 'node:zlib';
import { type ClusterIdentity, UNKNOWN_CLUSTER } from '../../model/cluster-identity.ts';
import { MAX_VARINT_BYTES, Reader, writeVarint } from './token-bytes.ts';
import { type TokenSources, WITHOUT_SOURCES, encodeSources, readSources } from './token-sources.ts';

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

/** 1 had sources by name, and numbers of fixed length; 2 had no cluster, 3 did not say since when it was followed. */
const FORM = 4;

const CHECKSUM_AT = 1;

const PROJECTION_AT = 5;

const EPOCH_AT = 13;

const NUMBERS_AT = 29;

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
