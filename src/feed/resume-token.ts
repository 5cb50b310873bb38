// The resume token: opaque to consumers, who store it beside their copy and hand it back.
//
//   version 1 byte · CRC-32 of the rest · projection 8 bytes · epoch 16 bytes · cursor and floor, 8 bytes each ·
//   number of resources 1 byte · per resource: name, resourceVersion (each 1 byte of length + UTF-8), digest 8 bytes
//
// All numbers are big-endian. The checksum is there to tell a token from bytes that never were one, not against forgery:
// a forged token gets nothing that an empty one would not. Positions of resources let another replica continue.

import { crc32 } from 'node:zlib';

/** Where one resource's stream of changes stood; `digest` (8 bytes) identifies its state. */
export interface TokenPosition {
  readonly resource: string;
  readonly resourceVersion: string;
  readonly digest: Uint8Array;
}

export interface ResumeToken {
  /** 8 bytes, see `projection.ts`: what the consumer sees, and in which form. */
  readonly projection: Uint8Array;
  /** 16 bytes: the process whose sequences these are. */
  readonly epoch: Uint8Array;
  /** Everything up to this sequence was passed. */
  readonly cursor: number;
  /** See `projection.ts`. */
  readonly floor: number;
  readonly positions: readonly TokenPosition[];
}

/** The contract's bound. Positions that would exceed it are left out: the token then works in its own process only. */
export const MAX_TOKEN_BYTES = 1024;

const VERSION = 1;
const CHECKSUM_AT = 1;
const PROJECTION_AT = 5;
const EPOCH_AT = 13;
const CURSOR_AT = 29;
const FLOOR_AT = 37;
const COUNT_AT = 45;
const POSITIONS_AT = 46;
const DIGEST_BYTES = 8;

export function encodeToken(token: ResumeToken): Buffer {
  const positions = encodePositions(token.positions);
  const fits = POSITIONS_AT + positions.byteLength <= MAX_TOKEN_BYTES && token.positions.length <= 0xff;
  const bytes = Buffer.alloc(POSITIONS_AT + (fits ? positions.byteLength : 0));
  bytes[0] = VERSION;
  bytes.set(token.projection, PROJECTION_AT);
  bytes.set(token.epoch, EPOCH_AT);
  bytes.writeBigUInt64BE(BigInt(token.cursor), CURSOR_AT);
  bytes.writeBigUInt64BE(BigInt(token.floor), FLOOR_AT);
  if (fits) {
    bytes[COUNT_AT] = token.positions.length;
    bytes.set(positions, POSITIONS_AT);
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(PROJECTION_AT)), CHECKSUM_AT);
  return bytes;
}

/** `undefined`: these bytes are no token of this version. */
export function parseToken(given: Uint8Array): ResumeToken | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.byteLength < POSITIONS_AT || bytes.byteLength > MAX_TOKEN_BYTES || bytes[0] !== VERSION) return undefined;
  if (bytes.readUInt32BE(CHECKSUM_AT) !== crc32(bytes.subarray(PROJECTION_AT))) return undefined;
  const cursor = Number(bytes.readBigUInt64BE(CURSOR_AT));
  const floor = Number(bytes.readBigUInt64BE(FLOOR_AT));
  const positions = parsePositions(bytes.subarray(POSITIONS_AT), bytes[COUNT_AT] ?? 0);
  if (!Number.isSafeInteger(cursor) || !Number.isSafeInteger(floor) || positions === undefined) return undefined;
  return {
    projection: bytes.subarray(PROJECTION_AT, EPOCH_AT),
    epoch: bytes.subarray(EPOCH_AT, CURSOR_AT),
    cursor,
    floor,
    positions,
  };
}

function encodePositions(positions: readonly TokenPosition[]): Buffer {
  return Buffer.concat(
    positions.flatMap(({ resource, resourceVersion, digest }) => [
      shortText(resource),
      shortText(resourceVersion),
      digest.subarray(0, DIGEST_BYTES),
    ]),
  );
}

function parsePositions(bytes: Buffer, count: number): readonly TokenPosition[] | undefined {
  const positions: TokenPosition[] = [];
  let at = 0;
  const text = (): string => {
    const start = at + 1;
    at = start + (bytes[at] ?? 0);
    return bytes.toString('utf8', start, at);
  };
  for (let index = 0; index < count; index++) {
    const resource = text();
    const resourceVersion = text();
    at += DIGEST_BYTES;
    if (at > bytes.byteLength) return undefined;
    positions.push({ resource, resourceVersion, digest: bytes.subarray(at - DIGEST_BYTES, at) });
  }
  return at === bytes.byteLength ? positions : undefined;
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength > 0xff)
    throw new Error(`${text} is too long for a token: ${bytes.byteLength} bytes, at most 255`);
  return Buffer.concat([Buffer.of(bytes.byteLength), bytes]);
}
