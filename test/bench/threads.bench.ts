// Two threads that serve beside one: the service's own server, once with all in the main thread and once with
// connections that another thread carries (docs/decisions/threads-carry-connections.md), in one process with one
// picture.
//
// Measured is the CPU time of each thread per call: of the main thread for calls of its own connections (m), of the
// thread that carries for a call (w), and of the main thread for that one (f). Two threads make 1 / max(w, f) calls in
// the time of one, which makes 1 / m: calls per second would say more about the other work of the machine.

import { readdirSync, readFileSync } from 'node:fs';
import { fork } from 'node:child_process';
import { connect, type ClientHttp2Session } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { ServerCredentials } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';

import { AddressBook } from '../../src/addresses/address-book.ts';
import { createRpcServer } from '../../src/rpc/server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';
import { FakePicture, fakePod, fakeReference, fakeWorkload } from '../rpc/fake-picture.ts';
import { encodeMessage } from '../rpc/serving.ts';

const PODS = 20_000;
const CONCURRENCY = 32;
const isShort = process.argv.includes('--short');
const RUN_MS = isShort ? 1_000 : 3_000;
/** Odd, so that the median is one of them. */
const ROUNDS = isShort ? 3 : 7;

/** What is called. */
const PATHS = ['/digger.v1.LookupService/ResolveAddress', '/digger.v1.LookupService/BatchResolveAddresses'] as const;

interface Ports {
  readonly main: number;
  readonly worker: number;
}

/** CPU time so far, µs. */
interface Used {
  readonly main: number;
  readonly worker: number;
}

if (process.send === undefined) await generateLoad();
else await serveBoth();

/** The port of a server of 20,000 pods. */
async function start(threads: number): Promise<number> {
  const addresses = new AddressBook({
    now: Date.now,
    slackMs: 500,
    maxWaiters: 1,
    clusterRanges: [],
    blindSinceMs: () => undefined,
    retentionMs: 600_000,
    maxClaims: 100_000,
    maxBytes: 100_000_000,
  });
  for (let index = 0; index < PODS; index += 1) {
    const pod = fakePod(`checkout-7d9c5b6f4-${index}`, fakeReference(`checkout-${index % 200}`));
    addresses.apply({
      changes: [{ sequence: index + 1, before: undefined, after: { ...pod, addresses: [podAddress(index)] } }],
      seen: { atMs: Date.now() },
      position: { resource: 'pods', resourceVersion: '1' },
    });
  }
  addresses.open();
  addresses.timelines.settle();
  const picture = new FakePicture();
  for (let index = 0; index < 200; index += 1) {
    const reference = fakeReference(`checkout-${index}`);
    picture.workloads.set(reference.uid, fakeWorkload(reference));
  }
  const server = createRpcServer(
    { ...picture, addresses, plain: addresses.plain },
    {
      credentials: ServerCredentials.createInsecure(),
      logger: createLogger({ level: 'silent', pretty: false }),
      registry: new Registry(),
      threads,
    },
  );
  server.setReady(true);
  return (await server.start({ host: '127.0.0.1', port: 0 })).port;
}

async function serveBoth(): Promise<void> {
  const ports: Ports = { main: await start(1), worker: await start(2) };
  process.send?.(ports);
  process.on('message', () => process.send?.({ main: mainUs(), worker: carrierUs() } satisfies Used));
  process.on('disconnect', () => process.exit(0));
}

function mainUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Of the threads that carry: the system knows them by their name. Linux only. */
function carrierUs(): number {
  const tasks = readdirSync('/proc/self/task');
  return tasks.reduce((sum, task) => {
    const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
    if (!name.includes('carrier')) return sum;
    // Nanoseconds on a processor come first.
    return sum + Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1_000;
  }, 0);
}

function podAddress(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

async function generateLoad(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url));
  const receive = <Message>(): Promise<Message> => new Promise((resolve) => child.once('message', resolve as never));
  const used = (): Promise<Used> => {
    const answer = receive<Used>();
    child.send('how much');
    return answer;
  };
  const ports = await receive<Ports>();
  let next = 0;
  const query = (): { address: string } => {
    next = (next + 7_919) % PODS;
    return { address: podAddress(next) };
  };
  const unary = Array.from({ length: 1_000 }, () =>
    prefixed(encodeMessage('digger.v1.ResolveAddressRequest', query())),
  );
  const batches = Array.from({ length: 50 }, () => {
    const queries = Array.from({ length: 100 }, query);
    return prefixed(encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries, view: 'VIEW_BASIC' }));
  });
  const cases = [
    { name: 'lookup', path: PATHS[0], requests: unary },
    { name: 'batch of 100, basic view', path: PATHS[1], requests: batches },
  ];
  for (const { name, path, requests } of cases) {
    const rounds: { m: number; w: number; f: number; capacity: number; more: number }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const ofMain = await measure(ports.main, path, requests, used);
      const ofWorker = await measure(ports.worker, path, requests, used);
      const [m, w, f] = [ofMain.mainUs, ofWorker.workerUs, ofWorker.mainUs];
      // Round 0 warms up.
      if (round > 0) rounds.push({ m, w, f, capacity: m / Math.max(w, f), more: (w + f) / m });
    }
    const of = (key: 'm' | 'w' | 'f' | 'capacity' | 'more'): number => median(rounds.map((each) => each[key]));
    const us = `m ${of('m').toFixed(1)} µs, w ${of('w').toFixed(1)} µs, f ${of('f').toFixed(1)} µs`;
    console.log(
      `${name}: ${us}; two threads do ${of('capacity').toFixed(2)} of one, a call takes ${of('more').toFixed(2)}`,
    );
  }
  child.disconnect();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** CPU time of each thread per call. */
async function measure(
  port: number,
  path: string,
  requests: readonly Buffer[],
  used: () => Promise<Used>,
): Promise<{ readonly mainUs: number; readonly workerUs: number }> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 24 } });
  session.once('connect', () => session.setLocalWindowSize(1 << 26));
  const before = await used();
  const calls = await run(session, path, requests);
  const after = await used();
  session.destroy();
  return { mainUs: (after.main - before.main) / calls, workerUs: (after.worker - before.worker) / calls };
}

/** Calls for RUN_MS, CONCURRENCY at a time; every answer has to be OK. */
function run(session: ClientHttp2Session, path: string, requests: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const startedMs = performance.now();
    let calls = 0;
    let open = 0;
    const call = (): void => {
      open += 1;
      const stream = session.request(callHeaders(path));
      stream.resume();
      stream.on('trailers', (trailers) => {
        if (trailers['grpc-status'] !== '0') reject(new Error(`${path}: ${JSON.stringify(trailers)}`));
      });
      stream.on('error', reject);
      stream.on('close', () => {
        calls += 1;
        open -= 1;
        if (performance.now() - startedMs < RUN_MS) call();
        else if (open === 0) resolve(calls);
      });
      stream.end(requests[calls % requests.length]);
    };
    for (let index = 0; index < CONCURRENCY; index += 1) call();
  });
}
