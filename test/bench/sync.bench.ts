// How long a start takes against a real API server with 10,000 pods, and what a pod costs in memory.
//
// Beside it in the same run: a process that drains the same lists and keeps nothing (drain-lists.ts), which is the floor
// that no client gets below. Both are measured from the start of their process, in turns, and the medians compared. digger
// runs compiled, as it is deployed. Memory is told twice, each time less that of digger against an empty cluster: the
// resident set, with all that the garbage collector keeps for later, and what is in use, heap and memory outside it.
//
// `node test/bench/sync.bench.ts [PODS] [--short]`; needs what the cluster tests need.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../cluster/control-plane.ts';
import { type Loaded, loadPods } from '../cluster/etcd-loader.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';
import { type CompiledDigger, compileDigger, IMAGE_NODE_OPTIONS, type ProcessMemory } from './compiled-digger.ts';

const isShort = process.argv.includes('--short');

/** Odd, so that the median is one of them. */
const ROUNDS = isShort ? 1 : 5;

/** V8 collects garbage of an idle process after 8 s (`--gc-memory-reducer-start-delay-ms`), twice at most. */
const SETTLE_MS = 20_000;

/** As the image starts it, and with the young generation that V8 takes by default. */
const NODE_OPTIONS = { 'as deployed': IMAGE_NODE_OPTIONS, 'default young generation': [] } as const;
type Setting = keyof typeof NODE_OPTIONS;
const SETTINGS: readonly Setting[] = isShort ? ['as deployed'] : ['as deployed', 'default young generation'];

const pods = Number(process.argv.slice(2).find((each) => /^\d+$/.test(each)) ?? (isShort ? 2_000 : 10_000));

using digger = compileDigger();
const empty = new Map<Setting, ProcessMemory>();
await onPlane(undefined, async (kubeconfig) => {
  for (const setting of SETTINGS) empty.set(setting, await settledMemory(digger, kubeconfig, setting));
});

let loaded: Loaded | undefined;
await onPlane(
  async (etcdUrl) => {
    loaded = await loadPods(etcdUrl, pods);
  },
  async (kubeconfig) => {
    const drains: { readonly ms: number; readonly bytes: number }[] = [];
    const syncs: number[] = [];
    // The first list after a start finds cold caches in the server; it belongs to neither.
    await drainOnce(kubeconfig);
    for (let round = 0; round < ROUNDS; round++) {
      drains.push(await drainOnce(kubeconfig));
      syncs.push(await syncOnce(kubeconfig));
    }
    // A server that pages this list would have let the drain off with its first page.
    if (drains.some((drain) => drain.bytes < pods * 2_000))
      throw new Error(`drained too little: ${JSON.stringify(drains)}`);
    const drainMs = median(drains.map((drain) => drain.ms));
    const syncMs = median(syncs);
    const stored = Math.round((loaded?.podBytes ?? 0) / pods);
    console.log(
      `sync: ${pods} pods of ${stored} bytes in storage, ${drains[0]?.bytes} bytes listed; medians of ${ROUNDS}`,
    );
    console.log(`drain the lists (baseline): ${drainMs} ms [${drains.map((drain) => drain.ms).join(', ')}]`);
    console.log(`digger, process start to ready: ${syncMs} ms [${syncs.join(', ')}]`);
    console.log(`sync / drain: ${(syncMs / drainMs).toFixed(2)}`);
    for (const setting of SETTINGS) {
      const before = empty.get(setting) as ProcessMemory;
      const after = await settledMemory(digger, kubeconfig, setting);
      const perPod = (key: keyof ProcessMemory): string =>
        `${Math.round((after[key] - before[key]) / pods)} bytes per pod (${mib(before[key])} → ${mib(after[key])} MiB)`;
      console.log(`memory, ${setting}: in use ${perPod('liveBytes')}; resident ${perPod('rssBytes')}`);
    }
  },
);

async function onPlane<T>(
  beforeApiServer: ((etcdUrl: string) => Promise<void>) | undefined,
  use: (kubeconfig: string) => Promise<T>,
): Promise<T> {
  await using plane = await ControlPlane.start({
    controllers: false,
    readyDeadlineMs: 300_000,
    ...(beforeApiServer && { beforeApiServer }),
  });
  // Awaited here: the control plane ends with this function.
  return await use(await createServiceAccountKubeconfig(plane));
}

async function drainOnce(kubeconfig: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const script = fileURLToPath(new URL('./drain-lists.ts', import.meta.url));
  const child = spawn(process.execPath, [script, kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`drain-lists.ts ended with ${code}`);
  return JSON.parse(output) as { ms: number; bytes: number };
}

/** From the start of the process to ready, ms. */
async function syncOnce(kubeconfig: string): Promise<number> {
  await using started = await digger.start(kubeconfig, NODE_OPTIONS['as deployed']);
  if (started.entities < pods) throw new Error(`ready with ${started.entities} entities`);
  return started.readyMs;
}

/** The least of each that is seen while the process settles: garbage of the first list is not what a pod costs. */
async function settledMemory(compiled: CompiledDigger, kubeconfig: string, setting: Setting): Promise<ProcessMemory> {
  await using started = await compiled.start(kubeconfig, NODE_OPTIONS[setting]);
  let least = await started.memory();
  const endAt = performance.now() + SETTLE_MS;
  while (performance.now() < endAt) {
    await delay(1_000);
    const { rssBytes, liveBytes } = await started.memory();
    least = { rssBytes: Math.min(least.rssBytes, rssBytes), liveBytes: Math.min(least.liveBytes, liveBytes) };
  }
  return least;
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
