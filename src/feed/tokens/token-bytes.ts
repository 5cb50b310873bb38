// Numbers of a resume token in bytes: seven bits a byte, the lowest first, and one way only to write each of them.

/** Of a 64-bit number and the two bits. */
export const MAX_VARINT_BYTES = 10;

/** Returns where it ends. */
export function writeVarint(bytes: Buffer, from: number, value: number | bigint): number {
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
export class Reader {
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
