// An API server that is not one: list and watch over real sockets, with verbs to write objects and to break things.
//
//   const simulator = createSimulator({ random, now });
//   simulator.cluster.create('pods', { metadata: { namespace: 'shop', name: 'cart-0' }, spec: {…}, status: {…} });
//   const { url } = await simulator.listen({ port: 0 });
//   simulator.faults.answer({ verb: 'list', resource: 'pods', code: 429, retryAfterSeconds: 1 });
//
// For `npm run demo`, tests and benchmarks. It means to be no more forgiving than kube-apiserver for what digger asks;
// it validates no writes, knows no selectors, and its protobuf holds only the fields that the project decodes.

import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { ApiServer } from './api-server.ts';
import { Cluster } from './cluster.ts';
import { Faults } from './faults.ts';
import { loadProtobufSupport, type ProtobufSupport } from './protobuf-encoding.ts';
import { RequestLog } from './request-log.ts';
import { type Status, statusForCode } from './error-status.ts';
import type { WatchEnd } from './watch.ts';

export interface SimulatorOptions {
  /** Numbers in [0, 1): uids, lengths of watches. */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Events kept per resource for late watches. Default: 1,000, the order of a small cluster's watch cache. */
  readonly maxHistoryEvents?: number;
  /** One more open watch gets 429. Default: 1,000. */
  readonly maxWatches?: number;
  /** A watch with more unsent events is ended. Default: 1,000, the largest channel of kube-apiserver's watch cache. */
  readonly maxPendingEvents?: number;
  /** Default: 60,000, as kube-apiserver. */
  readonly bookmarkIntervalMs?: number;
  /** How long a version from the future is waited for. Default: 3,000, as kube-apiserver. */
  readonly freshnessWaitMs?: number;
  /** Default: 1000. */
  readonly firstResourceVersion?: bigint;
}

export interface ListenOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** PEM. Without it: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface ListeningSimulator {
  /** `http://127.0.0.1:PORT` or `https://…`. */
  readonly url: string;
  readonly port: number;
  /** Stops listening and resets what is open. */
  close(): Promise<void>;
}

export class Simulator {
  /** What is in the cluster, and the verbs to change it. */
  readonly cluster: Cluster;
  /** Switches and ordered answers. */
  readonly faults = new Faults();
  /** What clients asked for. */
  readonly requests = new RequestLog();
  readonly #server: ApiServer;
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<{ refuse: () => void; accept: () => Promise<void> }>();

  constructor(options: SimulatorOptions) {
    this.cluster = new Cluster({
      random: options.random,
      now: options.now,
      maxHistoryEvents: options.maxHistoryEvents ?? 1_000,
      firstResourceVersion: options.firstResourceVersion ?? 1000n,
    });
    protobufSupport ??= loadProtobufSupport();
    this.#server = new ApiServer({
      cluster: this.cluster,
      faults: this.faults,
      requests: this.requests,
      protobuf: protobufSupport,
      random: options.random,
      now: options.now,
      maxWatches: options.maxWatches ?? 1_000,
      maxPendingEvents: options.maxPendingEvents ?? 1_000,
      bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
      freshnessWaitMs: options.freshnessWaitMs ?? 3_000,
    });
  }

  /** Open watches, of one resource or of all. */
  watchCount(resource?: string): number {
    return this.#watches(resource).length;
  }

  /** Watches that ended, by reason. */
  get endedWatches(): ReadonlyMap<WatchEnd, number> {
    return this.#server.endedWatches;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async listen(options: ListenOptions): Promise<ListeningSimulator> {
    const host = options.host ?? '127.0.0.1';
    const listener: RequestListener = (request, response) => {
      this.#server.handle(request, response).catch((error: unknown) => {
        // A bug of the simulator: loud, and the client gets an end instead of silence.
        response.destroy();
        queueMicrotask(() => {
          throw error;
        });
      });
    };
    const server: Server =
      options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await listening(server, options.port, host);
    const { port } = server.address() as AddressInfo;
    const control = {
      refuse: () => {
        server.close();
      },
      accept: () => (server.listening ? Promise.resolve() : listening(server, port, host)),
    };
    this.#listeners.add(control);
    return {
      url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
      port,
      close: async () => {
        this.#listeners.delete(control);
        const closed = new Promise<void>((resolve) => {
          if (server.listening) {
            server.close(() => resolve());
          } else {
            resolve();
          }
        });
        this.cutConnections();
        await closed;
      },
    };
  }

  /** New connections are refused; open ones go on. */
  refuseConnections(): void {
    for (const listener of this.#listeners) {
      listener.refuse();
    }
  }

  /** Listens again on the same port. */
  async acceptConnections(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.accept()));
  }

  /** Resets every connection; with `midFrame` open watches get half an event first. Returns how many there were. */
  cutConnections(options: { readonly midFrame?: boolean } = {}): number {
    const { size } = this.#sockets;
    const watching = this.#server.watches;
    for (const watch of watching) {
      watch.cut(options.midFrame ?? false);
    }
    if (options.midFrame !== true || watching.length === 0) {
      for (const socket of this.#sockets) {
        socket.destroy();
      }
    }
    return size;
  }

  /** Half-open: connections are accepted and kept, bytes are taken, nothing is answered. */
  pause(): void {
    this.#server.pause();
  }

  /** Answers what was held back. */
  resume(): void {
    this.#server.resume();
  }

  /** As a restarted API server: connections are cut, and every resource's history begins at the present. */
  restart(): void {
    this.cutConnections();
    this.cluster.compact();
  }

  /** An ERROR event into open watches, which end with it. A number is the usual Status for that code. */
  sendError(status: Status | number, resource?: string): void {
    const error = typeof status === 'number' ? statusForCode(status) : status;
    for (const watch of this.#watches(resource)) {
      watch.sendError(error);
    }
  }

  /** A frame that cannot be decoded into open watches, which stay open. */
  sendCorruptFrame(resource?: string): void {
    for (const watch of this.#watches(resource)) {
      watch.sendCorruptFrame();
    }
  }

  /** A bookmark into open watches now, whether they asked for bookmarks or not. */
  sendBookmark(resource?: string): void {
    for (const watch of this.#watches(resource)) {
      watch.sendBookmark();
    }
  }

  /** Ends open watches cleanly, as at their timeout. */
  endWatches(resource?: string): void {
    for (const watch of this.#watches(resource)) {
      watch.end();
    }
  }

  #watches(resource: string | undefined): ApiServer['watches'] {
    const store = resource === undefined ? undefined : this.cluster.store(resource);
    return this.#server.watches.filter((watch) => store === undefined || watch.resource === store.resource);
  }
}

export function createSimulator(options: SimulatorOptions): Simulator {
  return new Simulator(options);
}

/** Parsed once per process: immutable, and the same for every simulator. */
let protobufSupport: ProtobufSupport | undefined;

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
