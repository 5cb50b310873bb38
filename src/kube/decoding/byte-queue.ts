// Bytes that came in pieces, taken out in whole elements. Copies an element that spans pieces, and nothing else: a
// piece is much longer than an element, so hardly any byte is moved.

/** First in, first out. Elements that lie within one piece are views of it; of others the bytes are copied together. */
export class ByteQueue {
  #head: Buffer = EMPTY;
  /** Bytes of the head that are taken. */
  #at = 0;
  /** From `#next` on; those before are taken. */
  #tail: Buffer[] = [];
  #next = 0;
  #tailLength = 0;

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#headLength === 0) {
      this.#head = piece;
      this.#at = 0;
    } else {
      this.#tail.push(piece);
      this.#tailLength += piece.length;
    }
  }

  get length(): number {
    return this.#headLength + this.#tailLength;
  }

  /** The next bytes in one piece: at least `minLength` of them (there must be that many), perhaps more. */
  peek(minLength: number): Buffer {
    if (this.#headLength < minLength) this.#gather(minLength);
    return this.#at === 0 ? this.#head : this.#head.subarray(this.#at);
  }

  /** The number in the next four bytes, big-endian, which must be there and stay. */
  peekUint32(): number {
    if (this.#headLength < 4) this.#gather(4);
    return this.#head.readUInt32BE(this.#at);
  }

  skip(length: number): void {
    if (length > this.length) throw new RangeError(`there are ${this.length} bytes, and ${length} are to be skipped`);
    let left = length;
    while (left > this.#headLength) {
      left -= this.#headLength;
      this.#advance();
    }
    this.#at += left;
    if (this.#headLength === 0) this.#advance();
  }

  /** Exactly the next `length` bytes, of which there must be that many; valid until the view is dropped. */
  take(length: number): Buffer {
    if (this.#headLength < length) this.#gather(length);
    const bytes = this.#head.subarray(this.#at, this.#at + length);
    this.skip(length);
    return bytes;
  }

  get #headLength(): number {
    return this.#head.length - this.#at;
  }

  /** Makes the head `length` bytes long, out of the pieces that it takes. */
  #gather(length: number): void {
    if (this.length < length) throw new RangeError(`there are ${this.length} bytes, and ${length} are asked for`);
    const gathered = Buffer.allocUnsafe(length);
    let filled = this.#head.copy(gathered, 0, this.#at);
    while (filled < length) {
      this.#advance();
      const copied = this.#head.copy(gathered, filled);
      filled += copied;
      this.#at = copied;
    }
    // What is left of the last piece is next again.
    if (this.#headLength > 0) {
      const rest = this.#head.subarray(this.#at);
      this.#tailLength += rest.length;
      if (this.#next > 0) this.#tail[--this.#next] = rest;
      else this.#tail.unshift(rest);
    }
    this.#head = gathered;
    this.#at = 0;
  }

  /** Goes on with the next piece, if there is one; else the head is empty. */
  #advance(): void {
    const piece = this.#tail[this.#next];
    this.#head = piece ?? EMPTY;
    this.#at = 0;
    if (piece === undefined) return;
    // Not kept by the place that it had.
    this.#tail[this.#next] = EMPTY;
    this.#next += 1;
    this.#tailLength -= piece.length;
    if (this.#next === this.#tail.length) {
      this.#tail = [];
      this.#next = 0;
    }
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
