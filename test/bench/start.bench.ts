// How long a process takes from its start to its first answer, to its first answer that says something, and to a
// complete picture of 10,000 pods; beside the least server that grpc-js can be.
//
//   npx node test/bench/start.bench.ts [--short]
//
// digger runs in a process of its own, compiled, with the Node options of the image; the cluster is simulated in a
// thread of this process, over plain HTTP, on the same cores. Times are of this process's clock, from before the fork;
// processor time is what Linux counts for the other process alone, all threads, and so hardly depends on what else the
// machine does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { fill } from '../simulator/fill.ts';
import { createSimulator } from '../../src/simulator/server/simulator.ts';
import { createRandom } from '../random.ts';
import { compileDigger, IMAGE_NODE_OPTIONS } from './compiled-digger.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

const isShort = process.argv.includes('--short');
const PODS = isShort ? 1_000 : 10_000;
const ROUNDS = isShort ? 3 : 7;

const DEADLINE_MS = 60_000;
const UNAVAILABLE = 14;

/** The least server that grpc-js can be: one service, no clients, no metrics, nothing to know. */
const LEAST_SERVER = `
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const { HealthImplementation } = await import('grpc-health-check');
  const server = new Server();
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(JSON.stringify({ msg: 'serving', address: '127.0.0.1:' + port }));
  });
`;

// The same cluster as in the thread, to know an address.
const simulator = createSimulator({ random: createRandom(1).next, now: Date.now });
fill(simulator.cluster, { pods: PODS });
const pod = simulator.cluster.list('pods')[0] as { status?: { podIP?: string } } | undefined;
const address = pod?.status?.podIP;
if (address === undefined) throw new Error('the simulated cluster has no pod with an address');
const thread = new Worker(new URL('../long/filled-server.ts', import.meta.url), { workerData: { pods: PODS } });
const [url] = (await once(thread, 'message')) as [string];
const folder = mkdtempSync(join(tmpdir(), 'digger-start-'));
const kubeconfig = join(folder, 'kubeconfig.json');
const config = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'bench', cluster: { server: url } }],
  users: [{ name: 'bench', user: {} }],
  contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  'current-context': 'bench',
};
writeFileSync(kubeconfig, JSON.stringify(config));
const compiled = compileDigger();
const listeners = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];

const samples = new Map<string, number[]>();
try {
  for (let round = 0; round < ROUNDS; round++) {
    await measure('least', ['--input-type=module', '--eval', LEAST_SERVER], false);
    await measure('digger', [compiled.main, 'serve', '--kubeconfig', kubeconfig, ...listeners], true);
  }
  process.stdout.write(`${PODS} pods, ${ROUNDS} rounds                       median (best–worst)\n`);
  for (const [what, values] of samples) {
    const sorted = values.toSorted((one, other) => one - other).map(Math.ceil);
    process.stdout.write(
      `${what.padEnd(52)} ${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})\n`,
    );
  }
} finally {
  compiled[Symbol.dispose]();
  await thread.terminate();
  rmSync(folder, { recursive: true });
}

/** One start, to the end of what can be measured of it. */
async function measure(who: string, args: readonly string[], asks: boolean): Promise<void> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...IMAGE_NODE_OPTIONS, ...args], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const mark = (what: string): void => {
    note(`${who}: ${what}, ms`, performance.now() - startedMs);
    note(`${who}: ${what}, processor ms`, cpuMs(child.pid ?? 0));
  };
  const lines: string[] = [];
  const serving = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (!line.startsWith('{')) return;
    const { msg, address: bound } = JSON.parse(line) as { readonly msg?: string; readonly address?: string };
    if (msg === 'serving') serving.resolve(bound ?? '');
    if (msg !== 'ready') return;
    mark('ready');
    ready.resolve();
  });
  const late = setTimeout(() => {
    const error = new Error(`${who} is late:\n${lines.join('\n')}`);
    serving.reject(error);
    ready.reject(error);
  }, DEADLINE_MS);
  try {
    const session = connect(`http://${await serving.promise}`);
    const health = await call(session, '/grpc.health.v1.Health/Check', Buffer.alloc(0));
    if (health !== 0) throw new Error(`${who}: health answered ${health}`);
    mark('first answer (health)');
    if (asks) await askUntilKnown(session, mark);
    if (asks) await ready.promise;
    note(`${who}: resident at the end, MiB`, residentMiB(child.pid ?? 0));
    session.destroy();
  } finally {
    clearTimeout(late);
    child.kill('SIGKILL');
    await ended;
  }
}

/** A lookup again and again, first refused because nothing is known, then answered. */
async function askUntilKnown(session: ClientHttp2Session, mark: (what: string) => void): Promise<void> {
  const text = Buffer.from(address ?? '');
  const request = Buffer.concat([Buffer.from([0x0a, text.length]), text]);
  let refusals = 0;
  for (;;) {
    const status = await call(session, '/digger.v1.LookupService/ResolveAddress', request);
    if (status === 0) break;
    if (status !== UNAVAILABLE) throw new Error(`a lookup was answered with ${status}`);
    refusals += 1;
    if (refusals === 1) mark('first lookup, refused as not synced');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  mark('first lookup that is answered');
}

/** The status of a unary call. */
function call(session: ClientHttp2Session, path: string, message: Buffer): Promise<number> {
  const headers = callHeaders(path);
  const stream = session.request(headers);
  stream.end(prefixed(message));
  stream.resume();
  return new Promise((resolve, reject) => {
    const take = (fields: Record<string, unknown>): void => {
      if (fields['grpc-status'] !== undefined) resolve(Number(fields['grpc-status']));
    };
    stream.once('response', take);
    stream.once('trailers', take);
    stream.once('error', reject);
  });
}

function note(what: string, value: number): void {
  const values = samples.get(what);
  if (values === undefined) samples.set(what, [value]);
  else values.push(value);
}

/** Processor time of a process so far: fields 14 and 15 of /proc/PID/stat (proc(5)), in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMiB(pid: number): number {
  const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) / 1024;
}
