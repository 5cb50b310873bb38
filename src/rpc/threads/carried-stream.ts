// A call's HTTP/2 stream, and its session, as the main thread sees them when another thread carries them: they look to
// the gate and to grpc-js like node's own, as far as those look.
//
// What has been written counts as taken when the other thread's connection has taken it. A unary answer leaves as a whole:
// its handler has nothing to do when it is taken, and its place on the ledger is free when the stream has closed.

import { EventEmitter } from 'node:events';
import { constants } from 'node:http2';

import type { NoteWriter } from './packed-notes.ts';
import { TO_CONNECTION, TO_STREAM } from './protocol.ts';

/** Where notes to the thread that carries something go. */
export interface CarrierEnd {
  /** Begins a note; it leaves with those of this turn. */
  note(kind: number, id: number): NoteWriter;
  /** The number of a frame that goes along with the notes of this turn. */
  frame(prefixed: Buffer): number;
}

type Headers = Readonly<Record<string, unknown>>;

export class CarriedStream extends EventEmitter {
  readonly id: number;
  /** One message is the whole answer; to be set before it is sent. */
  answersOnce = false;
  closed = false;
  destroyed = false;
  aborted = false;
  rstCode = 0;
  writableEnded = false;
  /** Written and not taken. */
  writableLength = 0;
  readonly #session: CarriedSession;
  readonly #end: CarrierEnd;
  #isOver = false;
  #isFlowing = false;
  /** It is read, if only to be paused: from then on its end is told as soon as nothing is left before it, as node does. */
  #isRead = false;
  #isFlowPlanned = false;
  #chunks: Buffer[] = [];
  #hasEnded = false;
  #hasToldEnd = false;
  #writes: { readonly bytes: number; readonly taken: Taken }[] = [];
  #headers: Headers | undefined;
  #answer: Uint8Array | undefined;

  constructor(id: number, session: CarriedSession, end: CarrierEnd) {
    super();
    this.id = id;
    this.#session = session;
    this.#end = end;
  }

  get session(): CarriedSession | undefined {
    return this.destroyed || this.#session.destroyed ? undefined : this.#session;
  }

  pause(): this {
    this.#isFlowing = false;
    this.#isRead = true;
    if (this.#hasEnded && this.#chunks.length === 0) this.#planFlow();
    return this;
  }

  resume(): this {
    if (this.#isFlowing) return this;
    this.#isFlowing = true;
    this.#isRead = true;
    if (this.#hasEnded || this.#chunks.length > 0) this.#planFlow();
    return this;
  }

  respond(headers: Headers, options?: { readonly endStream?: boolean }): void {
    if (this.closed) return;
    if (options?.endStream === true) this.writableEnded = true;
    else if (this.answersOnce) {
      this.#headers = headers;
      return;
    }
    const note = this.#end.note(TO_STREAM.respond, this.id);
    note.number(options?.endStream === true ? 1 : 0);
    note.text(textOf(headers));
  }

  write(bytes: Uint8Array, taken: Taken): void {
    if (this.closed || this.writableEnded) return;
    if (this.answersOnce) {
      this.#answer = bytes;
      taken();
      return;
    }
    this.#end.note(TO_STREAM.write, this.id).bytes(bytes);
    this.#noteWrite(bytes.byteLength, taken);
  }

  /** A frame of the feed, which many get: it is in memory that both threads see. */
  writeFrame(prefixed: Buffer, taken: Taken): void {
    if (prefixed.byteLength < SHARED_FROM_BYTES || this.answersOnce) {
      this.write(prefixed, taken);
    } else if (!this.closed && !this.writableEnded) {
      const frame = this.#end.frame(prefixed);
      this.#end.note(TO_STREAM.writeFrame, this.id).number(frame);
      this.#noteWrite(prefixed.byteLength, taken);
    }
  }

  /** `last`: what is written before. */
  end(last?: Uint8Array): void {
    if (this.closed || this.writableEnded) return;
    if (last !== undefined) this.write(last, nothing);
    this.writableEnded = true;
    if (this.answersOnce) this.emit('wantTrailers');
    else this.#end.note(TO_STREAM.end, this.id);
  }

  sendTrailers(trailers: Headers): void {
    if (this.closed) return;
    if (!this.answersOnce) {
      this.#end.note(TO_STREAM.trailers, this.id).text(textOf(trailers));
      return;
    }
    const note = this.#end.note(TO_STREAM.answer, this.id);
    note.text(textOf(this.#headers ?? NO_HEADERS));
    note.bytes(this.#answer ?? NOTHING);
    note.text(textOf(trailers));
    this.#answer = undefined;
  }

  close(code: number = constants.NGHTTP2_NO_ERROR): void {
    if (this.closed) return;
    this.closed = true;
    this.rstCode = code;
    this.#end.note(TO_STREAM.close, this.id).number(code);
  }

  destroy(error?: Error): void {
    this.close(error === undefined ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR);
    this.destroyed = true;
  }

  /** So much of the request has come. */
  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#chunks.push(chunk);
    if (this.#isFlowing && !this.#isFlowPlanned) this.#flow();
  }

  onEnd(): void {
    this.#hasEnded = true;
    if (this.#isRead && !this.#isFlowPlanned) this.#flow();
  }

  /** The other side has reset it, or it was closed before its answer was whole. */
  onAborted(code: number): void {
    if (!this.closed) this.rstCode = code;
    this.closed = true;
    this.aborted = true;
    this.emit('aborted');
  }

  onTaken(): void {
    const write = this.#writes.shift();
    if (write === undefined) return;
    this.writableLength -= write.bytes;
    write.taken();
  }

  onWantsTrailers(): void {
    this.emit('wantTrailers');
  }

  /** Nothing is left of it where it was carried. */
  onClosed(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.closed) this.rstCode = code;
    this.closed = true;
    this.destroyed = true;
    for (const chunk of this.#chunks.splice(0)) this.#session.onTaken(chunk.length);
    this.#writes = [];
    this.emit('close');
  }

  #noteWrite(bytes: number, taken: Taken): void {
    this.writableLength += bytes;
    this.#writes.push({ bytes, taken });
  }

  #planFlow(): void {
    if (this.#isFlowPlanned) return;
    this.#isFlowPlanned = true;
    process.nextTick(() => {
      this.#isFlowPlanned = false;
      this.#flow();
    });
  }

  #flow(): void {
    while (this.#isFlowing && this.#chunks.length > 0) {
      const chunk = this.#chunks.shift() as Buffer;
      this.#session.onTaken(chunk.length);
      this.emit('data', chunk);
    }
    if (this.#chunks.length > 0 || !this.#hasEnded || this.#hasToldEnd || this.#isOver) return;
    this.#hasToldEnd = true;
    this.emit('end');
  }
}

type Taken = (error?: Error | null) => void;

const NOTHING = new Uint8Array();
const NO_HEADERS: Headers = Object.freeze({});
function nothing(): void {}

/** Of headers that do not change: the same objects for each answer. */
const knownTexts = new WeakMap<Headers, string>();

function textOf(headers: Headers): string {
  const known = knownTexts.get(headers);
  if (known !== undefined) return known;
  const text = JSON.stringify(headers);
  if (Object.isFrozen(headers)) knownTexts.set(headers, text);
  return text;
}

/** Smaller frames are copied: less than what it takes to share one. */
const SHARED_FROM_BYTES = 2_048;

/** Small against what may be handed over (`carrier.ts`), and more than a call has most often. */
const CREDIT_STEP_BYTES = 16 * 1024;

/** Both ends of a connection, under the names that a socket has for them. */
export interface CarriedEnds {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

export class CarriedSession extends EventEmitter {
  readonly socket: CarriedEnds;
  /** GOAWAY was sent. */
  closed = false;
  destroyed = false;
  readonly #connection: number;
  /** Taken, and not told yet. */
  #takenBytes = 0;
  readonly #end: CarrierEnd;

  constructor(connection: number, ends: CarriedEnds, end: CarrierEnd) {
    super();
    this.#connection = connection;
    this.socket = ends;
    this.#end = end;
  }

  /** They are what the thread that carries it begins with. */
  settings(): void {}

  close(): void {
    if (this.closed || this.destroyed) return;
    this.closed = true;
    this.#end.note(TO_CONNECTION.retire, this.#connection);
  }

  destroy(_error?: Error, code: number = constants.NGHTTP2_NO_ERROR): void {
    if (this.destroyed) return;
    this.closed = true;
    this.destroyed = true;
    this.#end.note(TO_CONNECTION.endSession, this.#connection).number(code);
  }

  /** Ends the connection when its other side does not read what is sent to it. */
  endUnlessTaking(): void {
    if (!this.destroyed) this.#end.note(TO_CONNECTION.endUnlessTaking, this.#connection);
  }

  /** So much of a request on it was taken. */
  onTaken(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes < CREDIT_STEP_BYTES || this.destroyed) return;
    this.#end.note(TO_CONNECTION.credit, this.#connection).number(this.#takenBytes);
    this.#takenBytes = 0;
  }

  onClosed(): void {
    this.closed = true;
    this.destroyed = true;
    this.emit('close');
  }
}
