// A thousand subscribers that read nothing, for minutes, under 500 changes a second: they cost a bounded amount that does
// not grow, a hundred healthy ones do not notice, and after the stall timeout nothing of them is left.
//
// FEED_STALLED_SECONDS: how long they stay, default 120. Prints the latencies: they depend on the machine.

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createHistogram } from 'node:perf_hooks';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command, Measured, Ports } from '../bench/feed-server.ts';

const STALLED = 1_000;
const HEALTHY = 100;
const ENTITIES = 2_000;
const STAY_MS = Number(process.env['FEED_STALLED_SECONDS'] ?? 120) * 1_000;
/** Four times three changes, 42 times a second. */
const TICK = { perTick: 4, intervalMs: 24 };
const SAMPLES = 6;

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

  it('cost what they cost at the beginning, delay nobody, and are gone after the timeout', async () => {
    const env = { ...process.env, FEED_STALL_TIMEOUT_MS: String(STAY_MS) };
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
    await changes(2_000);
    latency.reset();
    const empty = await order<Measured>({ do: 'measure' });
    await changes(STAY_MS / SAMPLES);
    const alone = [latency.percentile(50), latency.percentile(99)];

    const stalled = Array.from({ length: STALLED }, () => subscribe(port, undefined));
    await until('everybody', ({ digger }) => digger === HEALTHY + STALLED, 30_000);
    await changes(STAY_MS / SAMPLES / 2);
    latency.reset();
    const heaps: number[] = [];
    // Until shortly before the timeout of those that stalled first.
    for (let sample = 0; sample < SAMPLES - 2; sample++) {
      heaps.push((await order<Measured>({ do: 'measure' })).heapBytes);
      await changes(STAY_MS / SAMPLES);
    }
    const beside = [latency.percentile(50), latency.percentile(99)];
    const during = await order<Counts>({ do: 'subscribers' });
    assert.equal(during.digger, HEALTHY + STALLED, 'nobody was ended yet');

    await until('after the timeout', ({ digger, openCalls }) => digger === HEALTHY && openCalls === HEALTHY, STAY_MS);
    const released = await order<Measured>({ do: 'measure' });
    for (const session of stalled) session.destroy();
    await until('their connections', ({ sockets }) => sockets === before.sockets, 20_000);
    const left = await order<Measured>({ do: 'measure' });

    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    const ms = (us: number | undefined): string => `${((us ?? 0) / 1_000).toFixed(1)} ms`;
    console.log(`healthy alone: p50 ${ms(alone[0])}, p99 ${ms(alone[1])}`);
    console.log(`beside ${STALLED} stalled: p50 ${ms(beside[0])}, p99 ${ms(beside[1])}`);
    console.log(`memory without them ${mb(empty.heapBytes)}, with them ${heaps.map(mb).join(', ')}`);
    console.log(`after the timeout ${mb(released.heapBytes)}, after their connections closed ${mb(left.heapBytes)}`);
    assert.ok((heaps.at(-1) ?? 0) <= (heaps[0] ?? 0) * 1.1, 'memory does not grow while they stay');
    // What is left is bounded by removals that are kept, which a run without them has as well.
    assert.ok(left.heapBytes - empty.heapBytes <= ((heaps.at(-1) ?? 0) - empty.heapBytes) / 2, 'their memory is free');
  });
});

/** With a histogram: takes everything and records how long it took, in µs. Without: reads nothing. */
function subscribe(port: number, latency: ReturnType<typeof createHistogram> | undefined): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/digger.v1.ChangeFeedService/Watch',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
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
