// Accepts connections and hands them to a grpc-js server.
//
// We accept them ourselves because only a destroyed socket surely ends a stream that is stalled by flow control:
// grpc-js has no way to close it, and its own shutdown waits for it for ever. It also makes the number of connections,
// their share and their age bounds of ours (`limits/connection-table.ts`). TLS ends here too: grpc-js gets connections
// on which it is agreed (docs/decisions/own-tls-server.md).
//
// Each step of a connection's beginning (its place on the table with its session of HTTP/2 or, when a ClientHello has
// come, its handshake) waits for its turn (`limits/start-queue.ts`). HTTP/2 itself is never given bytes that were read
// before: it would look at all of their calls without anything in between.
//
// A connection is known by its peer's address and port, which is how calls name theirs. Two at a time under one name (a
// peer may be connected to two addresses of this machine from one port) are refused, because one could pass for the
// other.

import type { ServerHttp2Session } from 'node:http2';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';

import type { Server, ServerCredentials } from '@grpc/grpc-js';

import type { ListenAddress } from '../model/ip/listen-address.ts';
import type { CallConnection } from './calls/call-record.ts';
import { callerAt, sourceOf } from './limits/caller.ts';
import type { ConnectionTable } from './limits/connection-table.ts';
import type { FairQueue } from './limits/fair-queue.ts';
import type { StartQueue } from './limits/start-queue.ts';
import { awaitFirstFlight, HandshakeTimeout } from './tls/first-flight.ts';
import { type ClientCertificate, describeClientCertificate } from './tls/client-certificate.ts';
import type { RpcMetrics } from './metrics.ts';
import { ServedConnection } from './served-connection.ts';
import { checkReading, pauseReading, resumeReading, startReading } from './socket-reading.ts';
import { createTlsServer, type TlsTermination } from './tls/termination.ts';

export interface ListenerOptions {
  readonly server: Server;
  /** Of connections as grpc-js gets them: plaintext where TLS is terminated here. */
  readonly credentials: ServerCredentials;
  readonly table: ConnectionTable<CallConnection>;
  /** Hears of connections that have closed. */
  readonly queue: FairQueue;
  readonly starts: StartQueue;
  readonly metrics: RpcMetrics;
  /** Unset: connections are plaintext. */
  readonly tls: TlsTermination | undefined;
}

export class Listener {
  readonly #net: NetServer;
  readonly #table: ConnectionTable<CallConnection>;
  readonly #queue: FairQueue;
  readonly #starts: StartQueue;
  readonly #metrics: RpcMetrics;
  /** By `address:port` of the peer, as grpc-js names it. */
  readonly #connections = new Map<string, ServedConnection>();
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  #onEmpty: (() => void) | undefined;
  /** Clients are told to go. */
  #isClosing = false;

  constructor({ server, credentials, table, queue, starts, metrics, tls }: ListenerOptions) {
    this.#table = table;
    this.#queue = queue;
    this.#starts = starts;
    this.#metrics = metrics;
    this.#injector = server.createConnectionInjector(credentials);
    const handshakes = tls && this.#createTlsServer(tls);
    const open = (socket: Socket): void => {
      if (socket.destroyed) return;
      const connection = this.#accept(socket);
      if (connection === undefined) return;
      if (handshakes === undefined) {
        this.#injector.injectConnection(socket);
        // Nothing has read it until now.
        startReading(socket);
        return;
      }
      awaitFirstFlight(socket, {
        begin: () =>
          this.#plan(connection.source, socket, false, () => {
            if (!socket.destroyed) handshakes.emit('connection', socket);
          }),
        late: () => handshakes.emit('tlsClientError', new HandshakeTimeout(), socket),
      });
    };
    this.#net = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      // Errors of a connection end it, nothing else: http2 reports them to its streams.
      socket.on('error', () => socket.destroy());
      this.#plan(sourceOf(socket.remoteAddress ?? 'unknown'), socket, true, () => open(socket));
    });
  }

  /** Starts to accept; the address that was bound. Rejects with the error of the socket (EADDRINUSE, EACCES). */
  listen({ host, port }: ListenAddress): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ host, port }, () => {
        this.#net.off('error', reject);
        const bound = this.#net.address();
        if (bound === null || typeof bound === 'string') throw new Error(`not a TCP address: ${bound}`);
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /** Ends the connection of a peer at once, with everything on it. `peer` as `call.getPeer()` gives it. */
  disconnect(peer: string): boolean {
    const connection = this.#connections.get(peer);
    connection?.destroy();
    return connection !== undefined;
  }

  /** The certificate that a peer showed and the client CA vouches for. `peer` as `call.getPeer()` gives it. */
  certificateOf(peer: string): ClientCertificate | undefined {
    return this.#connections.get(peer)?.certificate;
  }

  /** The connection of a session that has just begun. */
  connectionOf(session: ServerHttp2Session): CallConnection | undefined {
    const connection = this.#connections.get(peerName(session.socket));
    if (connection !== undefined) connection.session = session;
    if (this.#isClosing) session.close();
    return connection;
  }

  /** No new connections of this thread. */
  stopListening(): void {
    this.#net.close();
  }

  /** No new connections; those that are open stay. */
  stopAccepting(): void {
    this.stopListening();
    this.#starts.dropAll();
  }

  /**
   * Tells every client to go (GOAWAY), and resolves when all connections have ended: as soon as their calls have, and
   * at the latest when the signal aborts, which ends them whatever they do.
   */
  async closeConnections(signal: AbortSignal): Promise<void> {
    this.#isClosing = true;
    this.#injector.destroy();
    for (const { session } of this.#connections.values()) session?.close();
    if (this.#connections.size === 0) return;
    const destroyAll = (): void => {
      for (const connection of this.#connections.values()) connection.destroy();
    };
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      signal.addEventListener('abort', destroyAll);
      if (signal.aborted) destroyAll();
    });
    signal.removeEventListener('abort', destroyAll);
  }

  /**
   * Lets a connection of another thread begin when it is its turn; `admitted`: it may stay, and is known until
   * `closed`. Otherwise it is destroyed.
   */
  begin(connection: ServedConnection, isGone: () => boolean, admitted: () => void): void {
    const drop = (): void => {
      this.#metrics.connectionsRefused.inc();
      connection.destroy();
    };
    const run = (): void => {
      if (!isGone() && this.#admit(connection)) admitted();
    };
    this.#starts.add(connection.source, { isNew: true, run, drop });
  }

  /** A connection that was admitted has closed. */
  closed(connection: ServedConnection): void {
    this.#metrics.connections.dec();
    this.#table.remove(connection);
    this.#queue.forget(connection);
    const { peerName } = connection;
    if (this.#connections.get(peerName) === connection) this.#connections.delete(peerName);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /**
   * The other side of a connection has ended it. It ends with all of its calls once this turn has read what there is to
   * read, together with every other connection that was found to have ended: so when they are many, others of their
   * source are not looked at before the next turn.
   */
  noteEnd(connection: ServedConnection): void {
    if (connection.hasEnded) return;
    connection.hasEnded = true;
    this.#queue.noteEffort(connection, END_EFFORT + connection.openCalls);
  }

  /** TLS was agreed on, or was not, on a connection: that took time. */
  noteHandshake(connection: ServedConnection): void {
    this.#queue.noteEffort(connection, HANDSHAKE_EFFORT);
  }

  /** Has a step of a connection taken when it is its turn; without room for it the connection is refused. */
  #plan(source: string, socket: Socket, isNew: boolean, run: () => void): void {
    const drop = (): void => {
      this.#metrics.connectionsRefused.inc();
      socket.destroy();
    };
    this.#starts.add(source, { isNew, run, drop });
  }

  /** TLS for connections that are handed to it by `connection`; what it has agreed on goes to grpc-js. */
  #createTlsServer(tls: TlsTermination): TlsServer {
    const server = createTlsServer(tls, (socket) => {
      const connection = this.#connections.get(peerName(socket));
      if (connection === undefined) {
        // It has ended while TLS was agreed on.
        socket.destroy();
        return;
      }
      this.noteHandshake(connection);
      socket.on('error', () => socket.destroy());
      socket.once('end', () => this.noteEnd(connection));
      const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
      if (certificate !== undefined) connection.certificate = describeClientCertificate(certificate);
      this.#injector.injectConnection(socket);
    });
    server.on('tlsClientError', (_error, socket) => {
      const connection = this.#connections.get(peerName(socket));
      if (connection !== undefined) this.noteHandshake(connection);
    });
    return server;
  }

  /** Notes a connection of this thread; unset: it was refused and destroyed. */
  #accept(socket: Socket): Connection | undefined {
    const connection = new Connection(socket);
    if (!this.#admit(connection)) return undefined;
    socket.once('end', () => this.noteEnd(connection)).once('error', () => this.noteEnd(connection));
    socket.once('close', () => this.closed(connection));
    return connection;
  }

  /** Whether a connection may stay; else it was destroyed. */
  #admit(connection: ServedConnection): boolean {
    const { peerName } = connection;
    const known = this.#connections.get(peerName);
    // The same at both ends: the older one is dead, and we have not heard of it yet.
    if (known !== undefined && known.localName === connection.localName) known.destroy();
    if ((known !== undefined && known.localName !== connection.localName) || !this.#table.admit(connection)) {
      this.#metrics.connectionsRefused.inc();
      connection.destroy();
      return false;
    }
    this.#connections.set(peerName, connection);
    this.#metrics.connections.inc();
    return true;
  }
}

/**
 * What the second half of a handshake counts as, in calls: who has many of them wait for one moment is not read any
 * more in that turn after a few.
 */
const HANDSHAKE_EFFORT = 16;

/** What the end of a connection counts as, beside its calls: 0.1 to 0.15 ms. A host may lose all of its at once. */
const END_EFFORT = 4;

class Connection extends ServedConnection {
  readonly localName: string;
  readonly peerName: string;
  readonly source: string;
  readonly caller: string;
  /** Once HTTP/2 has begun. */
  session: ServerHttp2Session | undefined = undefined;
  /** Where TLS is terminated, the one below it: they end together. */
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    checkReading(socket);
    this.#socket = socket;
    this.localName = `${socket.localAddress}:${socket.localPort}`;
    this.peerName = peerName(socket);
    // Unset when it has gone already.
    const address = socket.remoteAddress ?? 'unknown';
    this.source = sourceOf(address);
    this.caller = callerAt(address);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pauseReading(): void {
    pauseReading(this.#socket);
  }

  resumeReading(): void {
    resumeReading(this.#socket);
  }

  retire(): void {
    // It has not even begun HTTP/2.
    if (this.session === undefined) this.#socket.destroy();
    else if (!this.session.closed) this.session.close();
    for (const listener of this.retireListeners) listener();
  }
}

function peerName(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
