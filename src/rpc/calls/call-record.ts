// One call from its headers until its stream has closed: where it is on the ledger, on which connection, and what has
// come of its request. Made for every HTTP/2 stream, also for those that never become a call of grpc-js.

import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

import type { CallError } from '../errors/call-error.ts';
import { TrackedConnection } from '../limits/connection-table.ts';
import { type EndReason, type Full, LedgerEntry } from '../limits/ledger.ts';
import { MessageFraming, type MessageRules } from './message-framing.ts';

/** A connection, as the calls on it need it. */
export abstract class CallConnection extends TrackedConnection {
  /** `address:10.0.0.1`, see `caller.ts`. */
  abstract readonly caller: string;
  /** Once HTTP/2 has begun. */
  abstract session: ServerHttp2Session | undefined;
  /** What hears that the connection is told to go. */
  readonly retireListeners = new Set<() => void>();
  /** Pings and settings of this second. */
  controlFrames = 0;
  /** Calls of this second that ended before it was their turn. */
  earlyEnds = 0;
  /** Of headers of this second that were above their bound, unpacked. */
  largeHeaderBytes = 0;
  /** Of requests of this second, beyond those that each may come in. */
  requestPieces = 0;

  /** Stops to read it, also where it does not read already. */
  abstract pauseReading(): void;
  abstract resumeReading(): void;
}

/** The call as the gate has it. */
export interface GatedCall {
  readonly method: string;
  /** Ends the call with an error. */
  refuse(error: unknown): void;
}

/** Ends a call for which there is no room, or no time, any more. */
export type EndCall = (record: CallRecord, phase: 'arriving' | 'leaving', reason: EndReason, full: Full) => void;

export class CallRecord extends LedgerEntry {
  readonly stream: ServerHttp2Stream;
  readonly connection: CallConnection;
  mayPause = false;
  /** What was found before grpc-js saw the call; told when it has. */
  refusal: CallError | undefined = undefined;
  /** More than one `authorization` header: two readers may take two of them. */
  hasTwoAuthorizations = false;
  /** `grpc-encoding`, as it came. */
  requestEncoding: string | undefined = undefined;
  call: GatedCall | undefined = undefined;
  rules: MessageRules | undefined = undefined;
  readonly framing = new MessageFraming();
  /** In which the request has come so far. */
  pieces = 0;
  /** They are counted where they are read, because the call has waited. */
  isCountedAtRead = false;
  isRequestComplete = false;
  /** For its turn to begin. */
  isWaiting = false;
  /** It counts as one of the streams that watch health. */
  watchesHealth = false;
  readonly #end: EndCall;

  constructor(stream: ServerHttp2Stream, connection: CallConnection, end: EndCall) {
    super();
    this.stream = stream;
    this.connection = connection;
    this.#end = end;
    (stream as RecordedStream)[RECORD] = this;
  }

  end(phase: 'arriving' | 'leaving', reason: EndReason, full: Full): void {
    this.#end(this, phase, reason, full);
  }
}

/** The record of a stream that passed the gate. */
export function recordOf(stream: ServerHttp2Stream): CallRecord | undefined {
  return (stream as RecordedStream)[RECORD];
}

/** The connection of a session that was shown to the gate. */
export function connectionOf(session: ServerHttp2Session): CallConnection | undefined {
  return (session as RecordedSession)[CONNECTION];
}

export function setConnection(session: ServerHttp2Session, connection: CallConnection): void {
  (session as RecordedSession)[CONNECTION] = connection;
}

const RECORD = Symbol('record');
const CONNECTION = Symbol('connection');

type RecordedStream = ServerHttp2Stream & { [RECORD]?: CallRecord };
type RecordedSession = ServerHttp2Session & { [CONNECTION]?: CallConnection };
