// In front of every method, ours, health and reflection alike: who calls, may it, is there room? Decided on headers
// alone; until then no byte of a request is unpacked or decoded, and nothing of the call reaches a handler. After it
// the bytes are looked at as they come: a message that is too long, compressed, or one too many ends the call at its
// first byte. Where many calls come at once, sources take turns (`fair-queue.ts`).
//
// It stands at two places. Every HTTP/2 stream passes `onStream` before grpc-js sees it and is on the ledger from there
// until it has closed, whatever becomes of it. The interceptor, outermost of all, holds the headers back from the
// handler until the caller is known.

import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';

import type { CallError } from '../errors/call-error.ts';
import {
  compressionUnsupported,
  headersTooLarge,
  messageTooLarge,
  requestEvicted,
  requestTimedOut,
  secondMessage,
  tooManyCalls,
} from '../errors/over-limits.ts';
import type { ConnectionTable } from '../limits/connection-table.ts';
import type { FairQueue } from '../limits/fair-queue.ts';
import { CarriedStream } from '../threads/carried-stream.ts';
import { baseCallOf, observeRequest, type RequestObserver } from './base-call.ts';
import { type CallConnection, CallRecord, connectionOf, type EndCall, recordOf, setConnection } from './call-record.ts';
import { type CallKeeper, GatedCall, STATUS_COST_BYTES } from './gated-call.ts';
import { ConnectionFloods, SMALL_BYTES } from './connection-floods.ts';
import type { StreamGuard } from './grpc-js-streams.ts';
import { boundTimeout, essentialHeaders, type HeaderFacts, MAX_HEADER_BYTES } from './header-checks.ts';
import { HealthWatches } from './health-watches.ts';
import type { FramingFault } from './message-framing.ts';
import { isProbePath, type MethodRules, rulesOf } from './method-rules.ts';
import { NarrowConnections } from './narrow-connections.ts';
import { resetStream, takesFrames } from './stream-reset.ts';

export interface GateOptions extends Omit<CallKeeper, 'takeHealthWatch'> {
  readonly connections: ConnectionTable<CallConnection>;
  readonly queue: FairQueue;
  /** The connection of a session that has just begun. */
  readonly findConnection: (session: ServerHttp2Session) => CallConnection | undefined;
  readonly maxHealthWatches: number;
  readonly maxStreamsPerConnection: number;
  readonly requestTimeoutMs: number;
}

/**
 * What a call costs before any of its bytes: stream, call and headers, on both sides of the VM. 10,000 calls on ten
 * connections that sent headers and nothing else took 4.6 kB of heap and 12.5 kB of resident memory each.
 */
export const CALL_COST_BYTES = 16_384;

/** What a reset gets to leave before the connection is cut. */
const RESET_GRACE_MS = 5_000;

/** What streams end with that are reset because they are too many; seen by no one. */
const ONE_OF_MANY = new Error('one of too many calls');

export class Gate implements StreamGuard, RequestObserver {
  readonly interceptor: ServerInterceptor;
  readonly #options: GateOptions;
  readonly #rules = new Map<string, MethodRules>();
  readonly #healthWatches: HealthWatches;
  readonly #floods: ConnectionFloods;
  readonly #narrow: NarrowConnections;
  readonly #endCall: EndCall;
  readonly #onClose: (this: ServerHttp2Stream) => void;
  readonly #countedPush: ServerHttp2Stream['push'];

  constructor(options: GateOptions) {
    this.#options = options;
    const { environment, queue, maxStreamsPerConnection } = options;
    this.#healthWatches = new HealthWatches(options.maxHealthWatches);
    this.#floods = new ConnectionFloods(maxStreamsPerConnection, (limit) => environment.countRefusal(limit));
    this.#narrow = new NarrowConnections(queue, maxStreamsPerConnection);
    const takeHealthWatch = (record: CallRecord): CallError | undefined => {
      const refusal = this.#healthWatches.take(record.connection.caller);
      record.watchesHealth = refusal === undefined;
      return refusal;
    };
    const keeper: CallKeeper = { ...options, takeHealthWatch };
    this.interceptor = ({ path, requestStream, responseStream }, nextCall) => {
      let rules = this.#rules.get(path);
      if (rules === undefined) {
        rules = rulesOf(path, requestStream, responseStream);
        this.#rules.set(path, rules);
      }
      const base = baseCallOf(nextCall);
      const record = base && recordOf(base.stream);
      if (base === undefined || record === undefined) throw new Error('bug: a call that did not pass the gate');
      record.rules = rules;
      record.mayPause = rules.isStream;
      observeRequest(base, this);
      if (base.stream instanceof CarriedStream) base.stream.answersOnce = rules.answers === 'once';
      // grpc-js asks for its class where it needs no more than the interface.
      return new GatedCall(nextCall, keeper, record, rules, path) as unknown as ServerInterceptingCall;
    };
    this.#endCall = (record, phase, reason, full) => {
      const { stream } = record;
      const { session } = stream;
      const destroy = (): void => record.connection.destroy();
      if (phase === 'arriving' && record.call !== undefined) {
        const error = reason === 'late' ? requestTimedOut(options.requestTimeoutMs) : requestEvicted(full);
        record.call.refuse(error);
        // Nothing of what it is told leaves while its connection is not read.
        if (session !== undefined && !takesFrames(session)) destroy();
        return;
      }
      environment.countRefusal('untaken_answers');
      resetStream(stream, RESET_GRACE_MS, destroy);
    };
    const closed = (stream: ServerHttp2Stream): void => {
      const record = recordOf(stream);
      if (record === undefined) return;
      options.ledger.close(record);
      options.connections.callClosed(record.connection);
      // Hundreds end at once where we end a connection; of one that its peer ended the listener has told before.
      if (record.connection.session?.destroyed === true) queue.noteEffort(record.connection);
      if (record.isWaiting) this.#floods.noteEarlyEnd(record.connection);
      if (record.watchesHealth) this.#healthWatches.release(record.connection.caller);
    };
    this.#onClose = function () {
      closed(this);
    };
    const isFlood = (stream: ServerHttp2Stream, chunk: unknown): boolean =>
      Buffer.isBuffer(chunk) && chunk.length < SMALL_BYTES && this.#floods.isOfPieces(recordOf(stream), 1);
    this.#countedPush = function (this: ServerHttp2Stream, chunk: unknown) {
      return isFlood(this, chunk) ? false : Readable.prototype.push.call(this, chunk);
    };
  }

  /** Streams that watch health. */
  get healthWatches(): number {
    return this.#healthWatches.count;
  }

  onSession(session: ServerHttp2Session): void {
    const connection = this.#options.findConnection(session);
    if (connection === undefined) {
      session.destroy();
      return;
    }
    setConnection(session, connection);
    // Not those that are open: of calls that are on their way there some would be refused.
    this.#narrow.add(connection);
    session.once('close', () => this.#narrow.forget(connection));
    const count = (): void => this.#floods.noteControlFrame(connection);
    session.on('ping', count);
    session.on('remoteSettings', count);
  }

  /** Begins to count anew; to be called every second. */
  endSecond(): void {
    this.#floods.endSecond();
    this.#narrow.widenForgotten();
  }

  onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    { bytes, hasTwoAuthorizations }: HeaderFacts,
    pass: (headers: IncomingHttpHeaders) => void,
  ): void {
    const { environment, ledger, connections, queue, maxBytes } = this.#options;
    const connection = stream.session === undefined ? undefined : connectionOf(stream.session as ServerHttp2Session);
    if (connection === undefined) {
      // Its session has ended already.
      stream.destroy();
      return;
    }
    const isTooLarge = bytes > MAX_HEADER_BYTES;
    if (isTooLarge && this.#floods.isOfHeaders(connection, bytes)) {
      stream.on('error', () => undefined);
      stream.destroy();
      return;
    }
    const record = new CallRecord(stream, connection, this.#endCall);
    record.hasTwoAuthorizations = hasTwoAuthorizations;
    stream.once('close', this.#onClose);
    connections.callOpened(connection);
    const mayBegin = queue.mayBegin(connection);
    const full = ledger.open(record, connection.caller, CALL_COST_BYTES + (isTooLarge ? 0 : bytes), !mayBegin);
    if (isTooLarge) record.refusal = headersTooLarge(bytes, MAX_HEADER_BYTES);
    else if (full !== undefined) record.refusal = tooManyCalls(full, maxBytes[full]);
    const encoding = headers['grpc-encoding'];
    if (typeof encoding === 'string') record.requestEncoding = encoding;
    boundTimeout(headers);
    const passed = isTooLarge ? essentialHeaders(headers) : headers;
    if (mayBegin) {
      this.#begin(record, passed, flags, pass);
      return;
    }
    // How it ends is seen by its closing; until grpc-js has it, its errors have no other listener.
    stream.on('error', () => undefined);
    if (record.refusal === undefined || isProbePath(headers[':path'])) {
      ledger.wait(record);
      record.isWaiting = true;
      // Until it begins nothing else sees what comes on it.
      if (!(stream instanceof CarriedStream)) {
        record.isCountedAtRead = true;
        stream.push = this.#countedPush;
      }
      queue.add(connection, () => {
        if (stream.closed || stream.session === undefined) {
          // Nothing has read it, and what is not read does not close.
          stream.destroy();
          return false;
        }
        ledger.begin(record);
        record.isWaiting = false;
        this.#begin(record, passed, flags, pass);
        return true;
      });
    } else {
      // One of many. To be told what is wrong would cost as much as a call that is answered.
      queue.noteRefused(connection);
      const { limit } = record.refusal.facts;
      if (limit !== undefined) environment.countRefusal(limit);
      this.#narrow.add(connection);
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // With an error of ours: node would make one with a stack for each, which took longer than all else of it.
      stream.destroy(ONE_OF_MANY);
    }
  }

  onData(stream: ServerHttp2Stream, chunk: Buffer): boolean {
    const record = recordOf(stream);
    if (record?.rules === undefined || record.call === undefined) return true;
    const isSmall = chunk.length < SMALL_BYTES && !record.isCountedAtRead;
    if (isSmall && this.#floods.isOfPieces(record, 1)) return false;
    // Refused already; what still comes is thrown away.
    if (record.phase === 'over') return false;
    const { framing } = record;
    const before = framing.keptBytes;
    const messagesBefore = framing.messages;
    const fault = framing.take(chunk, record.rules);
    const messages = framing.messages - messagesBefore;
    if (record.rules.isStream && messages > 0 && this.#floods.isOfPieces(record, isSmall ? messages - 1 : messages)) {
      return false;
    }
    if (fault !== undefined) {
      record.call.refuse(this.#errorOf(fault, record));
      return false;
    }
    const full = this.#options.ledger.grow(record, framing.keptBytes - before);
    if (full !== undefined) {
      record.call.refuse(tooManyCalls(full, this.#options.maxBytes[full]));
      return false;
    }
    return (record.phase as string) !== 'over';
  }

  onEnd(stream: ServerHttp2Stream): void {
    const record = recordOf(stream);
    if (record === undefined) return;
    record.isRequestComplete = true;
    this.#options.ledger.requestCompleted(record);
  }

  #begin(
    record: CallRecord,
    headers: IncomingHttpHeaders,
    flags: number,
    pass: (headers: IncomingHttpHeaders) => void,
  ): void {
    pass(headers);
    if (record.call !== undefined) return;
    // grpc-js has answered it: no such method, or no gRPC at all.
    this.#options.ledger.answer(record, STATUS_COST_BYTES);
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) record.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #errorOf(fault: FramingFault, record: CallRecord): CallError {
    const { call, framing, rules } = record;
    switch (fault) {
      case 'too-large':
        return messageTooLarge(framing.length, rules?.maxMessageBytes ?? 0);
      case 'compressed':
        return compressionUnsupported('compressed flag');
      case 'second-message':
        return secondMessage(call?.method ?? '');
    }
  }
}
