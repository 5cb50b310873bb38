// The process under test of feed.bench.ts: our server with a feed, and what it is measured beside, on ports of their
// own (see feed-baselines.ts). All are told what to do over IPC, and answer with what it cost.

import { setTimeout as wait } from 'node:timers/promises';
import { ServerCredentials } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import { createRpcServer } from '../../src/rpc/server.ts';
import { createFeedService } from '../../src/rpc/methods/watch.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { encodedLength } from '../../src/wire/encoded-entity.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { messageType } from '../../src/wire/schema.ts';
import { entity, Picture } from '../feed/cluster.ts';
import { FakePicture } from '../rpc/fake-picture.ts';
import { LABELS, naivePod, startBare, startNaive } from './feed-baselines.ts';

export type Which = 'digger' | 'naive' | 'bare';

export type Command =
  /** So many entities in all. */
  | { readonly do: 'fill'; readonly entities: number }
  /** `frames` times: `changes` changes at once, then wait until every subscriber took them. */
  | { readonly do: 'burst'; readonly which: Which; readonly changes: number; readonly frames: number }
  /** A change in every interval, with the time in it; `perTick` at once. */
  | { readonly do: 'tick'; readonly ticks: number; readonly intervalMs: number; readonly perTick: number }
  /** From now on so many changes a second, ten at a time; 0: no more. */
  | { readonly do: 'churn'; readonly perSecond: number }
  /** So many changes of entities that were there already; gives the token of a consumer that had everything before. */
  | { readonly do: 'change'; readonly changes: number }
  /** Since the last time: CPU, the longest time that the event loop did not turn; and memory now. */
  | { readonly do: 'measure' }
  | { readonly do: 'subscribers' };

export interface Measured {
  readonly cpuMs: number;
  /** By the clock: includes the time that other processes took. */
  readonly maxBlockMs: number;
  /** CPU time of the thread that runs the event loop. */
  readonly maxTurnCpuMs: number;
  /** Of the collected heap and of what lies outside of it (Buffers). */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** The most that it ever was. */
  readonly maxRssBytes: number;
}

export interface Ports extends Readonly<Record<Which, number>> {
  /** Of one entity. */
  readonly entityBytes: number;
}

const WatchResponse = messageType('digger.v1.WatchResponse');

const SPEC = { kind: 'Pod', namespace: 'shop', nodeName: 'node-1', labels: LABELS } as const;
const BALLAST = ballast();
const LATENCY_ENTITIES = 1_000;

if (process.send !== undefined) await serve();

async function serve(): Promise<void> {
  const registry = new Registry();
  const logger = createLogger({ level: 'silent', pretty: false });
  const feed = new ChangeFeed({
    epoch: Buffer.alloc(16, 1),
    configuration: '',
    freshness: () => [],
    registry,
    limits: {
      stallTimeoutMs: Number(process.env['FEED_STALL_TIMEOUT_MS'] ?? 60_000),
      removalRetentionMs: Number(process.env['FEED_RETENTION_MS'] ?? 600_000),
    },
  });
  let revision = 0;
  let sources = 0;
  const picture = new Picture((batch) => {
    // Moments of twelve resources, so that tokens are as long as in a real cluster.
    for (; sources < 12; sources++) {
      const position = { resource: `resource-${sources}.example.com`, resourceVersion: '1000000', digest: 1 };
      feed.onBatch({ changes: [], seen: batch.seen, position });
    }
    feed.onBatch({ ...batch, position: { ...batch.position, digest: picture.sequence } });
  });
  let lastFrame: Frame | undefined;
  let taken = 0;
  let completed = 0;
  let owed = 0;
  let allTaken: () => void = () => undefined;
  const open = feed.open.bind(feed);
  feed.open = (request, sink) =>
    open(request, {
      end: (reason, silentMs) => {
        completed += 1;
        sink.end(reason, silentMs);
      },
      write: (frame, done) => {
        lastFrame = frame;
        sink.write(frame, () => {
          done();
          taken += 1;
          if (taken === owed) allTaken();
        });
      },
    });
  const rpc = createRpcServer(
    Object.assign(new FakePicture(), { feed: createFeedService({ feed, logger, disconnect: () => undefined }) }),
    {
      credentials: ServerCredentials.createInsecure(),
      logger,
      registry,
      limits: {
        maxStreamsPerConnection: 10_000,
        maxConnections: 20_000,
        maxConnectionsPerAddress: 20_000,
        maxCallMemoryBytes: 1_073_741_824,
        maxCallerMemoryBytes: 1_073_741_824,
      },
    },
  );
  const { port: digger } = await rpc.start({ host: '127.0.0.1', port: 0 });
  rpc.setReady(true);

  const naive = await startNaive();
  /** Of the feed's frames with so many changes, as they go out. */
  const frameBytes = new Map<number, number>();
  const bare = await startBare((changes) => frameBytes.get(changes) ?? 0);

  const spec = (index: number) => ({
    ...SPEC,
    name: `checkout-${index}`,
    nodeName: `node-${index % 100}`,
    revision: ++revision,
    ballast: BALLAST,
  });
  const burstDigger = async (changes: number, frames: number): Promise<void> => {
    for (let frame = 0; frame < frames; frame++) {
      owed = taken + feed.stats().subscribers;
      const all = new Promise<void>((resolve) => {
        allTaken = resolve;
      });
      // One flush later: all of them go into one frame.
      for (let index = 0; index < changes; index++) picture.set(spec(index));
      await all;
    }
    frameBytes.set(changes, lastFrame?.prefixed.byteLength ?? 0);
  };
  const tick = async (ticks: number, intervalMs: number, perTick: number): Promise<void> => {
    const startMs = performance.now();
    for (let each = 0; each < ticks; each++) {
      for (let index = 0; index < perTick; index++) {
        const sentUs = String(Math.round((performance.timeOrigin + performance.now()) * 1_000));
        // Another entity each time: of one that changes again the log keeps the newest state only.
        const name = `latency-${(each * perTick + index) % LATENCY_ENTITIES}`;
        picture.set({ ...spec(index), name, labels: { sentUs } });
      }
      await wait(Math.max(0, startMs + (each + 1) * intervalMs - performance.now()));
    }
  };

  const turns = watchTurns();
  let churn: NodeJS.Timeout | undefined;
  let cpu = process.cpuUsage();
  const run = async (command: Command): Promise<unknown> => {
    switch (command.do) {
      case 'fill':
        for (let index = 0; index < command.entities; index++) {
          picture.set(spec(index));
          if (index % 1_000 === 0) await wait(0);
        }
        return undefined;
      case 'burst':
        turns.stop();
        await { digger: burstDigger, naive: naive.burst, bare: bare.burst }[command.which](
          command.changes,
          command.frames,
        );
        return undefined;
      case 'churn':
        clearInterval(churn);
        if (command.perSecond > 0) {
          churn = setInterval(() => {
            for (let index = 0; index < 10; index++) picture.set(spec(index));
          }, 10_000 / command.perSecond);
        }
        return undefined;
      case 'change': {
        const before = lastFrame === undefined ? undefined : WatchResponse.decode(lastFrame.message);
        for (let index = 0; index < command.changes; index++) picture.set(spec(index));
        return before === undefined ? undefined : Buffer.from(Reflect.get(before, 'resumeToken')).toString('base64');
      }
      case 'tick':
        return tick(command.ticks, command.intervalMs, command.perTick);
      case 'subscribers':
        return {
          digger: feed.stats().subscribers,
          naive: naive.subscribers(),
          bare: bare.subscribers(),
          openCalls: rpc.openCalls,
          completed,
          sockets: sockets(),
        };
      case 'measure': {
        const { user, system } = process.cpuUsage(cpu);
        // Ours, not the service's: it counts in no measurement.
        globalThis.gc?.();
        await wait(20);
        const { heapUsed, external, rss } = process.memoryUsage();
        const { maxBlockMs, maxTurnCpuMs } = last;
        turns.start();
        completed = 0;
        cpu = process.cpuUsage();
        return {
          cpuMs: (user + system) / 1_000,
          maxBlockMs,
          maxTurnCpuMs,
          heapBytes: heapUsed + external,
          rssBytes: rss,
          maxRssBytes: process.resourceUsage().maxRSS * 1024,
        } satisfies Measured;
      }
    }
  };
  let last = turns.read();
  process.on('message', async (command: Command) => {
    last = turns.read();
    process.send?.({ result: (await run(command)) ?? null });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({
    result: {
      digger,
      naive: naive.port,
      bare: bare.port,
      entityBytes: encodedLength(entity(spec(1), 'uid-1'), 'FULL'),
    } satisfies Ports,
  });
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

/** The longest time between two turns of the event loop, by the clock and in CPU time, from a timer every 1 ms. */
function watchTurns() {
  const tickMs = 1;
  let [maxMs, maxCpuMs] = [0, 0];
  const cpuNow = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let [atMs, cpuMs] = [performance.now(), cpuNow()];
  let timer: NodeJS.Timeout | undefined;
  return {
    read: () => ({ maxBlockMs: maxMs, maxTurnCpuMs: maxCpuMs }),
    /** It costs CPU time itself, about 3 % of a core. */
    stop: () => clearInterval(timer),
    start: () => {
      clearInterval(timer);
      [maxMs, maxCpuMs] = [0, 0];
      [atMs, cpuMs] = [performance.now(), cpuNow()];
      timer = setInterval(() => {
        const [nowMs, nowCpuMs] = [performance.now(), cpuNow()];
        maxMs = Math.max(maxMs, nowMs - atMs - tickMs);
        maxCpuMs = Math.max(maxCpuMs, nowCpuMs - cpuMs);
        [atMs, cpuMs] = [nowMs, nowCpuMs];
      }, tickMs);
    },
  };
}

/** What our entities are filled up with, so that both servers send as many bytes. */
function ballast(): number {
  const pod = messageType('digger.v1.Pod');
  const length = (message: object): number => pod.encode(message).finish().byteLength;
  return length(naivePod(1, 1)) - encodedLength(entity({ ...SPEC, name: 'checkout-1', revision: 1 }, 'uid-1'), 'FULL');
}
