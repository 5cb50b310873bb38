// Bytes that came in pieces, taken out in whole elements. Copies an element that spans pieces, and nothing else: a
// piece is much longer than an element, so hardly any byte is moved.

/** First in, first out. Elements that lie within one piece are views of it; of others the bytes are copied together. */
export class ByteQueue {
  #head: Buffer = EMPTY;
  /** From `#next` on; those before are taken. */
  #tail: Buffer[] = [];
  #next = 0;
  #tailLength = 0;

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#head.length === 0) this.#head = piece;
    else {
      this.#tail.push(piece);
      this.#tailLength += piece.length;
    }
  }

  get length(): number {
    return this.#head.length + this.#tailLength;
  }

  /** The next bytes in one piece: at least `minLength` of them (there must be that many), perhaps more. */
  peek(minLength: number): Buffer {
    if (this.#head.length < minLength) this.#gather(minLength);
    return this.#head;
  }

  skip(length: number): void {
    let left = length;
    while (left > this.#head.length) {
      left -= this.#head.length;
      if (!this.#advance()) throw new RangeError(`cannot skip ${length} bytes, ${left} too many`);
    }
    this.#head = this.#head.subarray(left);
    if (this.#head.length === 0) this.#advance();
  }

  /** Exactly the next `length` bytes, of which there must be that many; valid until the view is dropped. */
  take(length: number): Buffer {
    const bytes = this.peek(length).subarray(0, length);
    this.skip(length);
    return bytes;
  }

  /** Makes the head `length` bytes long, out of the pieces that it takes. */
  #gather(length: number): void {
    if (this.length < length) throw new RangeError(`there are ${this.length} bytes, and ${length} are asked for`);
    const gathered = Buffer.allocUnsafe(length);
    let filled = this.#head.copy(gathered);
    while (filled < length) {
      this.#advance();
      const copied = this.#head.copy(gathered, filled);
      filled += copied;
      this.#head = this.#head.subarray(copied);
    }
    // What is left of the last piece is next again.
    if (this.#head.length > 0) {
      this.#tailLength += this.#head.length;
      if (this.#next > 0) this.#tail[--this.#next] = this.#head;
      else this.#tail.unshift(this.#head);
    }
    this.#head = gathered;
  }

  /** Goes on with the next piece; false: there is none, and the head is empty. */
  #advance(): boolean {
    const piece = this.#tail[this.#next];
    this.#head = piece ?? EMPTY;
    if (piece === undefined) return false;
    // Not kept by the place that it had.
    this.#tail[this.#next] = EMPTY;
    this.#next += 1;
    this.#tailLength -= piece.length;
    if (this.#next === this.#tail.length) {
      this.#tail = [];
      this.#next = 0;
    }
    return true;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
