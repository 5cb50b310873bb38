// Tells whether the first bytes of a connection are a complete ClientHello (RFC 8446, sections 4.1.2 and 5.1), so that
// TLS is given nothing that it would have to wait on: what it is given costs the work of keys at once, and that has to
// wait for its turn.
//
// Reads lengths only and judges nothing: bytes that are not a ClientHello are left for TLS to refuse, which is cheap.

/** Larger ones are TLS's to refuse: OpenSSL takes 128 KiB, clients send 0.2 to 2 KiB. */
const MAX_BYTES = 32_768;

const RECORD_HEAD_BYTES = 5;
const MESSAGE_HEAD_BYTES = 4;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/** Whether no more bytes are needed: a ClientHello is complete, or it will never be one. */
export function isFirstFlight(bytes: Buffer): boolean {
  /** Of the message, in the records so far; it may be cut into several. */
  let payload = 0;
  /** Unset: its head has not come. */
  let length: number | undefined;
  const head: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || at > MAX_BYTES) return true;
    if (bytes.length - at < RECORD_HEAD_BYTES) return false;
    const size = bytes.readUInt16BE(at + 3);
    // A record without bytes is not allowed here, and would let the loop be fed for ever.
    if (size === 0) return true;
    const from = at + RECORD_HEAD_BYTES;
    const have = Math.min(size, bytes.length - from);
    for (let index = 0; index < have && head.length < MESSAGE_HEAD_BYTES; index++) head.push(bytes[from + index] ?? 0);
    if (head.length > 0 && head[0] !== CLIENT_HELLO) return true;
    if (head.length === MESSAGE_HEAD_BYTES) {
      length = MESSAGE_HEAD_BYTES + (((head[1] ?? 0) << 16) | ((head[2] ?? 0) << 8) | (head[3] ?? 0));
      if (length > MAX_BYTES) return true;
    }
    payload += have;
    if (length !== undefined && payload >= length) return true;
    at = from + size;
  }
  return false;
}
