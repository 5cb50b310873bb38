// Subscribers that cancel at any moment: at once, in a snapshot, while they wait for this replica to catch up, in the
// middle of changes, stalled, after their end was decided; by a reset of the stream, or with their connection.
//
// In one process with the server, so that what is left can be counted exactly: subscriptions, calls, connections,
// timers, and memory after a collection.
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeToken, parseToken } from '../../src/feed/tokens/resume-token.ts';
import { Picture } from '../feed/cluster.ts';
import { start, type Started } from '../rpc/feed-serving.ts';
import { encodeMessage, eventually } from '../rpc/serving.ts';
import { createRandom, type Random } from '../random.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

/** Cancelling at the same time, and the connections that they share. */
const AT_ONCE = 25;
const CONNECTIONS = 5;

/** How the moment to cancel is chosen. */
const MOMENTS = ['at once', 'in the snapshot', 'waiting', 'in flight', 'stalled', 'let go'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Left {
  readonly subscribers: number;
  readonly calls: number;
  readonly connections: number;
  readonly timers: number;
  /** Heap and buffers, after a collection. */
  readonly bytes: number;
}

export interface Cancelled {
  readonly moments: ReadonlyMap<Moment, number>;
  /** After the first tenth. */
  readonly before: Left;
  readonly after: Left;
}

/** Cancels a tenth as often to warm up, then so often, and settles after each. */
export async function cancelAtRandom(t: TestContext, cancels: number, seed: number): Promise<Cancelled> {
  const random = createRandom(seed);
  const started = await start(t, { stallTimeoutMs: 500, removalRetentionMs: 5_000 }, 250);
  const picture: Picture = new Picture((batch) =>
    started.feed.onBatch({ ...batch, position: { ...batch.position, digest: picture.sequence } }),
  );
  const spec = (index: number) =>
    ({ kind: 'Pod', namespace: 'shop', name: `web-${index}`, ballast: 2_000, revision: picture.sequence }) as const;
  for (let index = 0; index < 200; index++) picture.set(spec(index));
  const churn = setInterval(() => picture.set(spec(random.between(0, 199))), 2);
  t.after(() => clearInterval(churn));
  const ahead = await tokenOfAReplicaAhead(started);
  const moments = new Map<Moment, number>();
  const crowd = new Crowd(started.serving.target, random, ahead, moments);
  await crowd.cancel(Math.ceil(cancels / 10));
  const before = await settle(started, crowd);
  await crowd.cancel(cancels);
  return { moments, before, after: await settle(started, crowd) };
}

class Crowd {
  readonly #target: string;
  readonly #random: Random;
  readonly #ahead: Buffer;
  readonly #moments: Map<Moment, number>;
  readonly #sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: CONNECTIONS });

  constructor(target: string, random: Random, ahead: Buffer, moments: Map<Moment, number>) {
    this.#target = target;
    this.#random = random;
    this.#ahead = ahead;
    this.#moments = moments;
  }

  async cancel(times: number): Promise<void> {
    let left = times;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#subscribeAndCancel();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** Ends its connections. */
  leave(): void {
    for (const [index, session] of this.#sessions.entries()) {
      session?.destroy();
      this.#sessions[index] = undefined;
    }
  }

  async #subscribeAndCancel(): Promise<void> {
    const random = this.#random;
    const moment = random.pick(MOMENTS);
    this.#moments.set(moment, (this.#moments.get(moment) ?? 0) + 1);
    const index = random.between(0, CONNECTIONS - 1);
    const session = this.#session(index);
    const stream = session.request(callHeaders('/digger.v1.ChangeFeedService/Watch'));
    stream.on('error', () => undefined);
    const gone = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    const message = encodeMessage('digger.v1.WatchRequest', moment === 'waiting' ? { resumeToken: this.#ahead } : {});
    stream.end(prefixed(message));
    switch (moment) {
      case 'at once':
        break;
      case 'in the snapshot':
        // 400 kB; the first frames, or a part of one.
        await new Promise<void>((resolve) => {
          let wanted = random.between(1, 200_000);
          stream.on('data', (chunk: Buffer) => {
            wanted -= chunk.length;
            if (wanted <= 0) resolve();
          });
          stream.once('close', () => resolve());
        });
        break;
      case 'waiting':
      case 'in flight':
        stream.resume();
        await pause(random.between(0, 30));
        break;
      case 'stalled':
        await pause(random.between(0, 30));
        break;
      case 'let go':
        // The stall timeout and the graces after it pass meanwhile, or do not.
        await pause(random.between(400, 1_100));
        break;
      default:
        moment satisfies never;
    }
    // Now and then with everybody else on the connection.
    if (random.chance(0.02)) session.destroy();
    else stream.close(constants.NGHTTP2_CANCEL);
    await gone;
  }

  #session(index: number): ClientHttp2Session {
    const known = this.#sessions[index];
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(`http://${this.#target}`);
    session.on('error', () => undefined);
    session.setMaxListeners(0);
    this.#sessions[index] = session;
    return session;
  }
}

/** Who has seen more than this process, by its token. */
async function tokenOfAReplicaAhead({ watch }: Started): Promise<Buffer> {
  const { consumer, until, cancel } = watch({});
  await until(() => consumer.synced);
  cancel();
  const token = parseToken(consumer.token);
  assert.ok(typeof token === 'object' && token.sources.ranges.length > 0, 'a token that others can continue');
  const moment = { version: '999999999999', digest: 1 };
  const sources = { set: token.sources.set, ranges: token.sources.ranges.map(() => ({ low: moment, high: moment })) };
  // Young for as long as this takes: an old one is not waited for.
  const issuedMs = token.issuedMs + 3_600_000;
  return encodeToken({ ...token, issuedMs, epoch: Buffer.alloc(16, 7), sources });
}

/** When everybody has left: what is still there. */
async function settle({ feed, serving, untilConnections }: Started, crowd: Crowd): Promise<Left> {
  crowd.leave();
  await eventually(
    () => feed.stats().subscribers === 0 && serving.server.openCalls === 0,
    () => `${feed.stats().subscribers} subscribers, ${serving.server.openCalls} calls`,
  );
  // The observer's own connection.
  await untilConnections(1);
  // Longer than the graces after a stall: no timer is left of them.
  await pause(600);
  collect();
  await pause(50);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return {
    subscribers: feed.stats().subscribers,
    calls: serving.server.openCalls,
    connections: 1,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    bytes: heapUsed + external,
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
