// A sibling that behaves as a test wants it to: it answers HandOver with parts that the test gives, in its own time.

import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  type status,
} from '@grpc/grpc-js';
import { messageType } from '../../src/wire/schema.ts';

export type Fields = Record<string, unknown>;
export type HandOverCall = ServerWritableStream<Buffer, Buffer>;

const RESPONSE = messageType('digger.v1.HandOverResponse');
export const CLUSTER = 'c1u5-7e12';

const SERVICE: ServiceDefinition = {
  handOver: {
    path: '/digger.v1.HistoryService/HandOver',
    requestStream: false,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

export class FakeSibling implements AsyncDisposable {
  readonly target: string;
  readonly port: number;
  /** Calls that were made. */
  calls = 0;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    this.target = `127.0.0.1:${port}`;
  }

  static async start(
    answer: (call: HandOverCall) => void,
    credentials = ServerCredentials.createInsecure(),
  ): Promise<FakeSibling> {
    const server = new Server();
    const box: { sibling?: FakeSibling } = {};
    server.addService(SERVICE, {
      handOver: (call: HandOverCall) => {
        if (box.sibling !== undefined) box.sibling.calls += 1;
        answer(call);
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    box.sibling = new FakeSibling(server, port);
    return box.sibling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

/** The usual first part. */
export function firstPart(facts: Fields = {}): Buffer {
  return part({
    facts: {
      epoch: Buffer.alloc(16, 7),
      clusterUid: CLUSTER,
      serverTimeMs: Date.now(),
      beganMs: Date.now() - 60_000,
      unknownUntilMs: Date.now() - 60_000,
      ...facts,
    },
  });
}

export function part(fields: Fields): Buffer {
  return Buffer.from(RESPONSE.encode(fields).finish());
}

export const LAST = part({ complete: true });

/** A pod that held an address for ten seconds. */
export function formerPod(name: string, claim: Fields = {}): Fields {
  const startMs = Date.now() - 40_000;
  const self = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name, uid: `uid-${name}` };
  return {
    uid: `uid-${name}`,
    state: { kind: 1, namespace: 'shop', name, nodeName: 'node-1', workloads: [self], own: Buffer.of(0x0a, 1, 0x78) },
    claims: [
      {
        role: 1,
        address: '10.1.0.1',
        startEarliestMs: startMs,
        firstSeenMs: startMs,
        end: { earliestMs: startMs + 10_000, latestMs: startMs + 10_000, knownAtMs: startMs + 10_000 },
        ...claim,
      },
    ],
  };
}

/** Ends the call as a service does. */
export function refuse(call: HandOverCall, code: status, details: string, reason?: string): void {
  const metadata = new Metadata();
  if (reason !== undefined) {
    const info = messageType('google.rpc.ErrorInfo').encode({ reason, domain: 'digger' }).finish();
    const details = [{ type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: info }];
    const any = messageType('google.protobuf.Any').toObject(
      messageType('google.protobuf.Any').fromObject(details[0] as Fields),
    );
    metadata.set(
      'grpc-status-details-bin',
      Buffer.from(
        messageType('google.rpc.Status')
          .encode({ code, details: [any] })
          .finish(),
      ),
    );
  }
  call.emit('error', { code, details, metadata });
}

/** Takes connections and never says a word. */
export class SilentListener implements AsyncDisposable {
  readonly port: number;
  readonly #server: NetServer;
  readonly #sockets: Set<Socket>;

  private constructor(server: NetServer, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async start(): Promise<SilentListener> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new SilentListener(server, sockets, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
