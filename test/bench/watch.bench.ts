// Following a large cluster: how long a start takes, what a pod costs in memory, how long the event loop is held up,
// and what a relist costs that changes nothing. Against a real API server.
//
// Beside it in the same run: a process that drains the same lists and keeps nothing (drain-lists.ts), the floor that no
// client gets below; and the informer of client-node on the pods alone (informer.ts). All are measured from the start
// of their process; digger runs compiled and with the options of the image. A pod's memory is the resident set with the
// pods, less that of digger against an empty cluster.
//
// `node test/bench/watch.bench.ts [PODS] [--short]`, 10,000 by default; needs what the cluster tests need, and 8 GiB
// for 100,000.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../cluster/control-plane.ts';
import { loadPods, podAddress } from '../cluster/etcd-loader.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';
import type { Message } from '../observers/digger-client.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { compileDigger, IMAGE_ENVIRONMENT, IMAGE_NODE_OPTIONS } from './compiled-digger.ts';

const isShort = process.argv.includes('--short');

/** Odd, so that the median is one of them. */
const ROUNDS = isShort ? 1 : 3;

const MIB = 2 ** 20;

/** Linux counts CPU time of processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

const pods = Number(process.argv.slice(2).find((each) => /^\d+$/.test(each)) ?? (isShort ? 2_000 : 10_000));

/** V8 collects the garbage of an idle process after 8 s (`--gc-memory-reducer-start-delay-ms`), twice at most. */
const SETTLE_MS = isShort ? 3_000 : 20_000;

using compiled = compileDigger();
const program = { main: compiled.main, nodeOptions: IMAGE_NODE_OPTIONS, environment: IMAGE_ENVIRONMENT };

type Start = {
  readonly readyMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly settledMiB: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
};

const empty = await onPlane(undefined, (_plane, kubeconfig) => startOnce(kubeconfig, undefined));

let storedBytes = 0;
await onPlane(
  async (etcdUrl) => {
    storedBytes = (await loadPods(etcdUrl, pods)).podBytes;
  },
  async (plane, kubeconfig) => {
    // The first list after a start finds cold caches in the server; it is not counted.
    await drainOnce(kubeconfig);
    const drains: { readonly ms: number; readonly bytes: number }[] = [];
    const starts: Start[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      drains.push(await drainOnce(kubeconfig));
      starts.push(await startOnce(kubeconfig, podAddress(pods - 1)));
      process.stderr.write(`${JSON.stringify({ round, drain: drains.at(-1), start: starts.at(-1) })}\n`);
    }
    const informer = await informerOnce(kubeconfig);
    const relist = await relistOnce(plane, kubeconfig);
    const drainMs = median(drains.map(({ ms }) => ms));
    const readyMs = median(starts.map((start) => start.readyMs));
    const settledMiB = median(starts.map((start) => start.settledMiB));
    const report = {
      pods,
      storedBytesPerPod: Math.round(storedBytes / pods),
      listedMiB: Math.round((drains[0]?.bytes ?? 0) / MIB),
      drainMs,
      readyMs,
      readyToDrain: Number((readyMs / drainMs).toFixed(2)),
      settledBytesPerPod: Math.round(((settledMiB - empty.settledMiB) * MIB) / pods),
      empty,
      starts,
      drains: drains.map(({ ms }) => ms),
      informer,
      relist,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  },
);

async function onPlane<T>(
  beforeApiServer: ((etcdUrl: string) => Promise<void>) | undefined,
  use: (plane: ControlPlane, kubeconfig: string) => Promise<T>,
): Promise<T> {
  await using plane = await ControlPlane.start({
    controllers: false,
    readyDeadlineMs: 300_000,
    ...(beforeApiServer && { beforeApiServer }),
  });
  return await use(plane, await createServiceAccountKubeconfig(plane));
}

async function drainOnce(kubeconfig: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const child = spawnScript('drain-lists.ts', kubeconfig);
  const line = await firstLine(child);
  if (line === undefined) throw new Error('drain-lists.ts said nothing');
  return JSON.parse(line) as { ms: number; bytes: number };
}

/** From the start of the process to ready; then `address` has to answer. */
async function startOnce(kubeconfig: string, address: string | undefined): Promise<Start> {
  const begin = performance.now();
  await using digger = await DiggerProcess.start(kubeconfig, [], program);
  // The histogram begins anew with each reading: what comes next is the first list's.
  await digger.metrics();
  await digger.untilLogged('ready', 300_000);
  const readyMs = Math.round(performance.now() - begin);
  const metrics = await digger.metrics();
  const cpuMs = cpuOf(digger.pid);
  if (address !== undefined) {
    const resolution = await digger.resolve(address);
    if (resolution['workload']?.['kind'] !== 'Deployment') throw new Error(JSON.stringify(resolution));
  }
  return {
    readyMs,
    cpuMs,
    peakMiB: Math.round(memoryOf(digger.pid, 'VmHWM') / MIB),
    settledMiB: Math.round((await settledRss(digger.pid)) / MIB),
    loopP99Ms: Math.round(1_000 * value(metrics, 'nodejs_eventloop_lag_p99_seconds')),
    loopMaxMs: Math.round(1_000 * value(metrics, 'nodejs_eventloop_lag_max_seconds')),
  };
}

/** What it says, or how it ended. */
async function informerOnce(kubeconfig: string): Promise<object> {
  const child = spawnScript('informer.ts', kubeconfig);
  const line = await firstLine(child);
  if (line === undefined) return { died: `exit code ${child.exitCode}, signal ${child.signalCode}` };
  const pid = child.pid ?? 0;
  const peakMiB = Math.round(memoryOf(pid, 'VmHWM') / MIB);
  const settledMiB = Math.round((await settledRss(pid)) / MIB);
  const gone = once(child, 'exit');
  child.stdin?.end();
  await gone;
  return { ...(JSON.parse(line) as object), peakMiB, settledMiB };
}

/**
 * The API server is restarted, which makes it forget all versions: everything is listed again, and nothing is
 * different.
 */
async function relistOnce(plane: ControlPlane, kubeconfig: string): Promise<object> {
  await using digger = await DiggerProcess.start(kubeconfig, [], program);
  const before = await digger.untilReady(300_000, 50);
  await settledRss(digger.pid);
  const cpuBefore = cpuOf(digger.pid);
  await digger.metrics();
  // Something is written that digger does not watch: otherwise the restarted server stands where the watches do, and
  // they simply go on.
  await plane.client.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'written-meanwhile', namespace: 'default' },
  });
  await plane.killApiServer();
  // It may be listing again before this returns.
  await plane.startApiServer();
  const after = await eventually(
    'all is listed again',
    async () => {
      const status = await digger.call('StatusService', 'GetStatus');
      // A resource of which nothing ever was may go on where it stood; pods cannot.
      const behind = (status['resources'] as Message[]).filter(
        ({ resource, state, lists }) => state !== 'WATCH_STATE_WATCHING' || (resource === 'pods' && Number(lists) < 2),
      );
      return behind.length === 0 ? done(status) : notYet(behind);
    },
    { deadlineMs: 120_000 },
  );
  const metrics = await digger.metrics();
  return {
    podLists: Number((after['resources'] as Message[]).find(({ resource }) => resource === 'pods')?.['lists']),
    cpuMs: cpuOf(digger.pid) - cpuBefore,
    changes: Number(after['sequence']) - Number(before['sequence']),
    peakMiB: Math.round(memoryOf(digger.pid, 'VmHWM') / MIB),
    settledMiB: Math.round((await settledRss(digger.pid)) / MIB),
    loopP99Ms: Math.round(1_000 * value(metrics, 'nodejs_eventloop_lag_p99_seconds')),
    loopMaxMs: Math.round(1_000 * value(metrics, 'nodejs_eventloop_lag_max_seconds')),
  };
}

function spawnScript(name: string, kubeconfig: string): ChildProcess {
  const script = fileURLToPath(new URL(`./${name}`, import.meta.url));
  return spawn(process.execPath, [script, kubeconfig], { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** `undefined`: it ended without a word. */
async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) return line;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return undefined;
}

/** What is left when the garbage of the first list is collected. */
async function settledRss(pid: number): Promise<number> {
  const endMs = performance.now() + SETTLE_MS;
  let lowest = Number.POSITIVE_INFINITY;
  while (performance.now() < endMs) {
    await delay(500);
    lowest = Math.min(lowest, memoryOf(pid, 'VmRSS'));
  }
  return lowest;
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** User and system time of the process, ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

function value(metrics: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
