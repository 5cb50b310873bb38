// The change feed beside a naive server (encode and write per subscriber) and a bare HTTP/2 one (the ceiling) in one
// run: CPU per delivery at 1 and 50 changes a frame, how long a change takes, snapshots and what they do to the event
// loop, reconnecting, thousands of subscribers, and memory of idle ones.
//
// The server is a process of its own, with the options of the image; this one subscribes and takes whatever comes. What
// counts is the server's CPU time: it does not depend on how fast this side reads. `--short`: the same with less of
// everything; `--only=deliveries` (latency, snapshots, reconnects, crowd, idle): that alone.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createHistogram } from 'node:perf_hooks';
import { type Clients, drain, subscribe } from './feed-clients.ts';
import type { Command, Measured, Ports, Which } from './feed-server.ts';

const SHORT = process.argv.includes('--short');
const ONLY = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const SUBSCRIBERS = SHORT ? [1, 100] : [1, 100, 1_000];
const ENTITIES = SHORT ? [10_000] : [10_000, 100_000];
const IDLE = SHORT ? 100 : 1_000;
const CROWD = SHORT ? 500 : 5_000;
/** Deliveries of one measurement: enough for a second or so of CPU. */
const DELIVERIES = SHORT ? 100_000 : 1_000_000;
/** Of the subscribers whose latency is asked for; the others are there all the same. */
const SAMPLED = 20;
/** What happens within 30 s at 100 changes a second. */
const MISSED = 3_000;

const server = await startServer();
const { ports, order, measure } = server;
try {
  await order({ do: 'fill', entities: 100 });
  console.log(`entities of ${ports.entityBytes} bytes`);
  await section('idle', idleMemory);
  await section('deliveries', deliveries);
  await section('latency', async () => {
    await latency('quiet', 1, SHORT ? 50 : 200, 50, 1);
    if (!SHORT) await latency('1,000 changes/s', 1_000, 500, 20, 20);
  });
  await section('crowd', async () => {
    await crowd(1);
    if (!SHORT) await crowd(50);
  });
  for (const entities of ENTITIES) {
    await order({ do: 'fill', entities });
    await section('snapshots', async () => {
      for (const count of snapshotCounts(entities)) await snapshots(entities, count);
      // A change ends what readers share at the moment.
      if (!SHORT) await snapshots(entities, entities === 100_000 ? 100 : 1_000, 100);
    });
    await section('reconnects', () => reconnects(entities));
  }
} finally {
  server.stop();
}

async function section(name: string, run: () => Promise<void>): Promise<void> {
  if (ONLY === undefined || ONLY === name) await run();
}

function snapshotCounts(entities: number): readonly number[] {
  if (SHORT) return [1, 10];
  return entities === 100_000 ? [1, 10, 100] : [1, 1_000];
}

async function deliveries(): Promise<void> {
  for (const subscribers of SUBSCRIBERS) {
    for (const changes of [1, 50]) {
      const perSecond: Record<Which, number> = { digger: 0, naive: 0, bare: 0 };
      // The bare one last: it sends what the feed's frames weigh.
      for (const which of ['naive', 'digger', 'bare'] as const) {
        const clients = await subscribe(ports[which], subscribers);
        await until(which, subscribers);
        // Until what is compiled at run time is compiled.
        await order({ do: 'burst', which, changes, frames: Math.max(10, Math.round(5_000 / (subscribers * changes))) });
        await measure();
        // A quarter for the naive one: it takes longer for each.
        const share = which === 'naive' ? DELIVERIES / 4 : DELIVERIES;
        const frames = Math.min(Math.max(Math.round(share / (subscribers * changes)), 20), 20_000);
        await order({ do: 'burst', which, changes, frames });
        const { cpuMs } = await measure();
        perSecond[which] = (subscribers * changes * frames) / (cpuMs / 1_000);
        clients.close();
        await until(which, 0);
      }
      const { digger, naive, bare } = perSecond;
      console.log(
        `${subscribers} subscribers, ${changes} changes a frame: ${Math.round(digger)} deliveries per CPU second, ` +
          `naive ${Math.round(naive)}, ratio ${(digger / naive).toFixed(1)}; ` +
          `bare HTTP/2 ${Math.round(bare)}, ratio ${(digger / bare).toFixed(2)}`,
      );
    }
  }
}

async function latency(what: string, subscribers: number, ticks: number, intervalMs: number, perTick: number) {
  const histogram = createHistogram();
  const sampled = Math.min(subscribers, SAMPLED);
  const others = await drain(ports.digger, subscribers - sampled);
  const clients = await subscribe(ports.digger, sampled, {
    perConnection: 5,
    onData: (chunk) => {
      const nowUs = (performance.timeOrigin + performance.now()) * 1_000;
      // Every change in it, each of which has waited for a time of its own.
      for (let at = chunk.indexOf('sentUs'); at >= 0; at = chunk.indexOf('sentUs', at + 8)) {
        // Sixteen digits, unless the chunk ends in them.
        const sentUs = Number(chunk.toString('latin1', at + 8, at + 24));
        if (at + 24 <= chunk.length && sentUs > 0) histogram.record(Math.max(1, Math.round(nowUs - sentUs)));
      }
    },
  });
  await until('digger', subscribers);
  // What is there already came with the snapshots.
  await settled(others, clients);
  histogram.reset();
  await measure();
  await order({ do: 'tick', ticks, intervalMs, perTick });
  await settled(others, clients);
  const { cpuMs } = await measure();
  const ms = (percentile: number): string => (histogram.percentile(percentile) / 1_000).toFixed(1);
  console.log(
    `change → subscriber, ${what}, ${subscribers} subscribers: p50 ${ms(50)} ms, p99 ${ms(99)} ms ` +
      `(${histogram.count} changes at ${sampled}); the server took ${share(cpuMs, ticks * intervalMs)} of a core`,
  );
  await leave(others, clients);
}

/** `churn`: changes a second meanwhile. */
async function snapshots(entities: number, count: number, churn = 0): Promise<void> {
  await order({ do: 'churn', perSecond: churn });
  await measure();
  const startMs = performance.now();
  const clients = await drain(ports.digger, count, { snapshotOnly: true }, 1);
  await ended(clients, count);
  const elapsedMs = performance.now() - startMs;
  const { cpuMs, maxBlockMs, maxTurnCpuMs, maxRssBytes } = await measure();
  console.log(
    `snapshot of ${entities} entities, ${count} at once${churn > 0 ? `, ${churn} changes a second` : ''}: ${Math.round(elapsedMs)} ms, ` +
      `${(clients.bytes() / count / 1e6).toFixed(1)} MB each, ${(cpuMs / count).toFixed(1)} ms of CPU each, ` +
      `one turn of the event loop: at most ${maxTurnCpuMs.toFixed(1)} ms of CPU (${maxBlockMs.toFixed(1)} ms by the ` +
      `clock), resident at most ${Math.round(maxRssBytes / 1e6)} MB so far`,
  );
  await order({ do: 'churn', perSecond: 0 });
  await leave(clients);
}

/** With a token that is 30 s old, beside a snapshot for each of as many. */
async function reconnects(entities: number): Promise<void> {
  const count = 20;
  // A token is made only for a subscriber.
  const before = await subscribe(ports.digger, 1);
  await until('digger', 1);
  await settled(before);
  const resumeToken = Buffer.from(await order<string>({ do: 'change', changes: MISSED }), 'base64');
  await leave(before);
  const costs: { readonly cpuMs: number; readonly bytes: number }[] = [];
  for (const request of [{ resumeToken }, {}]) {
    await measure();
    const clients = await drain(ports.digger, count, { ...request, snapshotOnly: true }, 1);
    await ended(clients, count);
    const { cpuMs } = await measure();
    costs.push({ cpuMs: cpuMs / count, bytes: clients.bytes() / count });
    await leave(clients);
  }
  const [resumed, fresh] = costs.map(
    ({ cpuMs, bytes }) => `${cpuMs.toFixed(1)} ms of CPU and ${(bytes / 1e6).toFixed(2)} MB`,
  );
  console.log(
    `reconnecting among ${entities} entities after ${MISSED} changes, ${count} at once: ${resumed} each; ` +
      `with a snapshot ${fresh} each`,
  );
}

/** Many subscribers that get five frames a second. */
async function crowd(changes: number): Promise<void> {
  const clients = await drain(ports.digger, CROWD);
  await until('digger', CROWD);
  await settled(clients);
  const ticks = 25;
  const intervalMs = 200;
  const bytesBefore = clients.bytes();
  await measure();
  await order({ do: 'tick', ticks, intervalMs, perTick: changes });
  await settled(clients);
  const { cpuMs, maxTurnCpuMs } = await measure();
  console.log(
    `${CROWD} subscribers, 5 times ${changes} changes a second: ${share(cpuMs, ticks * intervalMs)} of a core, ` +
      `${((clients.bytes() - bytesBefore) / (ticks * CROWD) / 1e3).toFixed(1)} kB each time for each, ` +
      `one turn of the event loop: at most ${maxTurnCpuMs.toFixed(1)} ms of CPU`,
  );
  await leave(clients);
}

/** Each in a process of its own, because memory that was used once is not given back. */
async function idleMemory(): Promise<void> {
  const each = (bytes: number): string => `${(bytes / IDLE / 1_000).toFixed(1)} kB`;
  const told: string[] = [];
  for (const which of ['digger', 'naive', 'bare'] as const) {
    const fresh = await startServer();
    await fresh.order({ do: 'fill', entities: 100 });
    // What the first connections need beside themselves is not counted.
    const first = await subscribe(fresh.ports[which], 100, { perConnection: 1 });
    await until(which, 100, fresh);
    await settled(first);
    await fresh.measure();
    const before = await fresh.measure();
    const clients = await subscribe(fresh.ports[which], IDLE, { perConnection: 1 });
    await until(which, 100 + IDLE, fresh);
    await settled(clients);
    await fresh.measure();
    const { heapBytes, rssBytes } = await fresh.measure();
    told.push(`${which} ${each(rssBytes - before.rssBytes)} (heap ${each(heapBytes - before.heapBytes)})`);
    first.close();
    clients.close();
    fresh.stop();
  }
  console.log(`idle subscriber on a connection of its own, ${IDLE} of them, resident memory: ${told.join(', ')}`);
}

interface ServerProcess {
  readonly ports: Ports;
  order<Result>(command: Command): Promise<Result>;
  measure(): Promise<Measured>;
  stop(): void;
}

async function startServer(): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('feed-server.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--max-semi-space-size=4'],
  });
  const receive = <Result>(): Promise<Result> =>
    new Promise((resolve) => child.once('message', ({ result }: { result: Result }) => resolve(result)));
  const order = <Result>(command: Command): Promise<Result> => {
    const answer = receive<Result>();
    child.send(command);
    return answer;
  };
  return {
    ports: await receive<Ports>(),
    order,
    measure: () => order<Measured>({ do: 'measure' }),
    stop: () => child.disconnect(),
  };
}

function share(cpuMs: number, elapsedMs: number): string {
  return `${Math.round((cpuMs / elapsedMs) * 100)} %`;
}

async function leave(...clients: readonly Clients[]): Promise<void> {
  for (const each of clients) each.close();
  await until('digger', 0);
}

/** Nothing has come for a moment: longer than changes are ever collected for. */
async function settled(...clients: readonly Clients[]): Promise<void> {
  const count = (): number => clients.reduce((sum, each) => sum + each.bytes(), 0);
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

/** All of them have begun and are over. */
async function ended(clients: Clients, count: number): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const { digger, openCalls, completed } = await order<Counts>({ do: 'subscribers' });
    if (digger === 0 && openCalls === 0 && completed >= count) return;
    if (performance.now() > deadlineMs) throw new Error(`${openCalls} calls are open, ${clients.bytes()} bytes came`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Counts extends Readonly<Record<Which, number>> {
  readonly openCalls: number;
  /** Subscriptions that came to their own end since the last measurement. */
  readonly completed: number;
}

async function until(which: Which, subscribers: number, { order } = server): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const counts = await order<Counts>({ do: 'subscribers' });
    if (counts[which] === subscribers) return;
    if (performance.now() > deadlineMs) throw new Error(`${which}: ${counts[which]} of ${subscribers} subscribers`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
