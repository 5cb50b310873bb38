// Connections of a thread that carries them, from their acceptance until HTTP/2 has begun on them, and what the main
// thread says of them as a whole. A socket is not read before the main thread has admitted its connection; TLS begins
// in turns (`start-queue.ts`), because a handshake takes one to two ms of which all other connections of the thread
// know nothing.
//
// A connection is known by its two ends, which is all that TLS and HTTP/2 tell of the socket that they have. Of two
// with the same ends the older one is dead, and is not to pass for the newer one.

import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';

import { ADVERTISED_HEADER_BYTES } from '../calls/header-checks.ts';
import { takesFrames } from '../calls/stream-reset.ts';
import { StartQueue } from '../limits/start-queue.ts';
import { checkReading, startReading } from '../socket-reading.ts';
import { describeClientCertificate } from '../tls/client-certificate.ts';
import type { TlsBytes } from '../tls/files.ts';
import { awaitFirstFlight, HandshakeTimeout } from '../tls/first-flight.ts';
import type { CarrierNotes } from './carrier-notes.ts';
import { CarrierSocket } from './carrier-socket.ts';
import { keepAlive } from './keepalive.ts';
import type { NoteReader } from './packed-notes.ts';
import { type CarrierStart, CONNECTION, TO_CONNECTION } from './protocol.ts';
import { createTlsEnd } from './tls-end.ts';
import type { UnseenStreams } from './unseen-streams.ts';

export interface CarrierSocketsOptions extends CarrierStart {
  readonly notes: CarrierNotes;
  readonly unseen: UnseenStreams;
  /** Ids of connections and streams are counted together. */
  readonly nextId: () => number;
  readonly onHttp2: (server: Http2Server) => void;
}

export class CarrierSockets {
  readonly #options: CarrierSocketsOptions;
  readonly #http2: Http2Server;
  readonly #tls: { readonly server: TlsServer; take(material: TlsBytes): void } | undefined;
  readonly #handshakes: StartQueue;
  readonly #connections = new Map<number, CarrierSocket>();
  readonly #byEnds = new Map<string, CarrierSocket>();

  constructor(options: CarrierSocketsOptions) {
    this.#options = options;
    const { limits, tls, notes, onHttp2 } = options;
    this.#handshakes = new StartQueue({
      maxConnectionsPerSource: limits.maxSockets,
      afterReads: setImmediate,
      after: (run, ms) => void setTimeout(run, ms).unref(),
      nowMs: () => performance.now(),
    });
    this.#http2 = createHttp2Server({
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
      maxSessionMemory: limits.maxSessionMemoryMiB,
      settings: {
        maxConcurrentStreams: limits.maxStreamsPerConnection,
        maxHeaderListSize: ADVERTISED_HEADER_BYTES,
      },
    });
    this.#http2.on('session', (session) => this.#onSession(session));
    onHttp2(this.#http2);
    this.#tls =
      tls &&
      createTlsEnd(tls, {
        accept: (socket) => this.#secured(socket),
        countFailure: (handshakeFailure) => notes.tell({ handshakeFailure }),
        log: (level, facts, message) => notes.tell({ log: [level, facts, message] }),
      });
    this.#tls?.server.on('tlsClientError', (_error, socket) => {
      const connection = this.#byEnds.get(endsOf(socket));
      if (connection !== undefined) notes.note(CONNECTION.unsecured, connection.id);
    });
  }

  /** Handshakes from now on are made with these; throws when they cannot be. */
  takeTls(material: TlsBytes): void {
    this.#tls?.take(material);
  }

  accept(socket: Socket): void {
    const { limits, notes, unseen, nextId } = this.#options;
    socket.on('error', () => socket.destroy());
    if (this.#connections.size >= limits.maxSockets) {
      this.#refuse(socket);
      return;
    }
    checkReading(socket);
    const connection = new CarrierSocket(nextId(), endsOf(socket), socket);
    const { id, ends } = connection;
    this.#byEnds.get(ends)?.socket.destroy();
    this.#connections.set(id, connection);
    this.#byEnds.set(ends, connection);
    const note = notes.note(CONNECTION.opened, id);
    // Unset when it has gone already.
    note.text(socket.remoteAddress ?? '');
    note.number(socket.remotePort ?? 0);
    note.text(socket.localAddress ?? '');
    note.number(socket.localPort ?? 0);
    const ended = (): void => void notes.note(CONNECTION.ended, id);
    socket.once('end', ended).once('error', ended);
    socket.once('close', () => {
      this.#connections.delete(id);
      if (this.#byEnds.get(ends) === connection) this.#byEnds.delete(ends);
      unseen.forget(connection);
      notes.forget(connection);
      notes.note(CONNECTION.closed, id);
    });
  }

  closeAll(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }

  /** Does what the main thread says of a connection. */
  read(notes: NoteReader): void {
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
        connection.pause();
        return;
      case TO_CONNECTION.resumeReading:
        connection.resume();
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
        connection.taken(number);
        return;
      case TO_CONNECTION.endUnlessTaking:
        if (session?.destroyed === false && !takesFrames(session)) socket.destroy();
        return;
      default:
        throw new Error(`bug: no such note: ${notes.kind}`);
    }
  }

  #refuse(socket: Socket): void {
    socket.destroy();
    this.#options.notes.tell({ refusedSockets: 1 });
  }

  #admit({ socket, source }: CarrierSocket): void {
    if (socket.destroyed) return;
    const handshakes = this.#tls?.server;
    if (handshakes === undefined) {
      this.#http2.emit('connection', socket);
      // Nothing has read it until now.
      startReading(socket);
      return;
    }
    const begin = (): void => {
      if (!socket.destroyed) handshakes.emit('connection', socket);
    };
    awaitFirstFlight(socket, {
      begin: () =>
        this.#handshakes.add(source, {
          // The main thread counts new connections, and has admitted it.
          isNew: false,
          run: begin,
          drop: () => this.#refuse(socket),
        }),
      late: () => handshakes.emit('tlsClientError', new HandshakeTimeout(), socket),
    });
  }

  #secured(socket: TLSSocket): void {
    const { notes } = this.#options;
    const connection = this.#byEnds.get(endsOf(socket));
    if (connection === undefined) {
      // It has ended while TLS was agreed on.
      socket.destroy();
      return;
    }
    const { id } = connection;
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    const described = certificate === undefined ? '' : JSON.stringify(describeClientCertificate(certificate));
    // Names in a certificate may be any text.
    notes.note(CONNECTION.secured, id).bytes(Buffer.from(described));
    socket.on('error', () => socket.destroy());
    socket.once('end', () => void notes.note(CONNECTION.ended, id));
    this.#http2.emit('connection', socket);
  }

  #onSession(session: ServerHttp2Session): void {
    const { limits, notes } = this.#options;
    const connection = this.#byEnds.get(endsOf(session.socket));
    if (connection === undefined) {
      session.destroy();
      return;
    }
    connection.session = session;
    (session as CarriedSession)[ITS_CONNECTION] = connection;
    notes.note(CONNECTION.session, connection.id);
    const control = (): void => notes.noteControl(connection);
    session.on('ping', control);
    session.on('remoteSettings', control);
    keepAlive(session, limits);
  }
}

/** Unset: the session has ended. */
export function connectionOf(session: ServerHttp2Session | undefined): CarrierSocket | undefined {
  return (session as CarriedSession | undefined)?.[ITS_CONNECTION];
}

const ITS_CONNECTION = Symbol('connection');
type CarriedSession = ServerHttp2Session & { [ITS_CONNECTION]?: CarrierSocket };

function endsOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>): string {
  return `${socket.remoteAddress}:${socket.remotePort} ${socket.localAddress}:${socket.localPort}`;
}
