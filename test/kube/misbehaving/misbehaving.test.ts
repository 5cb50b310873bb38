// The watching side against a server that misbehaves on purpose, over real sockets: single faults first, then all of
// them by chance. MISBEHAVING_SEED repeats a run, MISBEHAVING_SECONDS makes it longer; test/long runs it for minutes.

import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { createCertificate } from '../../simulator/server/certificate.ts';
import type { Protocol } from './gateway.ts';
import type { Report } from './misbehaving-api-server.ts';
import type { Misbehaviour } from './misbehaviours.ts';
import { run } from './misbehaving-run.ts';
import type { ServerThread } from './server-thread.ts';
import { Trial } from './trial.ts';

const seed = Number(process.env['MISBEHAVING_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const seconds = Number(process.env['MISBEHAVING_SECONDS'] ?? 3);
const isLong = seconds > 60;
/**
 * What a dead connection may take over HTTP/2: 250 ms of silence, 500 ms for the ping, the way back, and a busy
 * machine.
 */
const NOTICED_MS = 3_000;
/** How long the transport waits for the FIN of a peer with which nothing is under way any more. */
const FIN_MS = 5_000;
/** In ten minutes of trouble; compiled code and caches take a megabyte or two. */
const MAX_HEAP_GROWTH_MB = 5;

type Seen = Report & { readonly alive: number; readonly linked: number };

const FAULTS: Readonly<Record<string, (trial: Trial) => Promise<unknown>>> = {
  'a connection that falls silent is noticed by a ping': ({ server }) => server.call('afflict', 'silent'),
  'a connection that answers no ping is left': async ({ server }) => {
    const { linked } = await server.call('report');
    await server.call('afflict', 'no acknowledgements');
    await until(server, 'another connection', (seen) => seen.linked > linked);
  },
  'a connection that was told to go and then falls silent is noticed as soon as any other': ({ server }) =>
    server.call('afflict', 'go away, then silent'),
  'a connection whose client certificate was replaced and that then falls silent is noticed as soon as any other':
    async ({ server, watching }) => {
      watching.credentials.rotate(createCertificate());
      await server.call('endWatch', 'pods');
      await until(server, 'the pods are watched on another connection', ({ alive }) => alive === 2);
      await server.call('afflict', 'silent');
    },
  'a connection that was told to go is cut when its last stream has ended and the peer says nothing more': async ({
    server,
  }) => {
    await server.call('afflict', 'go away, never ends');
    await server.call('endWatches');
  },
  'a page of HTML with status 200 is not left open': ({ server }) => afterWatchesEnd(server, 'html that never ends'),
  'an answer in an encoding that was not asked for is not left open': ({ server }) =>
    afterWatchesEnd(server, 'no such encoding'),
  'an event that cannot be decoded is passed over by a list': ({ server }) => server.call('put', 'pods', 'a', true),
  'a watch that ends with the same server error again and again is replaced by a list': ({ server }) =>
    server.call('curse', 'pods'),
  'a continue token that leads to itself is not followed': ({ server }) => afterRestart(server, 'endless continue'),
  'a list without items deletes nothing': ({ server }) => afterRestart(server, 'no items'),
  'a list whose items are an object deletes nothing': ({ server }) => afterRestart(server, 'items are an object'),
  'a list of items without names deletes nothing': ({ server }) => afterRestart(server, 'items without a name'),
};

/** A connection per request: what cannot be read on is a socket that stays. */
const OVER_HTTP1 = [
  ...(['html that never ends', 'no such encoding', 'wrong content-length', 'half an answer', 'reset'] as const),
];

/** Every watch is asked for again, and the next five get this. */
async function afterWatchesEnd(server: ServerThread, misbehaviour: Misbehaviour): Promise<void> {
  await server.call('order', misbehaviour, 5);
  await server.call('endWatches');
  await until(server, 'every order is carried out', ({ ordered }) => ordered === 0);
}

/** Every resource is listed in pages, and the first five lists get this. */
async function afterRestart(server: ServerThread, misbehaviour: Misbehaviour): Promise<void> {
  await server.call('speak', 'json', false);
  await server.call('orderLists', misbehaviour, 5);
  await server.call('restart');
  await until(server, 'every order is carried out', ({ ordered }) => ordered === 0);
}

async function until(server: ServerThread, what: string, condition: (seen: Seen) => boolean): Promise<void> {
  const endMs = performance.now() + 5_000;
  for (let seen = await server.call('report'); !condition(seen); seen = await server.call('report')) {
    assert.ok(performance.now() < endMs, `${what}: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Shared, until one fails. */
let trial: Trial | undefined;

async function endTrial(): Promise<void> {
  await trial?.[Symbol.asyncDispose]();
  trial = undefined;
}

/** Lets it happen while everything is watched over this protocol; then all must be well again in time. */
async function survive(
  protocol: Protocol,
  fault: (trial: Trial) => Promise<unknown>,
  allowedMs: number,
): Promise<void> {
  trial ??= await Trial.begin(1, () => 0);
  try {
    await trial.server.call('speak', 'protobuf', true);
    await trial.speak(protocol);
    await fault(trial);
    const tookMs = await trial.quietPoint();
    assert.ok(tookMs < allowedMs, `well after ${tookMs} ms`);
  } catch (error) {
    await endTrial();
    throw error;
  }
}

for (const [name, fault] of isLong ? [] : Object.entries(FAULTS)) {
  it(name, () => survive('h2', fault, NOTICED_MS + (name.includes('is cut') ? FIN_MS : 0)));
}

for (const misbehaviour of isLong ? [] : OVER_HTTP1) {
  it(`HTTP/1.1: ${misbehaviour}, for every watch, is left behind`, () =>
    survive('http/1.1', ({ server }) => afterWatchesEnd(server, misbehaviour), NOTICED_MS));
}

after(endTrial);

it('stores equal the cluster at every quiet point and nothing is left over, however server and network misbehave', {
  // A round that has begun is played to its end.
  timeout: (seconds + 150) * 1_000,
}, async (t) => {
  // Sockets and timers are counted for the whole process.
  await endTrial();
  t.diagnostic(`MISBEHAVING_SEED=${seed}, ${seconds} s`);
  const report = await run({ seed, durationMs: seconds * 1_000, http1: isLong });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.rounds > seconds / 12, `${report.rounds} rounds`);
  const { heapMb } = report;
  if (!isLong) return;
  const [first, last] = [median(heapMb.slice(0, 5)), median(heapMb.slice(-5))];
  assert.ok(last - first < MAX_HEAP_GROWTH_MB, `the heap grew from ${first} to ${last} MB: ${heapMb.join(', ')}`);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
