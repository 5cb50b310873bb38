// Subscribers that behave badly, in a size that is told: each attack ends by itself, beside lookups of others, and
// checks by what the service tells about itself that nothing of it is left: no subscription, stream, socket, timer or
// memory.
import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { decodeDetails } from '../observers/rpc-error.ts';
import { Story } from '../stories/story.ts';
import { besideOthers, metric, type Metrics, readMetrics } from './bystanders.ts';
import { END_STREAM, FRAME, frame, initialWindow, onFrames, open, watchCall, windowUpdate } from './raw-http2.ts';
import { openSession, RawSubscriber } from './raw-subscriber.ts';

/** What gRPC says to one too many, and to one that stalls. */
const RESOURCE_EXHAUSTED = 8;
/** HTTP/2's name for the same, when a status does not get through. */
const ENHANCE_YOUR_CALM = 11;

/** HTTP/2: the stream was not looked at, and may be sent again. */
const REFUSED_STREAM = 7;

/** Waiting for the stall timeout and the graces after it comes on top of what a busy machine takes. */
const PATIENCE_MS = 60_000;

/** A ping after 30 s, and 10 s for its answer. */
const KEEPALIVE_MS = 40_000;

const WATCH = '{grpc_type="server_stream",grpc_service="digger.v1.ChangeFeedService",grpc_method="Watch"';

/**
 * A story with a picture of about a megabyte: much more than flow control lets through to a caller that does not read.
 */
export function beginLargeStory(): Promise<Story> {
  return Story.begin({
    arrange: (simulator) => {
      const annotations = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((key) => [key, key.repeat(1_000)]));
      for (let index = 0; index < 200; index++) {
        simulator.cluster.create('services', {
          metadata: { namespace: 'bulk', name: `service-${index}`, annotations },
          spec: { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports: [] },
        });
      }
    },
  });
}

/** They connect, each on a connection of its own, and read nothing. */
export async function readNothing(story: Story, digger: DiggerProcess, count: number, stallMs: number): Promise<void> {
  await besideSubscription(story, digger, async () => {
    const before = await readMetrics(digger);
    const stalledBefore = before.value('digger_feed_subscribers_stalled_total');
    const connections = before.value('digger_grpc_connections');
    const subscribers = Array.from({ length: count }, () => new RawSubscriber(digger.address));
    try {
      await untilMetric(digger, 'digger_feed_subscribers_stalled_total', stalledBefore + count, stallMs);
      await untilReleased(digger, connections, stallMs);
      for (const { end } of subscribers) {
        assert.ok(end !== undefined && end !== 'disconnected' && 'reset' in end, JSON.stringify(end));
        assert.equal(end.reset, ENHANCE_YOUR_CALM);
      }
    } finally {
      for (const subscriber of subscribers) subscriber[Symbol.dispose]();
    }
  });
}

/**
 * They read all the time, and let one byte more through in every interval; they answer pings, and are alive. Every
 * second one takes all that it is owed once it was ended. None of them closes its connection.
 */
export async function drip(
  story: Story,
  digger: DiggerProcess,
  { count, intervalMs, stallMs }: { readonly count: number; readonly intervalMs: number; readonly stallMs: number },
): Promise<void> {
  await besideSubscription(story, digger, async () => {
    const before = await readMetrics(digger);
    const stalledBefore = before.value('digger_feed_subscribers_stalled_total');
    const connections = before.value('digger_grpc_connections');
    const drips = Array.from({ length: count }, () => new Drip(digger.address, intervalMs));
    const readAgain = drips.filter((_, index) => index % 2 === 1);
    try {
      await untilMetric(digger, 'digger_feed_subscribers_stalled_total', stalledBefore + count, stallMs);
      for (const each of readAgain) each.readAll();
      await untilReleased(digger, connections, stallMs);
      for (const each of drips) {
        assert.ok(each.bytes > 0, 'it was given some bytes');
        assert.ok(each.bytes < 64 * 1024, `${each.bytes} bytes are no frame`);
        // On a busy machine it may come too late to take its status.
        if (!readAgain.includes(each) || !each.hasStatus) assert.equal(each.resetCode, ENHANCE_YOUR_CALM);
      }
    } finally {
      for (const each of drips) each.destroy();
    }
  });
}

/**
 * They open every window of HTTP/2 and do not read their sockets: the system takes for them what little there is to
 * say, so that to the feed they are quick. Nothing but the pings of the connection finds them.
 */
export async function leaveSocketsUnread(story: Story, digger: DiggerProcess, count: number): Promise<void> {
  await besideSubscription(story, digger, async () => {
    const connections = await metric(digger, 'digger_grpc_connections');
    const most = 2 ** 31 - 1;
    const sockets = Array.from({ length: count }, () => {
      const socket = open(digger.address);
      socket.pause();
      socket.write(Buffer.concat([initialWindow(most), windowUpdate(0, most - 65_535), watchCall()]));
      return socket;
    });
    try {
      await untilMetric(digger, 'digger_feed_subscribers', count + 1);
      await untilReleased(digger, connections, KEEPALIVE_MS);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
}

export interface ManyStreams {
  readonly streams: number;
  readonly connections: number;
  /** What the service was told to allow one caller. */
  readonly limit: number;
}

/** They ask for far more streams than one caller may have: all but the limit are refused, and others are served. */
export async function openTooMany(
  story: Story,
  digger: DiggerProcess,
  { streams, connections, limit }: ManyStreams,
): Promise<void> {
  await besideSubscription(story, digger, async () => {
    const sessions: ClientHttp2Session[] = [];
    try {
      for (let count = 0; count < connections; count++) sessions.push(openSession(digger.address, '127.0.0.2'));
      const subscribe = (session: ClientHttp2Session): RawSubscriber => {
        const subscriber = new RawSubscriber(digger.address, { session });
        subscriber.read();
        return subscriber;
      };
      const on = (index: number): ClientHttp2Session => sessions[index % connections] ?? assert.fail();
      const subscribers = Array.from({ length: streams }, (_, index) => subscribe(on(index)));
      // HTTP/2 keeps those waiting that are more than a connection may have at once.
      const reached = Math.min(streams, connections * 100);
      await eventually('all but the limit are refused', () => {
        // One that was sent before its connection heard how many it may have is not looked at: clients send it again
        // (gRFC A6, transparent retries).
        for (const [index, { end }] of subscribers.entries()) {
          if (typeof end === 'object' && 'reset' in end && end.reset === REFUSED_STREAM) {
            subscribers[index] = subscribe(on(index));
          }
        }
        const refused = subscribers.filter(({ end }) => end !== undefined).length;
        return refused >= reached - limit ? done(undefined) : notYet(`${refused} of ${streams}`);
      });
      await untilMetric(digger, 'digger_feed_subscribers_of_busiest_caller', Math.min(limit, reached));
      for (const { end } of subscribers) {
        if (end === undefined) continue;
        assert.ok(end !== 'disconnected' && 'grpcStatus' in end, JSON.stringify(end));
        assert.equal(end.grpcStatus, RESOURCE_EXHAUSTED);
      }
      const refusals = subscribers.flatMap(({ end }) => (typeof end === 'object' && 'details' in end ? [end] : []));
      assert.ok(refusals.length >= reached - limit, `${refusals.length} of ${reached} refused`);
      const metadata = { limit: String(limit), of: 'caller', caller: 'address:127.0.0.2' };
      for (const { details } of refusals.slice(0, 10)) {
        const { ErrorInfo, RetryInfo } = decodeDetails(details);
        assert.deepEqual(ErrorInfo, { reason: 'TOO_MANY_SUBSCRIBERS', domain: 'digger', metadata });
        assert.ok(RetryInfo, 'says when to ask again');
      }
      // Another subscriber gets the whole picture meanwhile.
      const other = await story.subscribe(digger);
      await other.untilEqual(story.readLists);
      other.close();
    } finally {
      for (const session of sessions) session.destroy();
    }
  });
}

/**
 * Runs the attack beside lookups and a subscriber that hears every change; afterwards the service is as it was before.
 */
async function besideSubscription(story: Story, digger: DiggerProcess, attack: () => Promise<void>): Promise<void> {
  const healthy = await story.subscribe(digger);
  try {
    const before = await leftovers(digger);
    await besideOthers(story, digger, attack);
    story.createPod('meanwhile', 201);
    await healthy.untilEqual(story.readLists);
    story.deletePod('meanwhile');
    await healthy.untilEqual(story.readLists);
    assert.equal(healthy.resets, 1, 'it never had to start over');
    await eventually('nothing is left', async () => {
      const now = await leftovers(digger);
      const more = Object.entries(now).filter(([what, count]) => count > (before[what] ?? 0));
      return more.length === 0 ? done(undefined) : notYet({ before, now });
    });
  } finally {
    healthy.close();
  }
}

/** What an attack might leave, by the service's own account. */
async function leftovers(digger: DiggerProcess): Promise<Record<string, number>> {
  const now = await readMetrics(digger);
  return {
    streams: openStreams(now),
    subscriptions: now.value('digger_feed_subscribers'),
    sockets: now.value('nodejs_active_resources{type="TCPSocketWrap"}'),
    timers: now.value('nodejs_active_resources{type="Timeout"}'),
    files: now.value('process_open_fds'),
  };
}

/** Subscriptions that have begun and not ended. */
function openStreams(now: Metrics): number {
  return now.value(`grpc_server_started_total${WATCH}}`) - now.sum(`grpc_server_handled_total${WATCH},`);
}

/** Nothing but the healthy subscriber is left, though the others have not gone by themselves. */
async function untilReleased(digger: DiggerProcess, connections: number, stallMs: number): Promise<void> {
  await eventually(
    'their subscriptions, connections and streams are gone',
    async () => {
      const now = await readMetrics(digger);
      const left = {
        subscribers: now.value('digger_feed_subscribers') - 1,
        connections: now.value('digger_grpc_connections') - connections,
        streams: openStreams(now) - 1,
      };
      return Object.values(left).every((count) => count === 0) ? done(undefined) : notYet(left);
    },
    { deadlineMs: PATIENCE_MS + stallMs },
  );
}

async function untilMetric(digger: DiggerProcess, name: string, wanted: number, moreMs = 0): Promise<void> {
  await eventually(
    `${name} is ${wanted}`,
    async () => {
      const value = await metric(digger, name);
      return value === wanted ? done(undefined) : notYet(value);
    },
    { deadlineMs: PATIENCE_MS + moreMs },
  );
}

/** HTTP/2 by hand: a window of one byte for its stream, and one more in every interval. */
class Drip {
  /** Of frames of the feed. */
  bytes = 0;
  resetCode: number | undefined;
  /** Its stream has ended with a status. */
  hasStatus = false;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;

  constructor(address: string, intervalMs: number) {
    this.#socket = open(address, true, '127.0.0.1', true);
    this.#socket.write(Buffer.concat([initialWindow(1), watchCall()]));
    onFrames(this.#socket, ({ type, flags, payload }) => {
      if (type === FRAME.data) this.bytes += payload.length;
      if (type === FRAME.headers && (flags & END_STREAM) !== 0) this.hasStatus = true;
      if (type === FRAME.reset) this.resetCode = payload.readUInt32BE(0);
      if (type === FRAME.ping && flags === 0) this.#socket.write(frame(FRAME.ping, 1, 0, payload));
    });
    this.#timer = setInterval(() => this.#socket.write(windowUpdate(1, 1)), intervalMs);
    this.#socket.once('close', () => clearInterval(this.#timer));
  }

  /** From now on it takes everything. */
  readAll(): void {
    this.#socket.write(Buffer.concat([windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000)]));
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }
}
