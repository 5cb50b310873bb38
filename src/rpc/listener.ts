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

import type { ListenAddress } from '../model/listen-address.ts';
import { CallConnection } from './calls/call-record.ts';
import { callerAt, sourceOf } from './limits/caller.ts';
import type { ConnectionTable } from './limits/connection-table.ts';
import type { FairQueue } from './limits/fair-queue.ts';
import type { StartQueue } from './limits/start-queue.ts';
import { awaitFirstFlight } from './tls/first-flight.ts';
import { type ClientCertificate, describeClientCertificate } from './tls/client-certificate.ts';
import type { RpcMetrics } from './metrics.ts';
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
  readonly #connections = new Map<string, Connection>();
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  #onEmpty: (() => void) | undefined;

  constructor({ server, credentials, table, queue, starts, metrics, tls }: ListenerOptions) {
    this.#table = table;
    this.#queue = queue;
    this.#starts = starts;
    this.#metrics = metrics;
    this.#injector = server.createConnectionInjector(credentials);
    const handshakes = tls && this.#createTlsServer(tls);
    const open = (socket: Socket): void => {
      if (socket.destroyed) return;
      const connection = this.#admit(socket);
      if (connection === undefined) return;
      if (handshakes === undefined) {
        this.#injector.injectConnection(socket);
        // Nothing has read it until now.
        handleOf(socket)?.readStart();
        return;
      }
      awaitFirstFlight(socket, {
        begin: () =>
          this.#plan(connection.source, socket, () => {
            if (!socket.destroyed) handshakes.emit('connection', socket);
          }),
        late: () => handshakes.emit('tlsClientError', new HandshakeTimeout(), socket),
      });
    };
    this.#net = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      // Errors of a connection end it, nothing else: http2 reports them to its streams.
      socket.on('error', () => socket.destroy());
      this.#plan(sourceOf(socket.remoteAddress ?? 'unknown'), socket, () => open(socket));
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
    return connection;
  }

  /** No new connections; those that are open stay. */
  stopAccepting(): void {
    this.#net.close();
    this.#starts.dropAll();
  }

  /**
   * Tells every client to go (GOAWAY), and resolves when all connections have ended: as soon as their calls have, and
   * at the latest when the signal aborts, which ends them whatever they do.
   */
  async closeConnections(signal: AbortSignal): Promise<void> {
    this.#injector.destroy();
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
   * The other side of a connection has ended it. All of its calls end with it, once this turn has read what there is to
   * read, together with those of every other connection that was found to have ended: so others of its source are not
   * looked at before the next turn.
   */
  #noteEnd(connection: Connection): void {
    if (connection.hasEnded) return;
    connection.hasEnded = true;
    if (connection.openCalls > 0) this.#queue.noteEffort(connection, connection.openCalls);
  }

  /** Has a step of a connection taken when it is its turn; without room for it the connection is refused. */
  #plan(source: string, socket: Socket, run: () => void): void {
    const drop = (): void => {
      this.#metrics.connectionsRefused.inc();
      socket.destroy();
    };
    this.#starts.add(source, { run, drop });
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
      this.#queue.noteEffort(connection, HANDSHAKE_EFFORT);
      socket.on('error', () => socket.destroy());
      socket.once('end', () => this.#noteEnd(connection));
      const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
      if (certificate !== undefined) connection.certificate = describeClientCertificate(certificate);
      this.#injector.injectConnection(socket);
    });
    server.on('tlsClientError', (_error, socket) => {
      const connection = this.#connections.get(peerName(socket));
      if (connection !== undefined) this.#queue.noteEffort(connection, HANDSHAKE_EFFORT);
    });
    return server;
  }

  /** Notes a connection; unset: it was refused and destroyed. */
  #admit(socket: Socket): Connection | undefined {
    const peer = peerName(socket);
    const known = this.#connections.get(peer);
    // The same at both ends: the older one is dead, and we have not heard of it yet.
    if (known !== undefined && known.localName === localName(socket)) known.destroy();
    const connection = new Connection(socket);
    if ((known !== undefined && known.localName !== connection.localName) || !this.#table.admit(connection)) {
      this.#metrics.connectionsRefused.inc();
      socket.destroy();
      return undefined;
    }
    socket.once('end', () => this.#noteEnd(connection)).once('error', () => this.#noteEnd(connection));
    this.#connections.set(peer, connection);
    this.#metrics.connections.inc();
    socket.once('close', () => {
      this.#metrics.connections.dec();
      this.#table.remove(connection);
      this.#queue.forget(connection);
      if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
    return connection;
  }
}

/**
 * What the second half of a handshake counts as, in calls: who has many of them wait for one moment is not read any more
 * in that turn after a few.
 */
const HANDSHAKE_EFFORT = 16;

/** As node calls it when TLS itself has begun. */
class HandshakeTimeout extends Error {
  readonly code = 'ERR_TLS_HANDSHAKE_TIMEOUT';
}

class Connection extends CallConnection {
  hasEnded = false;
  readonly localName: string;
  readonly source: string;
  readonly caller: string;
  certificate: ClientCertificate | undefined = undefined;
  /** Once HTTP/2 has begun. */
  session: ServerHttp2Session | undefined = undefined;
  /** Where TLS is terminated, the one below it: they end together. */
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    const handle: Partial<SocketHandle> | undefined = handleOf(socket);
    if (handle !== undefined && (typeof handle.readStop !== 'function' || typeof handle.writeQueueSize !== 'number')) {
      throw new Error('bug: node does not read sockets as it did');
    }
    this.localName = localName(socket);
    // Unset when it has gone already.
    const address = socket.remoteAddress ?? 'unknown';
    this.source = sourceOf(address);
    this.caller = callerAt(address);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pauseReading(): void {
    handleOf(this.#socket)?.readStop();
  }

  resumeReading(): void {
    const handle = handleOf(this.#socket);
    // While something waits to be sent node reads nothing from it, and goes on by itself afterwards.
    if (handle?.writeQueueSize === 0) handle.readStart();
  }

  retire(): void {
    // It has not even begun HTTP/2.
    if (this.session === undefined) this.#socket.destroy();
    else if (!this.session.closed) this.session.close();
    for (const listener of this.retireListeners) listener();
  }
}

/**
 * What node reads a socket with, below HTTP/2 and TLS, which do not let go of a socket to be paused; unset: it has
 * closed. Not part of node's API: when it is not what it was, that is a bug to be seen at the first connection.
 */
function handleOf(socket: Socket): SocketHandle | undefined {
  return (socket as unknown as { readonly _handle: SocketHandle | null })._handle ?? undefined;
}

interface SocketHandle {
  readStop(): void;
  readStart(): void;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize: number;
}

function peerName(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

function localName(socket: Socket): string {
  return `${socket.localAddress}:${socket.localPort}`;
}
