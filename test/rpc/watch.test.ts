// The change feed as a subscriber sees it, over real sockets.

import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';
import { ChangeFeed, type FeedLimits } from '../../src/feed/change-feed.ts';
import { createScheduler } from '../../src/feed/scheduler.ts';
import { createFeedService } from '../../src/rpc/watch.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Picture } from '../feed/cluster.ts';
import { Consumer } from '../feed/consumer.ts';
import { FakePicture } from './fake-picture.ts';
import { encodeMessage, eventually, type Failure, type Json, type Serving, serve, toFailure } from './serving.ts';

const PATH = '/digger.v1.ChangeFeedService/Watch';
const WEB = { kind: 'Pod', namespace: 'shop', name: 'web-0', nodeName: 'node-a', labels: { app: 'web' } } as const;
const API = { kind: 'Pod', namespace: 'back', name: 'api-0', nodeName: 'node-b', labels: { app: 'api' } } as const;
const NODE_A = { kind: 'Node', namespace: '', name: 'node-a' } as const;

describe('Watch', () => {
  it('streams Reset, the snapshot, Synced, then changes and removals', async (t) => {
    const { cluster, watch } = await start(t);
    cluster.set(WEB);
    cluster.set(NODE_A);
    const { consumer, ...stream } = watch({});
    await stream.until(() => consumer.synced);
    assert.deepEqual(consumer.story.slice(0, 3), ['reset NO_TOKEN', 'changes 2', 'synced']);
    cluster.set(API);
    cluster.remove('Pod', 'shop', 'web-0');
    await stream.until(() => consumer.copy.size === 2 && !consumer.copy.has('pod|||shop|web-0'));
    assert.deepEqual(consumer.held, ['node||||node-a uid-2', 'pod|||back|api-0 uid-3']);
  });

  it('selects by kind, namespace, node and labels', async (t) => {
    const { cluster, watch } = await start(t);
    for (const spec of [WEB, API, NODE_A]) cluster.set(spec);
    for (const [filter, expected] of [
      [{ kinds: ['ENTITY_KIND_NODE'] }, ['node||||node-a uid-3']],
      [{ namespaces: ['back'] }, ['pod|||back|api-0 uid-2']],
      [{ nodeNames: ['node-a'] }, ['node||||node-a uid-3', 'pod|||shop|web-0 uid-1']],
      [{ labels: { app: 'web' } }, ['pod|||shop|web-0 uid-1']],
    ] as const) {
      const { consumer, ...stream } = watch({ filter, snapshotOnly: true });
      await stream.until(() => stream.ended() !== undefined);
      assert.deepEqual(consumer.held, expected);
    }
  });

  it('ends with OK after Synced when only the snapshot was asked for', async (t) => {
    const { cluster, watch } = await start(t);
    cluster.set(WEB);
    const { consumer, ...stream } = watch({ snapshotOnly: true, view: 'VIEW_BASIC' });
    await stream.until(() => stream.ended() !== undefined);
    assert.equal(stream.ended(), 'OK');
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'changes 1', 'synced']);
    assert.deepEqual(consumer.copy.get('pod|||shop|web-0')?.labels, {});
  });

  it('continues from a stored token with what was missed', async (t) => {
    const { cluster, feed, watch } = await start(t);
    cluster.set(WEB);
    cluster.set(NODE_A);
    const first = watch({});
    await first.until(() => first.consumer.synced);
    first.cancel();
    await eventually(
      () => feed.stats().subscribers === 0,
      () => `${feed.stats().subscribers} subscribers`,
    );
    cluster.remove('Pod', 'shop', 'web-0');
    const { consumer } = first;
    consumer.reconnect();
    consumer.story.length = 0;
    const second = watch({ resumeToken: consumer.token }, consumer);
    await second.until(() => consumer.synced);
    assert.deepEqual(consumer.story.slice(0, 2), ['changes 1', 'synced']);
    assert.deepEqual(consumer.held, ['node||||node-a uid-2']);
  });

  for (const [what, request, field, reason] of [
    ['a kind that does not exist', { filter: { kinds: [1, 9] } }, 'filter.kinds[1]', 'UNKNOWN_VALUE'],
    ['kind UNSPECIFIED', { filter: { kinds: [0] } }, 'filter.kinds[0]', 'UNKNOWN_VALUE'],
    ['1,001 namespaces', { filter: { namespaces: names(1001) } }, 'filter.namespaces', 'TOO_MANY'],
    ['an empty namespace', { filter: { namespaces: ['a', ''] } }, 'filter.namespaces[1]', 'REQUIRED'],
    ['1,001 node names', { filter: { nodeNames: names(1001) } }, 'filter.node_names', 'TOO_MANY'],
    ['65 labels', { filter: { labels: manyLabels(65) } }, 'filter.labels', 'TOO_MANY'],
    ['a view that does not exist', { view: 7 }, 'view', 'UNKNOWN_VALUE'],
    ['a negative heartbeat', { heartbeatInterval: { seconds: -1 } }, 'heartbeat_interval', 'OUT_OF_RANGE'],
    ['bytes that are no token', { resumeToken: Buffer.from('hello') }, 'resume_token', 'MALFORMED_TOKEN'],
    ['a token of 100 kB', { resumeToken: Buffer.alloc(100_000, 1) }, 'resume_token', 'MALFORMED_TOKEN'],
  ] as const) {
    it(`refuses ${what} and names the field`, async (t) => {
      const { feed, watch } = await start(t);
      const stream = watch(request);
      await stream.until(() => stream.ended() !== undefined);
      const { code, details } = stream.failure();
      assert.equal(code, 'INVALID_ARGUMENT');
      const violations = details['BadRequest']?.['fieldViolations'] as readonly Json[];
      assert.deepEqual(
        violations.map((violation) => [violation['field'], violation['reason']]),
        [[field, reason]],
      );
      assert.equal(feed.stats().subscribers, 0);
    });
  }

  it('is UNAVAILABLE before the picture is complete, and says what is missing', async (t) => {
    const { picture, watch } = await start(t);
    picture.pending = ['list pods'];
    const stream = watch({});
    await stream.until(() => stream.ended() !== undefined);
    const { code, details } = stream.failure();
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'NOT_SYNCED');
    assert.ok(details['RetryInfo']);
  });

  it('refuses subscribers beyond the limit', async (t) => {
    const { watch } = await start(t, { maxSubscribers: 1 });
    const first = watch({});
    await first.until(() => first.consumer.synced);
    const second = watch({});
    await second.until(() => second.ended() !== undefined);
    const { code, details } = second.failure();
    assert.equal(code, 'RESOURCE_EXHAUSTED');
    assert.equal(details['ErrorInfo']?.['reason'], 'TOO_MANY_SUBSCRIBERS');
  });

  it('is forgotten when the deadline of the call passes, while changes go on', async (t) => {
    const { cluster, feed, serving, watch } = await start(t);
    cluster.set(WEB);
    const stream = watch({}, new Consumer(), { deadline: Date.now() + 300 });
    await stream.until(() => stream.consumer.synced);
    for (let revision = 0; stream.ended() === undefined; revision++) {
      cluster.set({ ...WEB, revision });
      await stream.until(() => stream.ended() !== undefined || stream.consumer.upserts > revision);
    }
    assert.equal(stream.failure().code, 'DEADLINE_EXCEEDED');
    await eventually(
      () => feed.stats().subscribers === 0,
      () => 'still subscribed',
    );
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} open calls`,
    );
  });

  it('says goodbye before a drain: a last Progress, then UNAVAILABLE', async (t) => {
    const { cluster, serving, watch } = await start(t);
    cluster.set(WEB);
    const stream = watch({});
    await stream.until(() => stream.consumer.synced);
    const drained = serving.server.drain(AbortSignal.timeout(5_000));
    await stream.until(() => stream.ended() !== undefined);
    assert.equal(stream.consumer.story.at(-1), 'closing');
    const { code, details } = stream.failure();
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'DRAINING');
    assert.ok(details['RetryInfo']);
    serving.client.close();
    await drained;
  });
});

describe('subscribers that read nothing', () => {
  const STALLED = 20;

  it('cost a bounded amount, delay nobody, and are gone after the stall timeout', async (t) => {
    const { cluster, feed, serving, watch, registry, skip } = await start(t, {}, 200);
    for (let index = 0; index < 200; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const stalled = Array.from({ length: STALLED }, () => openAndReadNothing(t, serving.target));
    await eventually(
      () => feed.stats().subscribers === STALLED,
      () => `${feed.stats().subscribers} subscribers`,
    );
    const healthy = watch({});
    await healthy.until(() => healthy.consumer.synced);

    // 20 MB of changes pass by; the healthy one sees each of them.
    for (let revision = 1; revision <= 20; revision++) {
      for (let index = 0; index < 200; index++) {
        cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000, labels: { revision: String(revision) } });
      }
      const current = () =>
        [...healthy.consumer.copy.values()].every((pod) => pod.labels?.['revision'] === `${revision}`);
      await healthy.until(current);
    }
    assert.equal(feed.stats().subscribers, STALLED + 1, 'nobody was ended yet');
    // A window of HTTP/2 (64 KiB) and a frame that waits (64 KiB and one entity), for each.
    const sent = await counter(registry, 'digger_feed_bytes_total');
    const toStalled = sent - healthy.received();
    assert.ok(toStalled <= STALLED * 2 * 72 * 1024, `${toStalled} bytes were handed to ${STALLED} stalled subscribers`);

    skip(60_000);
    await eventually(
      () => feed.stats().subscribers === 1,
      () => `${feed.stats().subscribers} subscribers`,
    );
    await eventually(
      () => serving.server.openCalls === 1,
      () => `${serving.server.openCalls} open calls`,
    );
    for (const { stream, session } of stalled) {
      await eventually(
        () => stream.destroyed,
        () => 'a stalled stream lives on',
      );
      assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      assert.equal(session.destroyed, false, 'the connection serves other calls');
    }
    assert.equal(await counter(registry, 'digger_feed_subscribers_stalled_total'), STALLED);
    assert.equal(healthy.ended(), undefined);
  });

  it('get RESOURCE_EXHAUSTED when they read again in time', async (t) => {
    const { cluster, feed, serving } = await start(t, { stallTimeoutMs: 300 }, 60_000);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { stream } = openAndReadNothing(t, serving.target);
    let status: unknown;
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    await eventually(
      () => feed.stats().subscribers === 0,
      () => 'still subscribed',
    );
    stream.resume();
    await eventually(
      () => status !== undefined,
      () => 'no status',
    );
    assert.equal(String(status), '8');
  });

  it('are forgotten at once when they vanish', async (t) => {
    const { cluster, feed, serving } = await start(t);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { session } = openAndReadNothing(t, serving.target);
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    session.destroy();
    await eventually(
      () => feed.stats().subscribers === 0,
      () => 'still subscribed',
    );
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} open calls`,
    );
  });
});

interface Started {
  readonly serving: Serving;
  readonly picture: FakePicture;
  readonly cluster: Picture;
  readonly feed: ChangeFeed;
  readonly registry: Registry;
  watch(request: Json, consumer?: Consumer, options?: CallOptions): WatchStream;
  /** Puts the feed's clock forward. */
  skip(ms: number): void;
}

interface WatchStream {
  readonly consumer: Consumer;
  /** Bytes of the frames so far. */
  received(): number;
  /** `OK`, or a failure; undefined while it lasts. */
  ended(): 'OK' | Failure | undefined;
  failure(): Failure;
  until(condition: () => boolean): Promise<void>;
  cancel(): void;
}

async function start(t: TestContext, limits: Partial<FeedLimits> = {}, stalledGraceMs = 5_000): Promise<Started> {
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
    disconnect: () => assert.fail('the stream itself can be reset'),
    stalledGraceMs,
  });
  const picture = new FakePicture();
  picture.onWatch = (call, caller) => service.watch(call, caller);
  picture.onDrain = () => void service.drain();
  const serving = await serve({}, picture);
  t.after(() => serving.stop());
  return {
    serving,
    picture,
    cluster: new Picture(feed.onBatch),
    feed,
    registry,
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
function openAndReadNothing(t: TestContext, target: string) {
  const session = connectHttp2(`http://${target}`);
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.pause();
  const message = encodeMessage('digger.v1.WatchRequest', {});
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.byteLength, 1);
  stream.end(Buffer.concat([header, message]));
  return { session, stream };
}

async function counter(registry: Registry, name: string): Promise<number> {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await registry.metrics())?.[1];
  if (value === undefined) throw new Error(`no metric ${name}`);
  return Number(value);
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

function manyLabels(count: number): Record<string, string> {
  return Object.fromEntries(names(count).map((name) => [name, 'x']));
}
