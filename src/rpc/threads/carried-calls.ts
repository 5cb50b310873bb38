// The main thread's side of one thread that carries connections: has what is told from there happen to the connections
// and streams that it stands for, and packs what is to be told. When the thread has ended, so has everything that it
// carried: nothing of it keeps its room.

import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

import type { TakeStream } from '../calls/grpc-js-streams.ts';
import type { ServedConnection } from '../served-connection.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import { CarriedConnection } from './carried-connection.ts';
import { type CarriedEnds, CarriedSession, CarriedStream, type CarrierEnd } from './carried-stream.ts';
import { NoteReader, NoteWriter } from './packed-notes.ts';
import { CONNECTION, SEEN_STREAMS, STREAM, TO_CONNECTION } from './protocol.ts';

/** What decides about connections and calls. */
export interface CarriedCallsOptions {
  readonly listener: {
    begin(connection: ServedConnection, isGone: () => boolean, admitted: () => void): void;
    noteHandshake(connection: ServedConnection): void;
    noteEnd(connection: ServedConnection): void;
    closed(connection: ServedConnection): void;
  };
  readonly onSession: (session: ServerHttp2Session) => void;
  readonly takeStream: TakeStream;
  /** A stream was reset before it was looked at. */
  readonly countOverrun: () => void;
  /** A connection is not read for a while, because so many streams wait to be looked at. */
  readonly countHeld: () => void;
  readonly send: (notes: ArrayBuffer, frames: readonly Uint8Array[]) => void;
}

/** Above what a connection may send in a second (`gate.ts`). */
const MAX_CONTROL_FRAMES = 1_000;

export class CarriedCalls implements CarrierEnd {
  readonly #options: CarriedCallsOptions;
  readonly #connections = new Map<number, CarriedConnection>();
  /** Connections whose turn to begin has not come. */
  readonly #waiting = new Set<number>();
  readonly #streams = new Map<number, CarriedStream>();
  readonly #notes = new NoteWriter();
  /** Of this turn; the same memory for all threads. */
  readonly #frames: Uint8Array[] = [];
  readonly #frameNumbers = new Map<Buffer, number>();
  #isFlushPlanned = false;
  #hasEnded = false;
  /** Headers of calls are those of the last one, most often. */
  #lastHeaders: { readonly json: string; readonly headers: IncomingHttpHeaders } = { json: '', headers: {} };

  constructor(options: CarriedCallsOptions) {
    this.#options = options;
  }

  note(kind: number, id: number): NoteWriter {
    if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(() => {
        this.#isFlushPlanned = false;
        this.#flush();
      });
    }
    this.#notes.begin(kind, id);
    return this.#notes;
  }

  frame(prefixed: Buffer): number {
    let number = this.#frameNumbers.get(prefixed);
    if (number === undefined) {
      number = this.#frames.push(sharedCopyOf(prefixed)) - 1;
      this.#frameNumbers.set(prefixed, number);
    }
    return number;
  }

  /** What the thread tells. */
  take(memory: ArrayBuffer): void {
    if (this.#hasEnded) return;
    const notes = new NoteReader(memory);
    let seen = 0;
    while (notes.next()) {
      if (notes.kind < STREAM.opened) this.#takeOfConnection(notes);
      else if (notes.kind === STREAM.opened) {
        seen += 1;
        this.#open(notes);
      } else this.#takeOfStream(notes);
    }
    if (seen > 0) this.note(SEEN_STREAMS, seen);
  }

  /** The thread has ended: all streams and connections have closed. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const stream of this.#streams.values()) {
      stream.onAborted(constants.NGHTTP2_INTERNAL_ERROR);
      stream.onClosed(constants.NGHTTP2_INTERNAL_ERROR);
    }
    this.#streams.clear();
    this.#waiting.clear();
    for (const connection of this.#connections.values()) this.#closed(connection);
    this.#connections.clear();
  }

  #flush(): void {
    const frames = this.#frames.splice(0);
    this.#frameNumbers.clear();
    const notes = this.#notes.take();
    if (!this.#hasEnded) this.#options.send(notes, frames);
  }

  #takeOfConnection(notes: NoteReader): void {
    const { id } = notes;
    if (notes.kind === CONNECTION.opened) {
      const ends: CarriedEnds = {
        remoteAddress: notes.text() || undefined,
        remotePort: notes.number() || undefined,
        localAddress: notes.text() || undefined,
        localPort: notes.number() || undefined,
      };
      const connection = new CarriedConnection(id, ends, this);
      this.#waiting.add(id);
      const isGone = (): boolean => !this.#waiting.delete(id);
      this.#options.listener.begin(connection, isGone, () => {
        this.#connections.set(id, connection);
        this.note(TO_CONNECTION.admit, id);
      });
      return;
    }
    const certificate = notes.kind === CONNECTION.secured ? notes.bytes().toString() : '';
    const controlFrames = notes.kind === CONNECTION.control ? notes.number() : 0;
    const connection = this.#connections.get(id);
    if (notes.kind === CONNECTION.overrun) this.#options.countOverrun();
    if (notes.kind === CONNECTION.held) this.#options.countHeld();
    if (connection === undefined) {
      // It was not admitted, or not yet.
      if (notes.kind === CONNECTION.closed) this.#waiting.delete(id);
      return;
    }
    // What was on its way when it was ended here has not come: another one may have its name by now.
    if (connection.isDestroyed && notes.kind !== CONNECTION.closed) return;
    switch (notes.kind) {
      case CONNECTION.unsecured:
        this.#options.listener.noteHandshake(connection);
        return;
      case CONNECTION.secured:
        this.#options.listener.noteHandshake(connection);
        if (certificate !== '') connection.certificate = JSON.parse(certificate) as ClientCertificate;
        return;
      case CONNECTION.session:
        connection.carriedSession = new CarriedSession(id, connection.ends, this);
        this.#options.onSession(connection.carriedSession as unknown as ServerHttp2Session);
        return;
      case CONNECTION.control:
        // More are not counted anyway: the connection is ended for fewer.
        for (let count = Math.min(controlFrames, MAX_CONTROL_FRAMES); count > 0; count--) {
          connection.carriedSession?.emit('ping');
        }
        return;
      case CONNECTION.ended:
        this.#options.listener.noteEnd(connection);
        return;
      case CONNECTION.closed:
        this.#connections.delete(id);
        this.#closed(connection);
    }
  }

  #closed(connection: CarriedConnection): void {
    connection.carriedSession?.onClosed();
    this.#options.listener.closed(connection);
  }

  #open(notes: NoteReader): void {
    const { id } = notes;
    const connection = this.#connections.get(notes.readId());
    const flags = notes.number();
    const bytes = notes.number();
    const hasTwoAuthorizations = notes.number() === 1;
    const json = notes.text();
    const session = connection?.carriedSession;
    // Its connection was refused or has ended: so has the stream, there or in a moment.
    if (connection === undefined || session === undefined || connection.isDestroyed || session.destroyed) return;
    if (json !== this.#lastHeaders.json) {
      this.#lastHeaders = { json, headers: JSON.parse(json) as IncomingHttpHeaders };
    }
    const stream = new CarriedStream(id, session, this);
    this.#streams.set(id, stream);
    const asNode = stream as unknown as ServerHttp2Stream;
    this.#options.takeStream(asNode, { ...this.#lastHeaders.headers }, flags, { bytes, hasTwoAuthorizations });
  }

  #takeOfStream(notes: NoteReader): void {
    const stream = this.#streams.get(notes.id);
    switch (notes.kind) {
      case STREAM.data: {
        const bytes = notes.bytes();
        stream?.onData(bytes);
        return;
      }
      case STREAM.end:
        stream?.onEnd();
        return;
      case STREAM.aborted: {
        const code = notes.number();
        stream?.onAborted(code);
        return;
      }
      case STREAM.taken:
        stream?.onTaken();
        return;
      case STREAM.wantsTrailers:
        stream?.onWantsTrailers();
        return;
      case STREAM.closed: {
        const code = notes.number();
        this.#streams.delete(notes.id);
        stream?.onClosed(code);
        return;
      }
      default:
        throw new Error(`bug: no such note: ${notes.kind}`);
    }
  }
}

/** Of frames that were handed to some thread, for as long as the frames themselves are kept. */
const sharedCopies = new WeakMap<Buffer, Uint8Array>();

function sharedCopyOf(prefixed: Buffer): Uint8Array {
  let copy = sharedCopies.get(prefixed);
  if (copy === undefined) {
    copy = new Uint8Array(new SharedArrayBuffer(prefixed.byteLength));
    copy.set(prefixed);
    sharedCopies.set(prefixed, copy);
  }
  return copy;
}
