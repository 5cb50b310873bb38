// A thousand subscribers that read nothing, for minutes, under 500 changes a second: they cost a bounded amount that
// does not grow, a hundred healthy ones do not notice, and after the stall timeout nothing of them is left: no stream,
// no connection, no memory.
//
// FEED_STALLED_SECONDS: how long they stay, default 90. The healthy ones are by themselves for half of that before, and
// for half of it afterwards, so that a machine that gets busier or quieter meanwhile shows. Prints latencies: they
// depend on the machine.

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createHistogram } from 'node:perf_hooks';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command, Measured, Ports } from '../bench/feed-server.ts';
import { callHeaders } from '../observers/raw-call.ts';

const STALLED = 1_000;
const HEALTHY = 100;
const ENTITIES = 2_000;
const STAY_MS = Number(process.env['FEED_STALLED_SECONDS'] ?? 90) * 1_000;
/** Four times three changes, 42 times a second. */
const TICK = { perTick: 4, intervalMs: 24 };
const SAMPLES = 6;
/** What the log keeps grows for this long at most, with or without readers: it must not be counted as their cost. */
const RETENTION_MS = 10_000;
/** Those that stall do so at once; they are looked at until shortly before they are ended. */
const STALL_MS = STAY_MS + 20_000;

interface Counts {
  readonly digger: number;
  readonly openCalls: number;
  readonly sockets: number;
}

describe(`${STALLED} stalled subscribers under 500 changes a second`, { timeout: STAY_MS * 3 + 300_000 }, () => {
  let child: ChildProcess | undefined;
  const sessions: ClientHttp2Session[] = [];
  after(() => {
    for (const session of sessions) session.destroy();
    child?.disconnect();
  });

  it('cost what they cost at the beginning, delay no other, and are gone after the timeout', async () => {
    const env = { ...process.env, FEED_STALL_TIMEOUT_MS: String(STALL_MS), FEED_RETENTION_MS: String(RETENTION_MS) };
    const server = fork(fileURLToPath(new URL('../bench/feed-server.ts', import.meta.url)), {
      execArgv: ['--expose-gc'],
      env,
    });
    child = server;
    const receive = <Result>(): Promise<Result> =>
      new Promise((resolve) => server.once('message', ({ result }: { result: Result }) => resolve(result)));
    const order = <Result>(command: Command): Promise<Result> => {
      const answer = receive<Result>();
      server.send(command);
      return answer;
    };
    const until = async (what: string, holds: (counts: Counts) => boolean, withinMs: number): Promise<Counts> => {
      const deadlineMs = performance.now() + withinMs;
      for (;;) {
        const counts = await order<Counts>({ do: 'subscribers' });
        if (holds(counts)) return counts;
        assert.ok(performance.now() < deadlineMs, `${what}: ${JSON.stringify(counts)}`);
        await wait(100);
      }
    };
    const { digger: port } = await receive<Ports>();
    await order({ do: 'fill', entities: ENTITIES });
    const latency = createHistogram();
    for (let index = 0; index < HEALTHY; index++) sessions.push(subscribe(port, latency));
    const before = await until('the healthy ones', ({ digger }) => digger === HEALTHY, 20_000);
    const changes = (ms: number): Promise<unknown> =>
      order({ do: 'tick', ticks: Math.round(ms / TICK.intervalMs), ...TICK });
    const phase = async (ms: number): Promise<Phase> => {
      latency.reset();
      await order({ do: 'measure' });
      await changes(ms);
      const { cpuMs, heapBytes, rssBytes } = await order<Measured>({ do: 'measure' });
      return { p50Us: latency.percentile(50), p99Us: latency.percentile(99), cpu: cpuMs / ms, heapBytes, rssBytes };
    };
    await changes(RETENTION_MS);
    const alone = await phase(STAY_MS / 2);
    print('alone', alone);

    const stalled = Array.from({ length: STALLED }, () => subscribe(port, undefined));
    await until('everybody', ({ digger }) => digger === HEALTHY + STALLED, 30_000);
    const beside: Phase[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      beside.push(await phase(STAY_MS / SAMPLES));
      print(`beside ${STALLED} stalled (${sample + 1} of ${SAMPLES})`, beside[sample]);
    }
    const during = await order<Counts>({ do: 'subscribers' });
    assert.equal(during.digger, HEALTHY + STALLED, 'no subscription was ended yet');

    // They still do nothing: the service lets go of them.
    await until('after the timeout', ({ digger, openCalls }) => digger === HEALTHY && openCalls === HEALTHY, 90_000);
    await until('their connections', ({ sockets }) => sockets === before.sockets, 30_000);
    for (const { destroyed } of sessions) assert.equal(destroyed, false, 'the healthy ones are connected');
    const after = await phase(STAY_MS / 2);
    print('alone again', after);
    for (const session of stalled) session.destroy();

    const [first, last] = [beside[0], beside.at(-1)];
    assert.ok(first !== undefined && last !== undefined);
    assert.ok(last.heapBytes <= first.heapBytes * 1.1, 'memory does not grow while they stay');
    assert.ok(after.heapBytes - alone.heapBytes <= (last.heapBytes - alone.heapBytes) / 2, 'their memory is free');
  });
});

interface Phase {
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of one core. */
  readonly cpu: number;
  /** At its end, collected. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

function print(what: string, phase: Phase | undefined): void {
  if (phase === undefined) return;
  const ms = (us: number): string => `${(us / 1_000).toFixed(1)} ms`;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const { p50Us, p99Us, cpu, heapBytes, rssBytes } = phase;
  const cores = `${(cpu * 100).toFixed(0)} % of a core`;
  console.log(`${what}: p50 ${ms(p50Us)}, p99 ${ms(p99Us)}; ${cores}; ${mb(heapBytes)}, resident ${mb(rssBytes)}`);
}

/** With a histogram: takes everything and records how long it took, in µs. Without: reads nothing. */
function subscribe(port: number, latency: ReturnType<typeof createHistogram> | undefined): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream = session.request(callHeaders('/digger.v1.ChangeFeedService/Watch'));
  stream.on('error', () => undefined);
  stream.end(Buffer.alloc(5));
  if (latency !== undefined) {
    stream.on('data', (chunk: Buffer) => {
      const at = chunk.indexOf('sentUs');
      if (at < 0) return;
      const sentUs = Number(chunk.toString('latin1', at + 8, at + 24));
      if (sentUs > 0)
        latency.record(Math.max(1, Math.round((performance.timeOrigin + performance.now()) * 1_000 - sentUs)));
    });
  }
  return session;
}
