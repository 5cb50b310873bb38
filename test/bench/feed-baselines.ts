// What the feed is measured beside, each a server of its own in the process of feed-server.ts.
//
// Naive: what comes to mind first; it keeps a list of calls, and at each change encodes the message and writes it, for
// every subscriber, on grpc-js. Bare: the ceiling; node:http2 without gRPC and without anything to say, writing the
// same buffer of as many bytes to all.

import { createServer, type ServerHttp2Stream } from 'node:http2';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { messageType } from '../../src/wire/schema.ts';

export interface Baseline {
  readonly port: number;
  readonly subscribers: () => number;
  /** `frames` times: `changes` changes at once, then wait until every subscriber took them. */
  readonly burst: (changes: number, frames: number) => Promise<void>;
}

const WatchResponse = messageType('digger.v1.WatchResponse');

export const LABELS = {
  app: 'checkout',
  tier: 'front',
  'pod-template-hash': '7d9c5b6f4',
  'app.kubernetes.io/part-of': 'shop',
};

export async function startNaive(): Promise<Baseline> {
  const calls = new Set<ServerWritableStream<unknown, object>>();
  const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_concurrent_streams': 10_000 });
  server.register(
    '/digger.v1.ChangeFeedService/Watch',
    (call: ServerWritableStream<unknown, object>) => {
      calls.add(call);
      call.write({ synced: {} });
      call.once('cancelled', () => calls.delete(call));
    },
    (message: object) => Buffer.from(WatchResponse.encode(message).finish()),
    (bytes: Buffer) => bytes,
    'serverStream',
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  let revision = 0;
  const burst = async (changes: number, frames: number): Promise<void> => {
    for (let frame = 0; frame < frames; frame++) {
      const pods = Array.from({ length: changes }, (_, index) => ({ upsert: { pod: naivePod(index, ++revision) } }));
      const message = { changes: { changes: pods }, resumeToken: Buffer.alloc(60) };
      await toEach(calls, (call, taken) => call.write(message, taken));
    }
  };
  return { port, subscribers: () => calls.size, burst };
}

/** `frameBytes`: of a frame of so many changes. */
export async function startBare(frameBytes: (changes: number) => number): Promise<Baseline> {
  const streams = new Set<ServerHttp2Stream>();
  const server = createServer({ settings: { maxConcurrentStreams: 10_000 } });
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.on('error', () => undefined);
    stream.once('close', () => streams.delete(stream));
    stream.resume();
    streams.add(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  const burst = async (changes: number, frames: number): Promise<void> => {
    const bytes = Buffer.alloc(frameBytes(changes));
    for (let frame = 0; frame < frames; frame++) await toEach(streams, (stream, taken) => stream.write(bytes, taken));
  };
  return { port: address.port, subscribers: () => streams.size, burst };
}

async function toEach<To>(all: Set<To>, write: (to: To, taken: () => void) => void): Promise<void> {
  await Promise.all([...all].map((to) => new Promise<void>((resolve) => write(to, resolve))));
}

/** A pod as an object, for the server that encodes: labels, owners, a service, one container. */
export function naivePod(index: number, revision: number): object {
  const owner = (kind: string, name: string) => ({
    apiVersion: 'apps/v1',
    kind,
    namespace: 'shop',
    name,
    uid: `8d6a1b9e-0000-4000-8000-${name.length.toString().padStart(12, '0')}`,
  });
  const deployment = owner('Deployment', 'checkout');
  return {
    uid: `2f1b7c9a-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    namespace: 'shop',
    name: `checkout-7d9c5b6f4-${index}`,
    addresses: [`10.0.0.${revision % 250}`],
    nodeName: `node-${index % 100}`,
    hostAddresses: [`192.168.0.${index % 100}`],
    phase: 2,
    workload: deployment,
    ownerChain: [owner('ReplicaSet', 'checkout-7d9c5b6f4'), deployment],
    services: [owner('Service', 'checkout')],
    startTime: { seconds: 1_700_000_000 + revision },
    labels: LABELS,
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
    containers: [
      {
        name: 'app',
        image: 'registry.example.com/shop/checkout:v1.2.3',
        ports: [{ name: 'http', containerPort: 8080 }],
      },
    ],
  };
}
