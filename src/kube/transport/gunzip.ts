// Undoes `Content-Encoding: gzip` while the bytes come in, for proxies that compress on their own and for lists.
//
// kube-apiserver ends a gzip member at each flush of a streamed list and begins the next (RFC 1952, section 2.2, allows
// any number of them), and other writers flush inside of one member. Either way, what a piece of the body completes
// comes out before the next piece is asked for, so that a quiet watch never sits on an event. A body that ends inside
// of a member, or goes on with something else behind one, is damaged.

import { constants, createGunzip } from 'node:zlib';
import { WireError } from '../wire-error.ts';

/**
 * Rejects with a WireError for data that is not gzip, and with the errors of `body`. Ends `body` when it is ended
 * early.
 */
export async function* gunzip(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflater = new Inflater();
  try {
    for await (const piece of body) yield* await inflater.push(piece);
    yield* await inflater.end();
  } finally {
    inflater.close();
  }
}

/**
 * A few of these are under way at a time; what one piece of a body inflates to is handed over in blocks of this size.
 */
const BLOCK_BYTES = 64 * 1024;

class Inflater {
  readonly #gunzip = createGunzip({ flush: constants.Z_SYNC_FLUSH, chunkSize: BLOCK_BYTES });
  #inflated: Buffer[] = [];
  #settle: (error?: Error) => void = () => {};

  constructor() {
    this.#gunzip.on('data', (block: Buffer) => this.#inflated.push(block));
    this.#gunzip.on('error', (error) => this.#settle(new WireError(`a gzip body is damaged: ${error.message}`)));
    // Before `end` was asked for, it means that zlib refuses to read on.
    this.#gunzip.once('end', () => this.#settle(new WireError('something else follows a gzip body')));
  }

  /** All that is complete with this piece. */
  push(piece: Buffer): Promise<readonly Buffer[]> {
    return this.#collect((done) => this.#gunzip.write(piece, () => done()));
  }

  /** The rest, which is nothing unless the body is damaged. */
  end(): Promise<readonly Buffer[]> {
    return this.#collect((done) => {
      this.#gunzip.removeAllListeners('end');
      this.#gunzip.once('end', done);
      this.#gunzip.end();
    });
  }

  close(): void {
    this.#gunzip.destroy();
  }

  async #collect(work: (done: () => void) => void): Promise<readonly Buffer[]> {
    await new Promise<void>((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      work(() => this.#settle());
    });
    const inflated = this.#inflated;
    this.#inflated = [];
    return inflated;
  }
}
