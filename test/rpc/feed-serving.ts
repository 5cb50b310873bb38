// Serves a change feed on a loopback port: a picture to change, subscribers as a client library has them and below one.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import type { TestContext } from 'node:test';
import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { FeedLimits } from '../../src/feed/feed-options.ts';
import { createScheduler } from '../../src/feed/subscriptions/scheduler.ts';
import type { RpcLimits } from '../../src/rpc/limits/rpc-limits.ts';
import { createFeedService } from '../../src/rpc/methods/watch.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Picture } from '../feed/cluster.ts';
import { Consumer } from '../feed/consumer.ts';
import { FakePicture } from './fake-picture.ts';
import { encodeMessage, eventually, type Failure, type Json, type Serving, serve, toFailure } from './serving.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

const PATH = '/digger.v1.ChangeFeedService/Watch';

export interface Started {
  readonly serving: Serving;
  readonly picture: FakePicture;
  readonly cluster: Picture;
  readonly feed: ChangeFeed;
  readonly registry: Registry;
  watch(request: Json, consumer?: Consumer, options?: CallOptions): WatchStream;
  /** Resolves when the server has so many connections. */
  untilConnections(count: number): Promise<void>;
  /** Puts the feed's clock forward. */
  skip(ms: number): void;
}

export interface WatchStream {
  readonly consumer: Consumer;
  /** Bytes of the frames so far. */
  received(): number;
  /** `OK`, or a failure; undefined while it lasts. */
  ended(): 'OK' | Failure | undefined;
  failure(): Failure;
  until(condition: () => boolean): Promise<void>;
  cancel(): void;
}

export async function start(
  t: TestContext,
  limits: Partial<FeedLimits> = {},
  stalledGraceMs = 5_000,
  rpcLimits: Partial<RpcLimits> = {},
): Promise<Started> {
  const registry = new Registry();
  const real = createScheduler();
  let skippedMs = 0;
  const feed = new ChangeFeed({
    scheduler: { ...real, now: () => real.now() + skippedMs },
    epoch: Buffer.alloc(16, 1),
    configuration: '',
    freshness: () => [{ resource: 'pods', lastContactMs: Date.now(), stalenessMs: undefined }],
    registry,
    limits,
  });
  const service = createFeedService({
    feed,
    logger: createLogger({ level: 'silent', pretty: false }),
    disconnect: (peer) => serving.server.disconnect(peer),
    stalledGraceMs,
  });
  const picture = new FakePicture();
  picture.onWatch = (call, caller) => service.watch(call, caller);
  picture.onDrain = () => void service.drain();
  const serving = await serve({ limits: rpcLimits }, picture);
  t.after(() => serving.stop());
  return {
    serving,
    picture,
    cluster: new Picture(feed.onBatch),
    feed,
    registry,
    untilConnections: async (count) => {
      const deadlineMs = Date.now() + 5_000;
      for (;;) {
        const now = await counter(serving.registry, 'digger_grpc_connections');
        if (now === count) return;
        assert.ok(Date.now() < deadlineMs, `${now} connections, not ${count}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    watch: (request, consumer = new Consumer(), options = {}) => openWatch(serving, request, consumer, options),
    skip: (ms) => {
      skippedMs += ms;
    },
  };
}

function openWatch(serving: Serving, request: Json, consumer: Consumer, options: CallOptions): WatchStream {
  const same = (bytes: Buffer): Buffer => bytes;
  const bytes = encodeMessage('digger.v1.WatchRequest', request);
  const call: ClientReadableStream<Buffer> = serving.client.makeServerStreamRequest(PATH, same, same, bytes, options);
  let ended: 'OK' | Failure | undefined;
  let received = 0;
  call.on('data', (frame: Buffer) => {
    received += frame.byteLength;
    consumer.apply(frame);
  });
  call.on('error', (error: ServiceError) => {
    ended = toFailure(error);
  });
  call.on('end', () => {
    ended ??= 'OK';
  });
  return {
    consumer,
    received: () => received,
    ended: () => ended,
    failure() {
      if (ended === undefined || ended === 'OK') throw new Error(`expected a failure, the stream is ${ended}`);
      return ended;
    },
    until: (condition) =>
      eventually(condition, () =>
        JSON.stringify({ story: consumer.story.slice(-20), held: consumer.copy.size, ended }),
      ),
    cancel: () => call.cancel(),
  };
}

/** A subscriber on a connection of its own that never reads a byte of its stream. */
export function openAndReadNothing(t: TestContext, target: string) {
  const session = connectHttp2(`http://${target}`);
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  const stream = openStream(session);
  stream.pause();
  return { session, stream };
}

/** A subscription on a connection that is there. */
export function openStream(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request(callHeaders(PATH));
  stream.on('error', () => undefined);
  stream.end(prefixed());
  return stream;
}

/** Nothing is left of its subscribers: neither in the feed nor in the server. */
export async function untilGone({ feed, serving }: Pick<Started, 'feed' | 'serving'>): Promise<void> {
  await eventually(
    () => feed.stats().subscribers === 0,
    () => 'still subscribed',
  );
  await eventually(
    () => serving.server.openCalls === 0,
    () => `${serving.server.openCalls} open calls`,
  );
}

export async function counter(registry: Registry, name: string): Promise<number> {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await registry.metrics())?.[1];
  if (value === undefined) throw new Error(`no metric ${name}`);
  return Number(value);
}
