// A prototype of more threads that serve: connections in a worker thread, answers from the main thread, which alone has
// the picture (docs/decisions/threads-carry-connections.md). Not the service's own server: a bare grpc-js server on each
// side, with the service's own lookups behind the one of the main thread.
//
// A worker hands the bytes of requests over, those of one turn of its event loop in one message, and gets the bytes of
// answers back in the same way. Measured is the CPU time of each thread per call: of the main thread for calls of its
// own connections (m), of the worker for a call of its own (w), and of the main thread for that one (f). What two threads
// can do beside one follows from these: a worker that is always busy makes 1/w calls, and leaves the main thread
// 1 - f/w of its time. Calls per second would say more about the other work of the machine.

import { fork } from 'node:child_process';
import { connect, type ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Server, ServerCredentials } from '@grpc/grpc-js';

import { AddressBook } from '../../src/addresses/address-book.ts';
import type { CallContext } from '../../src/rpc/methods/call-context.ts';
import { batchResolveAddresses } from '../../src/rpc/methods/batch-resolve-addresses.ts';
import { PodAttributes } from '../../src/rpc/methods/answers/otel-attributes.ts';
import { PlainAnswers } from '../../src/rpc/methods/answers/plain-answers.ts';
import { encodePlain } from '../../src/rpc/methods/answers/resolution.ts';
import { type AddressLookup, resolveAddress } from '../../src/rpc/methods/resolve-address.ts';
import { loadBytesService } from '../../src/rpc/services.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';
import { FakePicture, fakePod, fakeReference, fakeWorkload } from '../rpc/fake-picture.ts';
import { encodeMessage } from '../rpc/serving.ts';

const PODS = 20_000;
const CONCURRENCY = 32;
const isShort = process.argv.includes('--short');
const RUN_MS = isShort ? 1_000 : 3_000;
/** Odd, so that the median is one of them. */
const ROUNDS = isShort ? 3 : 7;

/** Methods by the number that threads name them with. */
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

/** Those of one turn; answers come in the same order. */
type Requests = readonly { readonly method: number; readonly bytes: Uint8Array }[];
type ToMain = { readonly port: number } | { readonly usedUs: number } | { readonly requests: Requests };
type ToWorker = 'how much' | { readonly answers: readonly Uint8Array[] };

type Answer = (method: number, bytes: Uint8Array, done: (answer: Uint8Array) => void) => void;

if (!isMainThread) await serveInWorker();
else if (process.send !== undefined) await serveInMain();
else await generateLoad();

/** A grpc-js server for connections that a listener of ours accepts, as in the service. */
async function listen(answer: Answer): Promise<number> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const same = (bytes: Buffer): Buffer => bytes;
  for (const [method, path] of PATHS.entries()) {
    const handle = (call: { request: Buffer }, callback: (error: null, bytes: Buffer) => void): void =>
      answer(method, call.request, (bytes) =>
        callback(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      );
    server.register(path, handle, same, same, 'unary');
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const net = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
  await new Promise<void>((resolve) => net.listen(0, '127.0.0.1', resolve));
  return (net.address() as { readonly port: number }).port;
}

async function serveInWorker(): Promise<void> {
  const main = parentPort;
  if (main === null) throw new Error('not a worker');
  let requests: { method: number; bytes: Uint8Array }[] = [];
  const waiting: ((answer: Uint8Array) => void)[] = [];
  const port = await listen((method, bytes, done) => {
    if (requests.length === 0) {
      setImmediate(() => {
        main.postMessage({ requests } satisfies ToMain, []);
        requests = [];
      });
    }
    requests.push({ method, bytes });
    waiting.push(done);
  });
  main.on('message', (message: ToWorker) => {
    if (message === 'how much') main.postMessage({ usedUs: usedUs() } satisfies ToMain, []);
    else for (const answer of message.answers) waiting.shift()?.(answer);
  });
  main.postMessage({ port } satisfies ToMain, []);
}

async function serveInMain(): Promise<void> {
  const answer = createAnswers();
  const main = await listen((method, bytes, done) => done(answer(method, Buffer.from(bytes))));
  const worker = new Worker(new URL(import.meta.url));
  worker.on('message', (message: ToMain) => {
    if ('port' in message) process.send?.({ main, worker: message.port } satisfies Ports);
    else if ('usedUs' in message) process.send?.({ main: usedUs(), worker: message.usedUs } satisfies Used);
    else {
      const answers = message.requests.map(({ method, bytes }) => answer(method, asBuffer(bytes)));
      worker.postMessage({ answers } satisfies ToWorker, []);
    }
  });
  process.on('message', () => worker.postMessage('how much' satisfies ToWorker, []));
  process.on('disconnect', () => process.exit(0));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function usedUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** The service's own lookups of 20,000 pods. */
function createAnswers(): (method: number, bytes: Buffer) => Uint8Array {
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
  const { catalog, networks, status, workloads } = new FakePicture();
  for (let index = 0; index < 200; index += 1) {
    const reference = fakeReference(`checkout-${index}`);
    workloads.set(reference.uid, fakeWorkload(reference));
  }
  const lookup: AddressLookup = {
    addresses,
    plain: new PlainAnswers(addresses.plain, encodePlain),
    catalog,
    networks,
    cluster: () => status.cluster(),
    podAttributes: new PodAttributes(),
    stalenessMs: () => undefined,
    countLookup: () => undefined,
  };
  const call: CallContext = {
    nowMs: Date.now,
    charge: () => undefined,
    turn: () => undefined,
    waitSignal: () => AbortSignal.abort(),
    throwIfOver: () => undefined,
    draining: false,
  };
  const service = loadBytesService('digger.v1.LookupService');
  const read = [service['resolveAddress'], service['batchResolveAddresses']].map((each) => each?.requestDeserialize);
  return (method, bytes) => {
    const request = read[method]?.(bytes) as never;
    const answer = method === 0 ? resolveAddress(request, lookup, call) : batchResolveAddresses(request, lookup, call);
    if (answer instanceof Promise) throw new Error('it waits');
    return answer;
  };
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
      if (round > 0) rounds.push({ m, w, f, capacity: (1 / w + (1 - f / w) / m) * m, more: (w + f) / m });
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
