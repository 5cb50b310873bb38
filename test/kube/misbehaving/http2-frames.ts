// HTTP/2 frames (RFC 9113, section 4) cut out of a byte stream and put together by hand, for what no library would
// send.

const HEADER_BYTES = 9;

export const FRAME = { data: 0, headers: 1, settings: 4, ping: 6, goAway: 7 } as const;
const ACK = 0x1;

/** Whole frames out of whatever pieces come; what is incomplete waits for the next piece. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const length = HEADER_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < length) break;
      frames.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
    return frames;
  }
}

/** The acknowledgement of a PING or of SETTINGS. */
export function isAcknowledgement(frame: Buffer): boolean {
  const type = frame[3];
  return (type === FRAME.ping || type === FRAME.settings) && ((frame[4] ?? 0) & ACK) !== 0;
}

export function isData(frame: Buffer): boolean {
  return frame[3] === FRAME.data;
}

export function goAway(lastStreamId: number, code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId, 0);
  payload.writeUInt32BE(code, 4);
  return frameOf(FRAME.goAway, 0, 0, payload);
}

/** `declaredLength` unset: what `payload` has. */
export function frameOf(
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer,
  declaredLength = payload.length,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(declaredLength, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}
