// Lookups beside an empty echo on a bare grpc-js server: what digger adds to the price of a gRPC call.
//
// A server process answers an echo of bytes (no decoding, no interceptor), the same with an answer as large as ours,
// ResolveAddress, and BatchResolveAddresses of 100; 20,000 pods stand in the real address index, an answer carries 1–2
// kB. Questions come in random order, so most of what an answer needs is in no cache of the processor, as in a cluster.
// The load comes from this process over node:http2, which is cheaper than a gRPC client. What counts is the CPU time
// that the server needs per call: it does not depend on how fast the load generator is. Ratios are taken within a
// round, medians over the rounds.
//
// `--serve`: only serves, and prints the ports, for a load generator from outside (docs/benchmarks.md has the
// commands).

import { concatBytes } from '../../src/wire/encoded-entity.ts';
import { toByteString } from '../../src/model/byte-string.ts';
import { fork } from 'node:child_process';
import { connect } from 'node:http2';
import { fileURLToPath } from 'node:url';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';

import { AddressBook } from '../../src/addresses/address-book.ts';
import type { PodEntity } from '../../src/model/entities.ts';
import { createRpcServer } from '../../src/rpc/server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { FakePicture, fakePod, fakeReference, fakeWorkload } from '../rpc/fake-picture.ts';
import { encodeMessage } from '../rpc/serving.ts';
import { messageType } from '../../src/wire/schema.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

const PODS = 20_000;
/** A usual one, and the largest that is allowed. */
const BATCHES: readonly number[] = [];
const VIEWS = [
  { view: 'VIEW_FULL', name: '' },
  { view: 'VIEW_BASIC', name: ', basic view' },
] as const;
const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const CONCURRENCY = 32;
const isShort = process.argv.includes('--short');
const RUN_MS = Number(process.env.RUN_MS ?? 500);
/** As large as the answer to a lookup here. */
const ANSWER_BYTES = 1_208;
/** Odd, so that the median is one of them. */
const ROUNDS = Number(process.env.ROUNDS ?? 21);

interface Started {
  readonly echoPort: number;
  readonly diggerPort: number;
  /** The same server, whose unary calls go through grpc-js. */
  readonly throughGrpcJsPort: number;
}

if (process.send === undefined && !process.argv.includes('--serve')) await generateLoad();
else await serveBoth();

function podAddress(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

/** A pod as clusters have them: a dozen labels, some annotations, two containers. */
function createPod(index: number): PodEntity {
  const pod = fakePod(`checkout-7d9c5b6f4-${index}`, fakeReference(`checkout-${index % 200}`));
  const type = messageType('digger.v1.Pod');
  const details = type.encode(
    type.fromObject({
      labels: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`app.example.com/label-${i}`, `value-${i}`])),
      annotations: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`example.com/note-${i}`, 'x'.repeat(40)])),
      containers: ['app', 'proxy'].map((name) => ({ name, image: `registry.example.com/shop/${name}:v1.2.3` })),
    }),
  );
  const addresses = [podAddress(index)];
  return { ...pod, values: concatBytes(pod.values, toByteString(Buffer.from(details.finish()))), addresses };
}

function createBook(): AddressBook {
  const book = new AddressBook({
    now: Date.now,
    slackMs: 500,
    maxWaiters: 100,
    clusterRanges: [],
    blindSinceMs: () => undefined,
    retentionMs: 600_000,
    maxClaims: 100_000,
    maxBytes: 100_000_000,
  });
  for (let index = 0; index < PODS; index += 1) {
    book.apply({
      changes: [{ sequence: index + 1, before: undefined, after: createPod(index) }],
      seen: { atMs: Date.now() },
      position: { resource: 'pods', resourceVersion: '1' },
    });
  }
  book.open();
  // As the service does when it has time, which it has by now.
  book.timelines.settle();
  return book;
}

async function serveBoth(): Promise<void> {
  const picture = new FakePicture();
  for (let index = 0; index < 200; index += 1) {
    const reference = fakeReference(`checkout-${index}`);
    picture.workloads.set(reference.uid, fakeWorkload(reference));
  }
  const serveLookups = async (allThroughGrpcJs: boolean): Promise<number> => {
    // Answers are kept for one server.
    const book = createBook();
    const digger = createRpcServer(
      { ...picture, addresses: book, plain: book.plain },
      {
        credentials: ServerCredentials.createInsecure(),
        logger: createLogger({ level: 'silent', pretty: false }),
        registry: new Registry(),
        allThroughGrpcJs,
      },
    );
    return (await digger.start({ host: '127.0.0.1', port: 0 })).port;
  };
  const diggerPort = await serveLookups(false);
  const throughGrpcJsPort = await serveLookups(true);

  const same = (bytes: Buffer): Buffer => bytes;
  const echo = new Server({ 'grpc.enable_channelz': 0 });
  const register = (path: string, answer: (request: Buffer) => Buffer): void => {
    echo.register(
      path,
      (call: { request: Buffer }, callback: (error: null, bytes: Buffer) => void) =>
        callback(null, answer(call.request)),
      same,
      same,
      'unary',
    );
  };
  const sized = Buffer.alloc(ANSWER_BYTES);
  register('/bench.Echo/Call', same);
  register('/bench.Echo/Sized', () => sized);
  const echoPort = await new Promise<number>((resolve, reject) => {
    echo.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  process.on('message', () => process.send?.(process.cpuUsage()));
  const { Session } = await import('node:inspector'); const fs = await import('node:fs'); const ins = new Session(); ins.connect(); ins.post('Profiler.enable'); ins.post('Profiler.setSamplingInterval', { interval: 300 }); let on = false;
  if (process.env.PROF) setTimeout(() => { on = true; ins.post('Profiler.start'); }, 2500);
  process.on('disconnect', () => { if (!on) process.exit(0); ins.post('Profiler.stop', (_e, { profile }) => { fs.mkdirSync('/tmp/unary/prof', { recursive: true }); fs.writeFileSync('/tmp/unary/prof/p.cpuprofile', JSON.stringify(profile)); process.exit(0); }); });
  if (process.send === undefined) console.log(`echo at 127.0.0.1:${echoPort}, digger at 127.0.0.1:${diggerPort}`);
  else process.send({ echoPort, diggerPort, throughGrpcJsPort } satisfies Started);
}

async function generateLoad(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), {});
  const receive = <Message>(): Promise<Message> => new Promise((resolve) => child.once('message', resolve as never));
  const cpuMs = async (): Promise<number> => {
    const answer = receive<NodeJS.CpuUsage>();
    child.send('cpu');
    const { user, system } = await answer;
    return (user + system) / 1_000;
  };
  const { echoPort, diggerPort, throughGrpcJsPort } = await receive<Started>();

  let next = 0;
  const query = (): { address: string } => {
    next = (next + 7_919) % PODS;
    return { address: podAddress(next) };
  };
  const requests = (count: number, make: () => Buffer): readonly Buffer[] =>
    Array.from({ length: count }, () => frame(make()));
  const unary = requests(1_000, () => encodeMessage('digger.v1.ResolveAddressRequest', query()));
  const batch = (size: number, view: string): readonly Buffer[] =>
    requests(50, () => {
      const queries = Array.from({ length: size }, query);
      return encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries, view });
    });
  const cases = [
    { name: 'echo', port: echoPort, path: '/bench.Echo/Call', requests: unary, lookups: 1 },
    { name: 'echo of the same size', port: echoPort, path: '/bench.Echo/Sized', requests: unary, lookups: 1 },
    { name: 'lookup', port: diggerPort, path: RESOLVE, requests: unary, lookups: 1 },
    { name: 'lookup through grpc-js', port: throughGrpcJsPort, path: RESOLVE, requests: unary, lookups: 1 },
    ...BATCHES.flatMap((size) =>
      VIEWS.map(({ view, name }) => ({
        name: `batch of ${size}${name}`,
        port: diggerPort,
        path: '/digger.v1.LookupService/BatchResolveAddresses',
        requests: batch(size, view),
        lookups: size,
      })),
    ),
  ];
  const only = process.env.CASES?.split(",");
  if (only) cases.splice(0, cases.length, ...cases.filter(({name}) => only.includes(name)));
  const rounds = new Map(cases.map(({ name }) => [name, [] as Round[]]));
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { name, port, path, requests: sent } of cases) {
        const before = await cpuMs();
        const { calls, elapsedMs, bytes } = await run(port, path, sent);
        const cpuUs = (((await cpuMs()) - before) * 1_000) / calls;
        // Round 0 warms up.
        if (round === 0) continue;
        rounds.get(name)?.push({ cpuUs, perSecond: (calls * 1_000) / elapsedMs, bytes: bytes / calls });
      }
    }
  } finally {
    child.disconnect();
  }
  for (const { name, lookups } of cases) {
    const of = rounds.get(name) ?? [];
    const [cpuUs, perSecond, bytes] = (['cpuUs', 'perSecond', 'bytes'] as const).map((key) =>
      median(of.map((round) => round[key])),
    ) as [number, number, number];
    const rate = `${Math.round(perSecond)} calls/s, ${Math.round(perSecond * lookups)} lookups/s with this load`;
    console.log(`${name}: ${cpuUs.toFixed(1)} µs of server CPU per call, ${Math.round(bytes)} bytes answered; ${rate}`);
  }
  const cpu = (name: string, round: number): number => rounds.get(name)?.[round]?.cpuUs ?? Number.NaN;
  const ratio = (of: (round: number) => number): string => {
    const all = Array.from({ length: ROUNDS }, (_, round) => of(round)).toSorted((a, b) => a - b);
    return `${median(all).toFixed(2)} [${all.map((each) => each.toFixed(2)).join(', ')}]`;
  };
  for (const other of ['echo', 'echo of the same size', 'lookup through grpc-js']) {
    const found = ratio((round) => cpu(other, round) / cpu('lookup', round));
    console.log(`lookup / ${other}, calls per CPU second: ${found}${other === 'echo' ? ' (target 0.9)' : ''}`);
  }
  for (const { name, lookups } of cases) {
    if (lookups === 1) continue;
    const perLookupUs = median((rounds.get(name) ?? []).map(({ cpuUs }) => cpuUs)) / lookups;
    const batched = ratio((round) => (cpu('lookup', round) * lookups) / cpu(name, round));
    console.log(`${name}: ${perLookupUs.toFixed(2)} µs a lookup; to single ones, lookups per CPU second: ${batched}`);
  }
}

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Per call. */
  readonly bytes: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Calls for RUN_MS on one connection, CONCURRENCY at a time; every answer has to be OK. */
function run(
  port: number,
  path: string,
  requests: readonly Buffer[],
): Promise<{ calls: number; elapsedMs: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 24 } });
    session.once('connect', () => session.setLocalWindowSize(1 << 26));
    session.on('error', reject);
    const startedMs = performance.now();
    let calls = 0;
    let bytes = 0;
    let open = 0;
    const call = (): void => {
      open += 1;
      const stream = session.request(callHeaders(path));
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.on('trailers', (trailers) => {
        if (trailers['grpc-status'] !== '0') reject(new Error(`${path}: ${JSON.stringify(trailers)}`));
      });
      stream.on('error', reject);
      stream.on('close', () => {
        calls += 1;
        open -= 1;
        if (performance.now() - startedMs < RUN_MS) call();
        else if (open === 0) {
          const elapsedMs = performance.now() - startedMs;
          session.close(() => resolve({ calls, elapsedMs, bytes }));
        }
      });
      stream.end(requests[calls % requests.length]);
    };
    for (let index = 0; index < CONCURRENCY; index += 1) call();
  });
}

/** A message as gRPC frames it: not compressed, length, bytes. */
function frame(message: Buffer): Buffer {
  return prefixed(message);
}
