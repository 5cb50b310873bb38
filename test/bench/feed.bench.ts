// The change feed beside a naive server (encode and write per subscriber) in one run: CPU per delivery at 1 and 50 changes
// a frame, snapshots and what they do to the event loop, memory of idle subscribers, and how long a change takes.
//
// The server is a process of its own; this one subscribes over node:http2 and takes whatever comes. What counts is the
// server's CPU time: it does not depend on how fast this side reads. `--short`: the same with less of everything.

import { fork } from 'node:child_process';
import { type ClientHttp2Session, connect } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { createHistogram } from 'node:perf_hooks';
import type { Command, Measured, Ports, Which } from './feed-server.ts';

const SHORT = process.argv.includes('--short');
const SUBSCRIBERS = SHORT ? [1, 100] : [1, 100, 1_000];
const ENTITIES = SHORT ? 10_000 : 100_000;
const IDLE = SHORT ? 100 : 500;
/** Deliveries of one measurement: enough for a second or so of CPU. */
const DELIVERIES = SHORT ? 100_000 : 500_000;
const STREAMS_PER_CONNECTION = 50;

const child = fork(fileURLToPath(new URL('feed-server.ts', import.meta.url)), { execArgv: ['--expose-gc'] });
const receive = <Result>(): Promise<Result> =>
  new Promise((resolve) => child.once('message', ({ result }: { result: Result }) => resolve(result)));
const order = <Result>(command: Command): Promise<Result> => {
  const answer = receive<Result>();
  child.send(command);
  return answer;
};
const measure = (): Promise<Measured> => order<Measured>({ do: 'measure' });

const ports = await receive<Ports>();
try {
  await order({ do: 'fill', entities: 100 });
  console.log(`entities of ${ports.entityBytes} bytes`);
  // First, while nothing has to be collected yet that others left.
  await idleMemory();
  await deliveries();
  await latency('quiet', 1, SHORT ? 50 : 200, 50, 1);
  if (!SHORT) await latency('1,000 changes/s', 1_000, 500, 20, 20);
  await order({ do: 'fill', entities: ENTITIES });
  await snapshots(1);
  await snapshots(10);
  if (!SHORT) await snapshots(100);
} finally {
  child.disconnect();
}

async function deliveries(): Promise<void> {
  for (const subscribers of SUBSCRIBERS) {
    for (const changes of [1, 50]) {
      const perSecond = new Map<Which, number>();
      for (const which of ['naive', 'digger'] as const) {
        const clients = await subscribe(ports[which], subscribers);
        await until(which, subscribers);
        await order({ do: 'burst', which, changes, frames: 5 });
        await measure();
        const frames = Math.min(Math.max(Math.round(DELIVERIES / (subscribers * changes)), 20), 5_000);
        await order({ do: 'burst', which, changes, frames });
        const { cpuMs } = await measure();
        perSecond.set(which, (subscribers * changes * frames) / (cpuMs / 1_000));
        clients.close();
        await until(which, 0);
      }
      const [ours, theirs] = [perSecond.get('digger') ?? 0, perSecond.get('naive') ?? 1];
      console.log(
        `${subscribers} subscribers, ${changes} changes a frame: ${Math.round(ours)} deliveries per CPU second, ` +
          `naive ${Math.round(theirs)}, ratio ${(ours / theirs).toFixed(1)}`,
      );
    }
  }
}

async function snapshots(count: number): Promise<void> {
  await measure();
  const startMs = performance.now();
  const clients = await subscribe(ports.digger, count, { snapshotOnly: true, perConnection: 1 });
  await clients.ended;
  const elapsedMs = performance.now() - startMs;
  const { cpuMs, maxBlockMs, maxTurnCpuMs } = await measure();
  console.log(
    `snapshot of ${ENTITIES} entities, ${count} at once: ${Math.round(elapsedMs)} ms, ` +
      `${(clients.bytes() / count / 1e6).toFixed(1)} MB each, ${Math.round(cpuMs / count)} ms of CPU each, ` +
      `one turn of the event loop: at most ${maxTurnCpuMs.toFixed(1)} ms of CPU (${maxBlockMs.toFixed(1)} ms by the clock)`,
  );
  clients.close();
  await until('digger', 0);
}

async function idleMemory(): Promise<void> {
  const empty = await measure();
  const clients = await subscribe(ports.digger, IDLE, { perConnection: 1 });
  await until('digger', IDLE);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { heapBytes, rssBytes } = await measure();
  const each = (bytes: number): string => `${(bytes / IDLE / 1_000).toFixed(1)} kB`;
  console.log(
    `idle subscriber on a connection of its own (${IDLE} of them): ` +
      `${each(heapBytes - empty.heapBytes)} of heap, ${each(rssBytes - empty.rssBytes)} of resident memory`,
  );
  clients.close();
  await until('digger', 0);
}

async function latency(what: string, subscribers: number, ticks: number, intervalMs: number, perTick: number) {
  const histogram = createHistogram();
  const clients = await subscribe(ports.digger, subscribers, {
    onData: (chunk) => {
      const nowUs = (performance.timeOrigin + performance.now()) * 1_000;
      const at = chunk.indexOf('sentUs');
      if (at < 0) return;
      const sentUs = Number(chunk.toString('latin1', at + 8, at + 24));
      if (sentUs > 0) histogram.record(Math.max(1, Math.round(nowUs - sentUs)));
    },
  });
  await until('digger', subscribers);
  await new Promise((resolve) => setTimeout(resolve, 500));
  histogram.reset();
  await order({ do: 'tick', ticks, intervalMs, perTick });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const ms = (percentile: number): string => (histogram.percentile(percentile) / 1_000).toFixed(1);
  console.log(
    `change → subscriber, ${what}, ${subscribers} subscribers: p50 ${ms(50)} ms, p99 ${ms(99)} ms ` +
      `(${histogram.count} frames)`,
  );
  clients.close();
  await until('digger', 0);
}

interface Clients {
  readonly bytes: () => number;
  /** Every stream ended by itself. */
  readonly ended: Promise<unknown>;
  close(): void;
}

interface SubscribeOptions {
  readonly snapshotOnly?: boolean;
  readonly perConnection?: number;
  readonly onData?: (chunk: Buffer) => void;
}

async function subscribe(port: number, count: number, options: SubscribeOptions = {}): Promise<Clients> {
  const { snapshotOnly = false, perConnection = STREAMS_PER_CONNECTION, onData } = options;
  const sessions: ClientHttp2Session[] = [];
  let bytes = 0;
  const ends: Promise<void>[] = [];
  const started: Promise<void>[] = [];
  // `WatchRequest.snapshot_only`, field 4.
  const request = Buffer.from(snapshotOnly ? [0, 0, 0, 0, 2, 0x20, 1] : [0, 0, 0, 0, 0]);
  for (let index = 0; index < count; index++) {
    if (index % perConnection === 0) {
      const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 20 } });
      session.on('error', () => undefined);
      session.once('connect', () => session.setLocalWindowSize(1 << 24));
      sessions.push(session);
    }
    const stream = sessions.at(-1)?.request({
      ':method': 'POST',
      ':path': '/digger.v1.ChangeFeedService/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    if (stream === undefined) throw new Error('no session');
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      onData?.(chunk);
    });
    started.push(new Promise((resolve) => stream.once('response', () => resolve())));
    ends.push(new Promise((resolve) => stream.once('close', () => resolve())));
    stream.end(request);
  }
  await Promise.all(started);
  return {
    bytes: () => bytes,
    ended: Promise.all(ends),
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

async function until(which: Which, subscribers: number): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    const counts = await order<Record<Which, number>>({ do: 'subscribers' });
    if (counts[which] === subscribers) return;
    if (performance.now() > deadlineMs) throw new Error(`${which}: ${counts[which]} of ${subscribers} subscribers`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
