// Undoes `Content-Encoding: gzip` while the bytes come in, for proxies that compress on their own and for lists.
//
// kube-apiserver ends a gzip member at each flush of a streamed list and begins the next (RFC 1952, section 2.2, allows
// any number of them), and other writers flush inside of one member. Either way, what a piece of the body completes
// comes out before the next piece is asked for, so that a quiet watch never sits on an event. A body that ends inside
// of a member, or goes on with something else behind one, is damaged; one without a byte is empty, as that of a watch
// in which nothing happened.
//
// Blocks are handed over as zlib filled them, without a copy, while a thread of the pool goes on with the same piece. A
// piece may inflate to a thousand times its size: zlib pauses when two blocks wait to be taken.

import { constants, createGunzip, type ZlibOptions } from 'node:zlib';
import { WireError } from '../wire-error.ts';

/**
 * Rejects with a WireError for data that is not gzip, and with the errors of `body`. Ends `body` when it is ended
 * early.
 */
export async function* gunzip(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflater = new Inflater();
  let isEmpty = true;
  try {
    for await (const piece of body) {
      isEmpty &&= piece.length === 0;
      inflater.write(piece);
      for (let block = await inflater.next(); block !== undefined; block = await inflater.next()) yield block;
    }
    if (isEmpty) return;
    inflater.end();
    for (let block = await inflater.next(); block !== undefined; block = await inflater.next()) yield block;
  } finally {
    inflater.close();
  }
}

/** Each costs a hand-over to a thread and back, some 50 µs; a list of 100,000 pods has 6,000 times 64 KiB. */
const BLOCK_BYTES = 256 * 1024;
/** That wait to be taken, beside the one that is being filled. */
const MAX_BLOCKS = 2;

/** Blocks are objects to the stream: it would put together what waits when it is read as bytes. */
const OPTIONS: ZlibOptions & { readonly readableObjectMode: boolean; readonly readableHighWaterMark: number } = {
  flush: constants.Z_SYNC_FLUSH,
  chunkSize: BLOCK_BYTES,
  readableObjectMode: true,
  readableHighWaterMark: MAX_BLOCKS,
};

class Inflater {
  readonly #gunzip = createGunzip(OPTIONS);
  #isDone = true;
  #isEnding = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.#gunzip.on('readable', () => this.#wake());
    this.#gunzip.on('error', (error) => this.#fail(new WireError(`a gzip body is damaged: ${error.message}`)));
    this.#gunzip.once('end', () => {
      // Before it was asked for, it means that zlib refuses to read on.
      if (this.#isEnding) this.#done();
      else this.#fail(new WireError('something else follows a gzip body'));
    });
  }

  /** The next piece; when `next` has given all of the one before. */
  write(piece: Buffer): void {
    this.#isDone = false;
    this.#gunzip.write(piece, () => this.#done());
  }

  /** No other piece. What is left is nothing, unless the body is damaged. */
  end(): void {
    this.#isDone = false;
    this.#isEnding = true;
    this.#gunzip.end();
  }

  /** A block of what is complete with this piece; `undefined`: there is no more. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const block = this.#gunzip.read() as Buffer | null;
      if (block !== null) return block;
      if (this.#isDone) {
        // That zlib refuses the rest of the piece is told right behind.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        if (this.#error === undefined) return undefined;
      }
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#gunzip.destroy();
  }

  #done(): void {
    this.#isDone = true;
    this.#wake();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }
}
