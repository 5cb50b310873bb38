// One response body of the modelled API server: pieces of bytes that its reader takes when it comes for them.
//
// Knows two moments that sockets do not show: a piece is taken when the reader gets it, and used up when the reader
// comes for the next one.

export interface Piece {
  readonly bytes: Buffer;
  /** Never together with others in one piece. */
  readonly alone?: boolean;
  readonly onTaken?: () => void;
  readonly onUsed?: () => void;
}

export class ModelledStream implements AsyncIterable<Buffer> {
  readonly #signal: AbortSignal;
  readonly #ready: Piece[] = [];
  #held: Piece[] = [];
  #used: Piece | undefined;
  #finished = false;
  #error: unknown;
  #wake: () => void = () => {};
  #waiting = false;
  #over = false;
  /** What is sent from now on stays on the way. */
  holding = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const abandon = () => {
      this.#over = true;
      this.#wake();
    };
    signal.addEventListener('abort', abandon, { once: true });
  }

  /** It is no longer read, or there is nothing more to come. */
  get over(): boolean {
    return this.#over || this.#finished;
  }

  /** Everything that was sent was used, and the reader waits for more. */
  get drained(): boolean {
    return !this.over && this.#waiting && this.#ready.length === 0 && this.#held.length === 0;
  }

  send(piece: Piece): void {
    if (this.over) return;
    if (this.holding) this.#held.push(piece);
    else this.#ready.push(piece);
    this.#wake();
  }

  /** Lets the first of the held pieces go on, together in one where that may be. */
  release(count = Infinity): void {
    let together: Piece[] = [];
    const flush = () => {
      if (together.length > 0) this.#ready.push(joined(together));
      together = [];
    };
    for (const piece of this.#held.splice(0, count)) {
      if (piece.alone !== true) together.push(piece);
      else {
        flush();
        this.#ready.push(piece);
      }
    }
    flush();
    this.#wake();
  }

  /** A clean end behind everything that was sent. */
  finish(): void {
    this.#finished = true;
    this.#wake();
  }

  /** An end behind what is not held: cleanly, or with an error. What is held is lost. */
  cut(error?: unknown): void {
    if (this.#over || (this.#finished && this.#held.length === 0)) return;
    this.#held = [];
    this.#error = error;
    this.finish();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        this.#used?.onUsed?.();
        this.#used = undefined;
        while (this.#ready.length === 0 && !this.#signal.aborted && !(this.#finished && this.#held.length === 0)) {
          this.#waiting = true;
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        this.#waiting = false;
        this.#signal.throwIfAborted();
        const piece = this.#ready.shift();
        if (piece === undefined) {
          if (this.#error !== undefined) throw this.#error;
          return;
        }
        this.#used = piece;
        piece.onTaken?.();
        yield piece.bytes;
      }
    } finally {
      this.#over = true;
    }
  }
}

function joined(pieces: readonly Piece[]): Piece {
  return {
    bytes: Buffer.concat(pieces.map(({ bytes }) => bytes)),
    onTaken: () => {
      for (const piece of pieces) piece.onTaken?.();
    },
    onUsed: () => {
      for (const piece of pieces) piece.onUsed?.();
    },
  };
}
