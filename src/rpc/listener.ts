// Accepts connections and hands them to a grpc-js server.
//
// We accept them ourselves because only a destroyed socket surely ends a stream that is stalled by flow control: grpc-js
// has no way to close it, and its own shutdown waits for it for ever. It also makes the number of connections a bound of
// ours.

import { createServer, type Server as NetServer, type Socket } from 'node:net';

import type { Server, ServerCredentials } from '@grpc/grpc-js';

import type { RpcMetrics } from './metrics.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** An IP address or a host name. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export class Listener {
  readonly #net: NetServer;
  /** By `address:port` of the peer, as grpc-js names it. */
  readonly #sockets = new Map<string, Socket>();
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  #onEmpty: (() => void) | undefined;

  constructor(server: Server, credentials: ServerCredentials, maxConnections: number, metrics: RpcMetrics) {
    this.#injector = server.createConnectionInjector(credentials);
    this.#net = createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#sockets.set(peer, socket);
      metrics.connections.inc();
      // Errors of a connection end it, nothing else: http2 reports them to its streams.
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        metrics.connections.dec();
        if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
        if (this.#sockets.size === 0) this.#onEmpty?.();
      });
      this.#injector.injectConnection(socket);
    });
    this.#net.maxConnections = maxConnections;
    this.#net.on('drop', () => metrics.connectionsRefused.inc());
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
    const socket = this.#sockets.get(peer);
    socket?.destroy();
    return socket !== undefined;
  }

  /** No new connections; those that are open stay. */
  stopAccepting(): void {
    this.#net.close();
  }

  /**
   * Tells every client to go (GOAWAY), and resolves when all connections have ended: as soon as their calls have, and at
   * the latest when the signal aborts, which ends them whatever they do.
   */
  async closeConnections(signal: AbortSignal): Promise<void> {
    this.#injector.destroy();
    if (this.#sockets.size === 0) return;
    const destroyAll = (): void => {
      for (const socket of this.#sockets.values()) socket.destroy();
    };
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      signal.addEventListener('abort', destroyAll);
      if (signal.aborted) destroyAll();
    });
    signal.removeEventListener('abort', destroyAll);
  }
}
