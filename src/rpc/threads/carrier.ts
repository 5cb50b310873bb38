// Carries connections in a thread of its own: sockets, TLS, HTTP/2 and its flow control, and nothing else. It decides
// nothing and answers nothing. What comes is told to the main thread, and what the main thread says is done, so that a
// call has one place where it is admitted, counted and answered, whichever thread carries it.
//
// A socket is not read before the main thread has admitted its connection. Streams that the main thread has not looked at
// yet are bounded: the connections that bring more are not read until it has, and what they have sent by then is reset
// (ENHANCE_YOUR_CALM) beyond a further bound. Of the requests of a connection, as much is handed over and not taken as
// HTTP/2 has on its way for a connection anyway; then it holds the callers back.

import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';

import { ADVERTISED_HEADER_BYTES, essentialHeaders, inspectHeaders, MAX_HEADER_BYTES } from '../calls/header-checks.ts';
import { isProbePath } from '../calls/method-rules.ts';
import { takesFrames } from '../calls/stream-reset.ts';
import { checkReading, pauseReading, resumeReading, startReading } from '../socket-reading.ts';
import { describeClientCertificate } from '../tls/client-certificate.ts';
import type { TlsBytes } from '../tls/files.ts';
import { awaitFirstFlight, HandshakeTimeout } from '../tls/first-flight.ts';
import { AnswerHeaders, type Headers } from './answer-headers.ts';
import { keepAlive } from './keepalive.ts';
import { NoteReader, NoteWriter } from './packed-notes.ts';
import {
  type CarrierStart,
  CONNECTION,
  type FromCarrier,
  SEEN_STREAMS,
  STREAM,
  TO_CONNECTION,
  TO_STREAM,
  type ToCarrier,
} from './protocol.ts';
import { createTlsEnd } from './tls-end.ts';

/** Streams that the main thread has not looked at, before connections that bring more are not read. */
const MAX_UNSEEN = 1_024;
/** And before they are reset. */
const MAX_OVERRUN = 2 * MAX_UNSEEN;

/** Of the requests of one connection, handed over and not taken. */
const CREDIT_BYTES = 64 * 1024;

export type Tell = (message: FromCarrier, transfer?: ArrayBuffer[]) => void;

export class Carrier {
  readonly #start: CarrierStart;
  readonly #tell: Tell;
  readonly #net: NetServer;
  readonly #http2: Http2Server;
  readonly #tls: { readonly server: TlsServer; take(material: TlsBytes): void } | undefined;
  readonly #connections = new Map<number, CarriedSocket>();
  /** By both ends. */
  readonly #byEnds = new Map<string, CarriedSocket>();
  readonly #streams = new Map<number, CarriedCall>();
  readonly #held = new Set<CarriedSocket>();
  readonly #notes = new NoteWriter();
  readonly #headers = new AnswerHeaders();
  #isFlushPlanned = false;
  #lastId = 0;
  #unseen = 0;
  readonly #flush = (): void => {
    this.#isFlushPlanned = false;
    const notes = this.#notes.take();
    this.#tell({ notes }, [notes]);
  };

  constructor(start: CarrierStart, tell: Tell) {
    this.#start = start;
    this.#tell = tell;
    const { limits, tls } = start;
    this.#http2 = createHttp2Server({
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
      maxSessionMemory: limits.maxSessionMemoryMiB,
      settings: {
        maxConcurrentStreams: limits.maxStreamsPerConnection,
        maxHeaderListSize: ADVERTISED_HEADER_BYTES,
      },
    });
    this.#http2.on('session', (session) => this.#onSession(session));
    this.#http2.on('stream', ((stream, headers, flags, rawHeaders) =>
      this.#onStream(stream, headers, flags, rawHeaders)) satisfies RawStreamListener as never);
    this.#tls =
      tls &&
      createTlsEnd(tls, {
        accept: (socket) => this.#secured(socket),
        countFailure: (handshakeFailure) => tell({ handshakeFailure }),
        log: (level, facts, message) => tell({ log: [level, facts, message] }),
      });
    this.#tls?.server.on('tlsClientError', (_error, socket) => {
      const connection = this.#byEnds.get(endsOf(socket));
      if (connection !== undefined) this.#note(CONNECTION.unsecured, connection.id);
    });
    this.#net = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
  }

  /** Does what the main thread says. */
  take(message: ToCarrier): void {
    if ('notes' in message) this.#read(new NoteReader(message.notes), message.frames);
    else if ('beat' in message) this.#tell({ beat: message.beat });
    else if ('listen' in message) this.#listen(message.listen);
    else if ('tls' in message) this.#takeTls(message.tls, message.version);
    else this.#net.close();
  }

  #listen({ host, port, shared }: { host: string; port: number; shared: boolean }): void {
    const fail = ({ code, message }: NodeJS.ErrnoException): void => this.#tell({ notListening: { code, message } });
    this.#net.once('error', fail);
    this.#net.listen({ host, port, reusePort: shared }, () => {
      this.#net.off('error', fail);
      const bound = this.#net.address();
      if (bound === null || typeof bound === 'string') throw new Error(`not a TCP address: ${bound}`);
      this.#tell({ listening: { host: bound.address, port: bound.port } });
    });
  }

  #takeTls(material: TlsBytes, version: number): void {
    let problem: string | undefined;
    try {
      this.#tls?.take(material);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    this.#tell({ tlsTaken: version, problem });
  }

  /** Begins a note; it leaves with those of this turn. */
  #note(kind: number, id: number): NoteWriter {
    if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(this.#flush);
    }
    this.#notes.begin(kind, id);
    return this.#notes;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#connections.size >= this.#start.limits.maxSockets) {
      socket.destroy();
      this.#tell({ refusedSockets: 1 });
      return;
    }
    checkReading(socket);
    this.#lastId += 1;
    const connection: CarriedSocket = {
      id: this.#lastId,
      ends: endsOf(socket),
      socket,
      session: undefined,
      isPaused: false,
      untakenBytes: 0,
      waiting: new Set(),
    };
    this.#connections.set(connection.id, connection);
    this.#byEnds.set(connection.ends, connection);
    const note = this.#note(CONNECTION.opened, connection.id);
    // Unset when it has gone already.
    note.text(socket.remoteAddress ?? '');
    note.number(socket.remotePort ?? 0);
    note.text(socket.localAddress ?? '');
    note.number(socket.localPort ?? 0);
    const ended = (): void => void this.#note(CONNECTION.ended, connection.id);
    socket.once('end', ended).once('error', ended);
    socket.once('close', () => {
      this.#connections.delete(connection.id);
      if (this.#byEnds.get(connection.ends) === connection) this.#byEnds.delete(connection.ends);
      this.#held.delete(connection);
      this.#note(CONNECTION.closed, connection.id);
    });
  }

  #admit({ socket }: CarriedSocket): void {
    if (socket.destroyed) return;
    const handshakes = this.#tls?.server;
    if (handshakes === undefined) {
      this.#http2.emit('connection', socket);
      // Nothing has read it until now.
      startReading(socket);
      return;
    }
    awaitFirstFlight(socket, {
      begin: () => {
        if (!socket.destroyed) handshakes.emit('connection', socket);
      },
      late: () => handshakes.emit('tlsClientError', new HandshakeTimeout(), socket),
    });
  }

  #secured(socket: TLSSocket): void {
    const connection = this.#byEnds.get(endsOf(socket));
    if (connection === undefined) {
      // It has ended while TLS was agreed on.
      socket.destroy();
      return;
    }
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    const described = certificate === undefined ? '' : JSON.stringify(describeClientCertificate(certificate));
    // Names in a certificate may be any text.
    this.#note(CONNECTION.secured, connection.id).bytes(Buffer.from(described));
    socket.on('error', () => socket.destroy());
    socket.once('end', () => void this.#note(CONNECTION.ended, connection.id));
    this.#http2.emit('connection', socket);
  }

  #onSession(session: ServerHttp2Session): void {
    const connection = this.#byEnds.get(endsOf(session.socket));
    if (connection === undefined) {
      session.destroy();
      return;
    }
    connection.session = session;
    (session as SessionOfConnection)[ITS_CONNECTION] = connection;
    this.#note(CONNECTION.session, connection.id);
    const control = (): void => void this.#note(CONNECTION.control, connection.id);
    session.on('ping', control);
    session.on('remoteSettings', control);
    keepAlive(session, this.#start.limits);
  }

  #onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void {
    stream.on('error', () => undefined);
    const connection = (stream.session as SessionOfConnection | undefined)?.[ITS_CONNECTION];
    if (connection === undefined) {
      // Its session has ended already.
      stream.destroy();
      return;
    }
    if (this.#unseen >= MAX_UNSEEN) this.#hold(connection);
    if (this.#unseen >= MAX_OVERRUN && !isProbePath(headers[':path'])) {
      this.#note(CONNECTION.overrun, connection.id);
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    this.#unseen += 1;
    this.#lastId += 1;
    const id = this.#lastId;
    const call: CarriedCall = { id, stream, trailers: undefined, wantsTrailers: false };
    this.#streams.set(id, call);
    const { bytes, hasTwoAuthorizations } = inspectHeaders(rawHeaders);
    const note = this.#note(STREAM.opened, id);
    note.id(connection.id);
    note.number(flags);
    note.number(bytes);
    note.number(hasTwoAuthorizations ? 1 : 0);
    note.text(JSON.stringify(bytes > MAX_HEADER_BYTES ? essentialHeaders(headers) : headers));
    stream.on('data', (chunk: Buffer) => {
      this.#note(STREAM.data, id).bytes(chunk);
      connection.untakenBytes += chunk.length;
      if (connection.untakenBytes < CREDIT_BYTES) return;
      stream.pause();
      connection.waiting.add(stream);
    });
    stream.on('end', () => void this.#note(STREAM.end, id));
    stream.on('aborted', () => {
      this.#note(STREAM.aborted, id);
      // What is not read does not close.
      stream.resume();
    });
    stream.on('wantTrailers', () => {
      if (call.trailers === undefined) {
        call.wantsTrailers = true;
        this.#note(STREAM.wantsTrailers, id);
      } else {
        stream.sendTrailers(call.trailers);
      }
    });
    stream.on('close', () => {
      this.#streams.delete(id);
      connection.waiting.delete(stream);
      this.#note(STREAM.closed, id).number(stream.rstCode ?? 0);
    });
  }

  #hold(connection: CarriedSocket): void {
    this.#held.add(connection);
    pauseReading(connection.socket);
  }

  #read(notes: NoteReader, frames: readonly Uint8Array[]): void {
    while (notes.next()) {
      if (notes.kind === SEEN_STREAMS) this.#seen(notes.id);
      else if (notes.kind < TO_STREAM.respond) this.#readOfConnection(notes);
      else this.#readOfStream(notes, frames);
    }
  }

  #seen(streams: number): void {
    this.#unseen -= streams;
    if (this.#unseen >= MAX_UNSEEN / 2) return;
    for (const connection of this.#held) if (!connection.isPaused) resumeReading(connection.socket);
    this.#held.clear();
  }

  #readOfConnection(notes: NoteReader): void {
    const connection = this.#connections.get(notes.id);
    const hasNumber = notes.kind === TO_CONNECTION.endSession || notes.kind === TO_CONNECTION.credit;
    const number = hasNumber ? notes.number() : 0;
    // It has closed meanwhile, which the main thread is about to hear.
    if (connection === undefined) return;
    const { socket, session } = connection;
    switch (notes.kind) {
      case TO_CONNECTION.admit:
        this.#admit(connection);
        return;
      case TO_CONNECTION.destroy:
        socket.destroy();
        return;
      case TO_CONNECTION.pauseReading:
        connection.isPaused = true;
        pauseReading(socket);
        return;
      case TO_CONNECTION.resumeReading:
        connection.isPaused = false;
        if (!this.#held.has(connection)) resumeReading(socket);
        return;
      case TO_CONNECTION.retire:
        if (session === undefined) socket.destroy();
        else if (!session.closed) session.close();
        return;
      case TO_CONNECTION.endSession:
        // Without an error node takes no notice of the code.
        if (session?.destroyed === false) session.destroy(new Error('told to'), number);
        return;
      case TO_CONNECTION.credit:
        connection.untakenBytes -= number;
        if (connection.untakenBytes >= CREDIT_BYTES) return;
        for (const stream of connection.waiting) stream.resume();
        connection.waiting.clear();
        return;
      case TO_CONNECTION.endUnlessTaking:
        if (session?.destroyed === false && !takesFrames(session)) socket.destroy();
    }
  }

  #readOfStream(notes: NoteReader, frames: readonly Uint8Array[]): void {
    // All of the note is read, also of a stream that has closed.
    const call = this.#streams.get(notes.id);
    const stream = call?.stream;
    switch (notes.kind) {
      case TO_STREAM.answer: {
        const headers = this.#headers.read(notes.text());
        const bytes = notes.bytes();
        const trailers = this.#headers.read(notes.text());
        if (call === undefined || !canRespond(call.stream)) return;
        call.trailers = trailers;
        call.stream.respond(headers, WITH_TRAILERS);
        call.stream.end(bytes);
        return;
      }
      case TO_STREAM.respond: {
        const endStream = notes.number() === 1;
        const headers = this.#headers.read(notes.text());
        if (stream !== undefined && canRespond(stream))
          stream.respond(headers, endStream ? WITHOUT_MORE : WITH_TRAILERS);
        return;
      }
      case TO_STREAM.write:
        this.#write(call, notes.bytes());
        return;
      case TO_STREAM.writeFrame: {
        const frame = frames[notes.number()];
        if (frame === undefined) throw new Error('bug: a frame that did not come');
        this.#write(call, Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
        return;
      }
      case TO_STREAM.end:
        if (stream?.writable === true) stream.end();
        return;
      case TO_STREAM.trailers: {
        const trailers = this.#headers.read(notes.text());
        if (call?.wantsTrailers === true && !call.stream.destroyed && !call.stream.closed) {
          call.stream.sendTrailers(trailers);
        }
        return;
      }
      case TO_STREAM.close: {
        const code = notes.number();
        if (stream === undefined) return;
        if (!stream.closed) stream.close(code);
        // What is not read does not close.
        stream.resume();
        return;
      }
      default:
        throw new Error(`bug: no such note: ${notes.kind}`);
    }
  }

  #write(call: CarriedCall | undefined, bytes: Buffer): void {
    if (call === undefined || call.stream.destroyed || call.stream.closed || call.stream.writableEnded) return;
    call.stream.write(bytes, (error) => {
      // After an error the stream ends, which is told.
      if (error === undefined || error === null) this.#note(STREAM.taken, call.id);
    });
  }
}

interface CarriedSocket {
  readonly id: number;
  readonly ends: string;
  /** Where TLS is terminated, the one below it: they end together. */
  readonly socket: Socket;
  session: ServerHttp2Session | undefined;
  /** By the main thread. */
  isPaused: boolean;
  /** Of its requests, handed over. */
  untakenBytes: number;
  /** Streams that are not read until more was taken. */
  readonly waiting: Set<ServerHttp2Stream>;
}

interface CarriedCall {
  readonly id: number;
  readonly stream: ServerHttp2Stream;
  trailers: Headers | undefined;
  wantsTrailers: boolean;
}

const ITS_CONNECTION = Symbol('connection');
type SessionOfConnection = ServerHttp2Session & { [ITS_CONNECTION]?: CarriedSocket };

/** As node calls it; its types leave out what came last. */
type RawStreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

const WITH_TRAILERS = { waitForTrailers: true } as const;
const WITHOUT_MORE = { endStream: true } as const;

function canRespond(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed && !stream.headersSent;
}

function endsOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>): string {
  return `${socket.remoteAddress}:${socket.remotePort} ${socket.localAddress}:${socket.localPort}`;
}
