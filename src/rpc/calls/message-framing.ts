// Reads along where messages begin and end in the bytes of a request, each after a flag and its length
// (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"), and what keeping the bytes costs. Keeps none of them itself.

/** What the bytes of a request have to be. */
export interface MessageRules {
  readonly maxMessageBytes: number;
  /** Any number of messages; else one. */
  readonly isStream: boolean;
}

/** What is wrong with them. */
export type FramingFault = 'too-large' | 'compressed' | 'second-message';

export class MessageFraming {
  /** Memory that the bytes take while they wait for the rest of their message, about. */
  keptBytes = 0;
  /** As the message that comes now says of itself. */
  length = 0;
  /** That have begun. */
  messages = 0;
  /** Bytes of the message that are still to come. */
  #missing = 0;
  /** How much of flag and length has come. */
  #headBytes = 0;
  #slab: ArrayBufferLike | undefined = undefined;

  /** No message is begun and not complete. */
  get isBetween(): boolean {
    return this.#missing === 0 && this.#headBytes === 0;
  }

  /** Looks at bytes before anything else does; a fault is found at its first byte. */
  take(chunk: Buffer, { maxMessageBytes, isStream }: MessageRules): FramingFault | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (this.#headBytes === 0) {
        if (this.messages > 0 && !isStream) return 'second-message';
        if (byte !== 0) return 'compressed';
        this.length = 0;
      } else {
        this.length = this.length * 256 + byte;
      }
      at += 1;
      this.#headBytes += 1;
      if (this.#headBytes < HEAD_BYTES) continue;
      if (this.length > maxMessageBytes) return 'too-large';
      this.messages += 1;
      this.#missing = this.length;
      this.#headBytes = 0;
    }
    if (this.isBetween) {
      // A complete message is a copy; of a stream, what came before is done with.
      this.keptBytes = isStream ? 0 : this.length;
      this.#slab = undefined;
    } else {
      // A piece keeps all that was read from the socket with it, and be it one byte of it.
      this.keptBytes += chunk.buffer === this.#slab ? PIECE_COST_BYTES : chunk.buffer.byteLength + PIECE_COST_BYTES;
      this.#slab = chunk.buffer;
    }
    return undefined;
  }
}

/** A flag and four bytes of length. */
export const HEAD_BYTES = 5;

/** A Buffer object, and its place in two lists. */
const PIECE_COST_BYTES = 128;
