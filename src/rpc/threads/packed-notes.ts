// What threads tell each other about connections and calls: short notes, those of one turn of an event loop packed into
// one piece of memory that is handed over, not copied. A note is its kind, then numbers, texts and bytes in an order
// that writer and reader know by the kind.
//
// Texts are headers and addresses as node gives them: one byte a character. Only for the two sides of one process:
// nothing here is checked but what could pass unseen, a text that has other characters.

/** Writes notes until they are taken. */
export class NoteWriter {
  #memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Begins a note about the connection or stream with this id; ids are counted up and never used again. */
  begin(kind: number, id: number): void {
    this.#reserve(9);
    this.#memory[this.#length] = kind;
    this.#memory.writeDoubleLE(id, this.#length + 1);
    this.#length += 9;
  }

  /** 0 to 2^32 - 1. */
  number(value: number): void {
    this.#reserve(4);
    this.#memory.writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  id(value: number): void {
    this.#reserve(8);
    this.#memory.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  text(value: string): void {
    if (OTHER_CHARACTERS.test(value)) throw new RangeError('bug: a text of more than one byte a character');
    this.number(value.length);
    this.#reserve(value.length);
    this.#memory.write(value, this.#length, 'latin1');
    this.#length += value.length;
  }

  bytes(value: Uint8Array): void {
    this.number(value.byteLength);
    this.#reserve(value.byteLength);
    this.#memory.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /** All notes so far, in memory of their own. */
  take(): ArrayBuffer {
    const taken = new ArrayBuffer(this.#length);
    new Uint8Array(taken).set(this.#memory.subarray(0, this.#length));
    this.#length = 0;
    // One large answer does not keep its room for ever.
    if (this.#memory.length > KEPT_BYTES) this.#memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#memory.length));
    larger.set(this.#memory.subarray(0, this.#length));
    this.#memory = larger;
  }
}

/** Reads them in the order in which they were written. */
export class NoteReader {
  readonly #memory: Buffer;
  #at = 0;
  /** Of the note that was begun last. */
  kind = 0;
  id = 0;

  constructor(memory: ArrayBuffer) {
    this.#memory = Buffer.from(memory);
  }

  /** Whether there is one more; reads its kind and id. */
  next(): boolean {
    if (this.#at === this.#memory.length) return false;
    this.kind = this.#memory[this.#at] ?? 0;
    this.id = this.#memory.readDoubleLE(this.#at + 1);
    this.#at += 9;
    return true;
  }

  number(): number {
    const value = this.#memory.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  readId(): number {
    const value = this.#memory.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    const length = this.number();
    this.#at += length;
    return this.#memory.toString('latin1', this.#at - length, this.#at);
  }

  /**
   * In the memory that was handed over, unless that is far more: a caller that keeps a request incomplete, or does not
   * take an answer, would keep what all calls of that turn had.
   */
  bytes(): Buffer {
    const length = this.number();
    this.#at += length;
    const bytes = this.#memory.subarray(this.#at - length, this.#at);
    if (this.#memory.length <= KEPT_WITH_BYTES || 2 * length >= this.#memory.length) return bytes;
    const own = Buffer.allocUnsafeSlow(length);
    own.set(bytes);
    return own;
  }
}

const INITIAL_BYTES = 16_384;
const KEPT_BYTES = 262_144;

const OTHER_CHARACTERS = /[\u0100-\uffff]/;

/** What a call is counted as before any of its bytes (`gate.ts`). */
const KEPT_WITH_BYTES = 16_384;
