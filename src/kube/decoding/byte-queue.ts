// Bytes that came in pieces, taken out in whole elements. Copies only what spans two pieces.

/** First in, first out. Elements that lie within one piece are views of it; the rest is copied together. */
export class ByteQueue {
  #head: Buffer = EMPTY;
  #tail: Buffer[] = [];
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
    if (this.#head.length < minLength) {
      this.#head = Buffer.concat([this.#head, ...this.#tail]);
      this.#tail = [];
      this.#tailLength = 0;
    }
    return this.#head;
  }

  skip(length: number): void {
    let left = length;
    while (left > this.#head.length) {
      left -= this.#head.length;
      const next = this.#tail.shift();
      if (next === undefined) throw new RangeError(`cannot skip ${length} bytes, ${left} too many`);
      this.#tailLength -= next.length;
      this.#head = next;
    }
    this.#head = this.#head.subarray(left);
    if (this.#head.length === 0) {
      const next = this.#tail.shift();
      this.#head = next ?? EMPTY;
      this.#tailLength -= this.#head.length;
    }
  }

  /** Exactly the next `length` bytes, of which there must be that many; valid until the view is dropped. */
  take(length: number): Buffer {
    const bytes = this.peek(length).subarray(0, length);
    this.skip(length);
    return bytes;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
