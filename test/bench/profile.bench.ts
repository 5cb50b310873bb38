// Where the time and the memory of a start go: by work, in µs and bytes a pod. Against a real API server.
//
// Four starts of digger, compiled and with the options of the image: one as it is, for its CPU by thread; one with a
// CPU profile; one that looks at the turns of its event loop; one with a profile of all that is allocated. A profile's
// time is by the clock, so it is scaled to the CPU time of the thread: other work on the machine then counts for
// nothing. A floor stands beside it: a process that drains the same lists (drain-lists.ts), and what both cost the API
// server.
//
// `npm run bench -- profile`, or `node test/bench/profile.bench.ts [PODS] [--short] [--top] [--kubeconfig=FILE]`:
// 100,000 pods by default, 5,000 where it is to be short; `--top` names the functions of each work; `--kubeconfig`
// takes a cluster that is there instead of starting one.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HeapProfiler, Profiler } from 'node:inspector';
import { ControlPlane } from '../cluster/control-plane.ts';
import { loadPods } from '../cluster/etcd-loader.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { compileDigger, IMAGE_ENVIRONMENT, IMAGE_NODE_OPTIONS } from './compiled-digger.ts';
import { RECORD_FILE, RECORD_WHAT, type Recorded } from './recorder.ts';
import { type Frame, type Work, workOf, WORKS } from './start-works.ts';

const args = process.argv.slice(2);
const isShort = args.includes('--short');
const pods = Number(args.find((each) => /^\d+$/.test(each)) ?? (isShort ? 5_000 : 100_000));
const isDetailed = args.includes('--top');
const given = args.find((each) => each.startsWith('--kubeconfig='))?.slice('--kubeconfig='.length);

const MIB = 2 ** 20;
/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;
const READY_DEADLINE_MS = 300_000;
const TOP = 12;

/** What a work cost, and in which functions. */
interface Share {
  amount: number;
  readonly functions: Map<string, number>;
}

type Shares = ReadonlyMap<Work, Share>;

using compiled = compileDigger({ asModules: true });
if (given === undefined) {
  await using plane = await ControlPlane.start({
    controllers: false,
    readyDeadlineMs: 300_000,
    beforeApiServer: async (etcdUrl) => {
      await loadPods(etcdUrl, pods);
    },
  });
  await profile(await createServiceAccountKubeconfig(plane));
} else await profile(given);

async function profile(kubeconfig: string): Promise<void> {
  // The first list after a start finds cold caches in the server; it is not counted.
  await drain(kubeconfig);
  const floor = await drain(kubeconfig);
  const plain = await start(kubeconfig, undefined);
  const cpu = await start(kubeconfig, 'cpu');
  const turning = await start(kubeconfig, 'turns');
  const allocated = await start(kubeconfig, 'allocations');
  if (cpu.recorded?.cpu === undefined || allocated.recorded?.allocations === undefined) throw new Error('no profile');
  const time = timeByWork(cpu.recorded.cpu);
  const busyMs = sum([...time].filter(([work]) => work !== 'waiting').map(([, { amount }]) => amount));
  // Of the CPU that the thread really got: the clock of a profile also runs while other processes do.
  const scale = (plain.threads['main'] ?? Number.NaN) / busyMs;
  const memory = bytesByWork(allocated.recorded.allocations);
  const out = (line: string): void => void process.stdout.write(`${line}\n`);

  out(`${pods} pods; drained in ${floor.ms} ms, ready after ${plain.readyMs} ms`);
  out(`CPU until ready, ms by thread: ${JSON.stringify(plain.threads)}; with a profile ${JSON.stringify(cpu.threads)}`);
  out(`resident ${plain.residentMiB} MiB, at its peak ${plain.peakMiB} MiB`);
  out(`collections: ${JSON.stringify(named(cpu.recorded.collections))}\n`);
  out('| work | µs of CPU a pod, main thread | share | bytes allocated a pod |');
  out('|---|---|---|---|');
  for (const work of WORKS) {
    const spent = time.get(work)?.amount ?? 0;
    const bytes = memory.get(work)?.amount ?? 0;
    const us = (spent * scale * 1_000) / pods;
    const share = work === 'waiting' ? '–' : `${((100 * spent) / busyMs).toFixed(1)} %`;
    out(`| ${work} | ${work === 'waiting' ? '–' : us.toFixed(1)} | ${share} | ${Math.round(bytes / pods)} |`);
  }
  const allBytes = sum([...memory.values()].map(({ amount }) => amount));
  out(`| all | ${((busyMs * scale * 1_000) / pods).toFixed(1)} | 100 % | ${Math.round(allBytes / pods)} |`);
  out('\n| longest turns, ms of CPU | mostly |');
  out('|---|---|');
  for (const line of describeTurns(turning.recorded)) out(line);
  if (!isDetailed) return;
  for (const work of WORKS) {
    out(`\n${work}`);
    for (const line of top(time.get(work), (ms) => `${((ms * scale * 1_000) / pods).toFixed(2)} µs`)) out(`  ${line}`);
    for (const line of top(memory.get(work), (bytes) => `${Math.round(bytes / pods)} B`)) out(`  ${line}`);
  }
}

interface Start {
  readonly readyMs: number;
  /** CPU until ready by name of thread, ms. */
  readonly threads: Readonly<Record<string, number>>;
  readonly residentMiB: number;
  readonly peakMiB: number;
  readonly recorded: Recorded | undefined;
}

async function start(kubeconfig: string, what: 'cpu' | 'turns' | 'allocations' | undefined): Promise<Start> {
  const file = join(tmpdir(), `digger-profile-${process.pid}-${what}.json`);
  const recorder = fileURLToPath(new URL('./recorder.ts', import.meta.url));
  const begin = performance.now();
  await using digger = await DiggerProcess.start(kubeconfig, [], {
    main: compiled.main,
    nodeOptions: [...IMAGE_NODE_OPTIONS, ...(what === undefined ? [] : ['--import', recorder])],
    environment: { ...IMAGE_ENVIRONMENT, ...(what === undefined ? {} : { [RECORD_WHAT]: what, [RECORD_FILE]: file }) },
  });
  await digger.untilLogged('ready', READY_DEADLINE_MS);
  const readyMs = Math.round(performance.now() - begin);
  const threads = cpuByThread(digger.pid);
  const memory = { residentMiB: memoryOf(digger.pid, 'VmRSS'), peakMiB: memoryOf(digger.pid, 'VmHWM') };
  if (what === undefined) return { readyMs, threads, ...memory, recorded: undefined };
  process.kill(digger.pid, 'SIGUSR2');
  const recorded = await eventually('the profile is written', () => readRecorded(file), {
    deadlineMs: 120_000,
  });
  rmSync(file);
  return { readyMs, threads, ...memory, recorded };
}

function readRecorded(file: string) {
  try {
    return done(JSON.parse(readFileSync(file, 'utf8')) as Recorded);
  } catch (error) {
    return notYet(String(error));
  }
}

async function drain(kubeconfig: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const script = fileURLToPath(new URL('./drain-lists.ts', import.meta.url));
  const child = spawn(process.execPath, [script, kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(output) as { ms: number; bytes: number };
}

/** Self time by work, ms by the clock. */
function timeByWork({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const usById = new Map<number, number>();
  // The time up to the next sample belongs to what this one saw.
  for (const [index, id] of samples.entries()) {
    usById.set(id, (usById.get(id) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0));
  }
  const shares = new Map<Work, Share>();
  for (const [id, us] of usById) {
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at);
      if (node !== undefined) stack.push(node.callFrame);
    }
    add(shares, stack, us / 1_000);
  }
  return shares;
}

/** What the longest turns were about: the functions with most of their samples, and those that these were called by. */
function describeTurns(recorded: Recorded | undefined): readonly string[] {
  const { cpu, turns = [] } = recorded ?? {};
  if (cpu === undefined) return [];
  const { nodes, samples = [], timeDeltas = [], startTime } = cpu;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  return turns.map(({ cpuMs, startUs, endUs }) => {
    const seen = new Map<string, number>();
    let atUs = startTime;
    for (const [index, id] of samples.entries()) {
      atUs += timeDeltas[index] ?? 0;
      if (atUs < startUs || atUs > endUs) continue;
      let name = byId.get(id)?.callFrame.functionName ?? '';
      let ours: string | undefined;
      for (let at: number | undefined = id; at !== undefined && ours === undefined; at = parents.get(at)) {
        const frame = byId.get(at)?.callFrame;
        if (frame?.url.startsWith('file:') === true) ours = `${frame.functionName} ${shortFile(frame.url)}`;
      }
      if (ours !== undefined && !ours.startsWith(name)) name = `${name} by ${ours}`;
      else name = ours ?? name;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    const all = sum([...seen.values()]);
    const most = [...seen].toSorted(([, a], [, b]) => b - a).slice(0, 4);
    const shares = most.map(([name, count]) => `${Math.round((100 * count) / all)} % ${name}`);
    return `| ${cpuMs.toFixed(1)} | ${shares.join('; ')} |`;
  });
}

function shortFile(url: string): string {
  return url.replace(/^.*\/dist\//, '').replace(/^.*node_modules\//, '');
}

/** Bytes allocated by work, collected ones included. */
function bytesByWork({ head }: HeapProfiler.SamplingHeapProfile): Shares {
  const shares = new Map<Work, Share>();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode, callers: readonly Frame[]): void => {
    const stack = [node.callFrame, ...callers];
    if (node.selfSize > 0) add(shares, stack, node.selfSize);
    for (const child of node.children) visit(child, stack);
  };
  visit(head, []);
  return shares;
}

function add(shares: Map<Work, Share>, stack: readonly Frame[], amount: number): void {
  const work = workOf(stack);
  let share = shares.get(work);
  if (share === undefined) shares.set(work, (share = { amount: 0, functions: new Map() }));
  share.amount += amount;
  const [frame] = stack;
  const ours = stack.find(({ url }) => url.startsWith('file:'));
  const name = `${frame?.functionName || '(anonymous)'} ${shortFile(frame?.url ?? '')}`;
  const by = ours === undefined || ours === frame ? '' : ` by ${ours.functionName} ${shortFile(ours.url)}`;
  share.functions.set(name + by, (share.functions.get(name + by) ?? 0) + amount);
}

function top(share: Share | undefined, show: (amount: number) => string): readonly string[] {
  const sorted = [...(share?.functions ?? [])].toSorted(([, a], [, b]) => b - a).slice(0, TOP);
  return sorted.map(([name, amount]) => `${show(amount).padStart(10)}  ${name}`);
}

/** CPU by name of thread, ms; `main` is the one that runs JavaScript. */
function cpuByThread(pid: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8');
    const name = id === String(pid) ? 'main' : (/\((.*)\)/.exec(stat)?.[1] ?? '?');
    const fields = stat.replace(/^.*\) /, '').split(' ');
    found[name] = (found[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }
  return found;
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round((Number(kib) * 1_024) / MIB);
}

function named(collections: Recorded['collections']): object {
  // `perf_hooks.constants`.
  const names: Readonly<Record<string, string>> = {
    1: 'scavenge',
    2: 'minor',
    4: 'major',
    8: 'incremental',
    16: 'weak',
  };
  return Object.fromEntries(
    Object.entries(collections).map(([kind, { count, ms, maxMs }]) => [
      names[kind] ?? kind,
      `${count}, ${Math.round(ms)} ms, the longest ${maxMs.toFixed(1)} ms`,
    ]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
