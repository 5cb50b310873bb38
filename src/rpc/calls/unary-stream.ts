// The lowest layer of a unary call of ours: it reads the one message of its request from an HTTP/2 stream and writes
// the one of its answer. To the layers above it is what grpc-js's own lowest layer is to them, and on the wire it is
// the same: headers, trailers, texts of errors and how a deadline is read (PROTOCOL-HTTP2.md).
//
// It costs half of that one (docs/decisions/unary-calls-without-grpc-js.md), because a call has one message each way:
// no queue, no decoder of streams, no promise; the answer and the end of the stream are written as one. The layers
// above see the same as ever: an answer counts as taken when HTTP/2 asks for the trailers.
//
// It looks at no bound by itself: the gate sees every byte before it does.

import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';

import type { BaseCall, RequestObserver } from './base-call.ts';
import { type CallRecord, recordOf } from './call-record.ts';
import type { CallListener, CallStatus, LowerCall } from './forwarding-call.ts';
import { HEAD_BYTES } from './message-framing.ts';
import { readTimeout } from './timeout-header.ts';

/** What an answered call ends with; the same object each time, so that its trailers are made once. */
export const ANSWERED: CallStatus = Object.freeze({ code: status.OK, details: 'OK', metadata: null });

export class UnaryStream implements LowerCall, BaseCall {
  readonly stream: ServerHttp2Stream;
  observer: RequestObserver | undefined = undefined;
  readonly #record: CallRecord;
  readonly #metadata: Metadata;
  readonly #decode: (message: Buffer) => unknown;
  readonly #turn: () => Promise<void> | undefined;
  #listener: CallListener | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #deadlineTimer: NodeJS.Timeout | undefined;
  /** What is wrong with its headers. */
  #problem: string | undefined;
  /** What has come of the request before the piece that completes it. */
  #pieces: Buffer[] | undefined;
  #isReading = false;
  #hasEnded = false;
  #hasSentHeaders = false;
  #areTrailersWanted = false;
  /** Hears that the answer was taken. */
  #onTaken: (() => void) | undefined;
  /** Of a call that ended while its answer was on the way. */
  #status: CallStatus | undefined;
  /** Nothing is to be sent any more: the status was, or the stream has closed. */
  #isOver = false;

  /**
   * `metadata`: what the caller is known by. `decode` takes the message without its prefix, and does not throw. `turn`
   * resolves when a call whose deadline has passed may end; unset: at once.
   */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    metadata: Metadata,
    decode: (message: Buffer) => unknown,
    turn: () => Promise<void> | undefined,
  ) {
    const record = recordOf(stream);
    if (record === undefined) throw new Error('bug: a call that did not pass the gate');
    this.stream = stream;
    this.#record = record;
    this.#metadata = metadata;
    this.#decode = decode;
    this.#turn = turn;
    (stream as OwnStream)[CALL] = this;
    // Each error comes with a close, which is heard.
    stream.on('error', ignore);
    stream.once('close', onClose);
    stream.on('data', onData);
    stream.on('end', onEnd);
    // What is not admitted is not read.
    stream.pause();
    this.#heedTimeout(headers);
  }

  start(listener: CallListener): void {
    if (this.#checkOver()) return;
    this.#listener = listener;
    listener.onReceiveMetadata(this.#metadata);
    // A caller that is refused is told that; else what is wrong comes before its request is looked at.
    if (this.#problem !== undefined) this.sendStatus({ ...INVALID, details: this.#problem });
  }

  startRead(): void {
    if (this.#isReading || this.#checkOver()) return;
    this.#isReading = true;
    if (this.#hasEnded) this.#listener?.onReceiveHalfClose();
    else this.stream.resume();
  }

  sendMetadata(metadata: Metadata): void {
    if (this.#hasSentHeaders || this.#checkOver()) return;
    this.#hasSentHeaders = true;
    this.stream.respond(answerHeaders(metadata), WITH_TRAILERS);
  }

  sendMessage(message: Uint8Array, callback: () => void): void {
    if (this.#checkOver()) return;
    this.sendMetadata(NO_METADATA);
    this.#onTaken = callback;
    this.stream.once('wantTrailers', onWantTrailers);
    this.stream.end(prefixed(message));
  }

  sendStatus(given: CallStatus): void {
    if (this.#checkOver()) return;
    if (!this.#hasSentHeaders) {
      this.stream.respond({ ...trailersOf(given), ...RESPONSE_HEADERS, ...headersIn(given.metadata) }, WITHOUT_BODY);
    } else if (this.#areTrailersWanted) {
      this.stream.sendTrailers(
        given === ANSWERED ? ANSWERED_TRAILERS : { ...trailersOf(given), ...headersIn(given.metadata) },
      );
    } else {
      // The answer is on its way, and this comes after it.
      this.#status ??= given;
      return;
    }
    this.#end();
  }

  getPeer(): string {
    const { socket } = this.stream.session ?? {};
    if (socket?.remoteAddress === undefined) return 'unknown';
    return socket.remotePort === undefined ? socket.remoteAddress : `${socket.remoteAddress}:${socket.remotePort}`;
  }

  getDeadline(): number {
    return this.#deadlineMs;
  }

  /** @internal */
  onData(chunk: Buffer): void {
    // It was answered already.
    if (this.#problem !== undefined) return;
    if (this.observer?.onData(this.stream, chunk) === false || this.#checkOver()) return;
    // It goes by, so that the stream of a caller that has gone can close.
    if (!this.#isReading) return;
    if (!this.#record.framing.isBetween) {
      this.#pieces ??= [];
      this.#pieces.push(chunk);
      return;
    }
    // A copy: a piece keeps all that was read from the socket with it.
    const message =
      this.#pieces === undefined
        ? Buffer.from(chunk.subarray(HEAD_BYTES))
        : Buffer.concat([...this.#pieces, chunk]).subarray(HEAD_BYTES);
    this.#pieces = undefined;
    this.#listener?.onReceiveMessage(this.#decode(message));
  }

  /** @internal */
  onEnd(): void {
    // Of a request without any bytes it comes although nothing reads the stream yet.
    this.#hasEnded = true;
    this.observer?.onEnd(this.stream);
    this.#pieces = undefined;
    if (this.#isReading && !this.#checkOver()) this.#listener?.onReceiveHalfClose();
  }

  /** @internal */
  onWantTrailers(): void {
    this.#areTrailersWanted = true;
    if (this.#status === undefined) this.#onTaken?.();
    else this.sendStatus(this.#status);
  }

  /** @internal */
  onClose(): void {
    this.#end();
  }

  /** @internal */
  tellEnd(): void {
    this.#listener?.onCancel();
  }

  #heedTimeout(headers: IncomingHttpHeaders): void {
    const timeout = readTimeout(headers);
    if (timeout === undefined) return;
    if (typeof timeout !== 'number') {
      this.#problem = timeout.problem;
      return;
    }
    this.#deadlineMs = Date.now() + timeout;
    this.#deadlineTimer = setTimeout(() => {
      // Thousands of calls may have theirs at one moment, and to end each takes as long as to answer it.
      const turn = this.#turn();
      if (turn === undefined) this.#passDeadline();
      else void turn.then(() => this.#passDeadline());
    }, timeout);
  }

  #passDeadline(): void {
    // A timer may be a little early by the clock, and why the call ended is read off its deadline.
    this.#deadlineMs = Math.min(this.#deadlineMs, Date.now());
    this.sendStatus(DEADLINE_PASSED);
  }

  /** Whether nothing can be sent any more; a stream may be gone before it says so. */
  #checkOver(): boolean {
    if (!this.#isOver && (this.stream.destroyed || this.stream.closed)) this.#end();
    return this.#isOver;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.nextTick(tellEnd, this);
    clearTimeout(this.#deadlineTimer);
    // A stream does not close before it was read.
    this.stream.resume();
  }
}

const CALL = Symbol('call');
type OwnStream = ServerHttp2Stream & { [CALL]?: UnaryStream };

// Listeners are the same functions for all streams: none is made for a call.
function onData(this: OwnStream, chunk: Buffer): void {
  this[CALL]?.onData(chunk);
}
function onEnd(this: OwnStream): void {
  this[CALL]?.onEnd();
}
function onWantTrailers(this: OwnStream): void {
  this[CALL]?.onWantTrailers();
}
function onClose(this: OwnStream): void {
  this[CALL]?.onClose();
}
function tellEnd(call: UnaryStream): void {
  call.tellEnd();
}
function ignore(): void {}

const NO_METADATA = new Metadata();
const WITH_TRAILERS = Object.freeze({ waitForTrailers: true });
const WITHOUT_BODY = Object.freeze({ endStream: true });

const INVALID = { code: status.INTERNAL, metadata: null };
const DEADLINE_PASSED: CallStatus = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded', metadata: null };

const RESPONSE_HEADERS = Object.freeze({
  [constants.HTTP2_HEADER_STATUS]: constants.HTTP_STATUS_OK,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
});

type Headers = Readonly<Record<string, number | string | string[]>>;

/** Headers of answers are those of the last one, most often. */
let lastAnswer: { readonly metadata: Metadata; readonly headers: Headers } | undefined;

function answerHeaders(metadata: Metadata): Headers {
  if (lastAnswer?.metadata !== metadata) {
    const headers = { ...RESPONSE_HEADERS, ...ENCODINGS, ...headersIn(metadata) };
    lastAnswer = { metadata, headers: Object.freeze(headers) };
  }
  return lastAnswer.headers;
}

/** In the order in which grpc-js sends them; what is taken is said by the gate. */
const ENCODINGS = { 'grpc-accept-encoding': 'identity', 'grpc-encoding': 'identity' };

function headersIn(metadata: Metadata | null | undefined): Headers | undefined {
  return metadata?.toHttp2Headers() as Headers | undefined;
}

function trailersOf({ code, details }: CallStatus): Headers {
  return { 'grpc-status': code ?? status.UNKNOWN, 'grpc-message': encodeURI(details ?? '') };
}
const ANSWERED_TRAILERS = Object.freeze(trailersOf(ANSWERED));

function prefixed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, HEAD_BYTES);
  return bytes;
}
