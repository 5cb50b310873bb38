// How long a start takes against a real API server with 10,000 pods, and what a pod costs in memory.
//
// Beside it in the same run: a process that drains the same lists and keeps nothing (drain-lists.ts), which is the floor
// that no client gets below. Both are measured from the start of their process, in turns, and the medians compared. Memory
// is the resident set of digger with the pods, less that of digger against an empty cluster.
//
// `node test/bench/sync.bench.ts [PODS]`; needs what the cluster tests need.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../cluster/control-plane.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { type Loaded, loadPods, podAddress } from '../cluster/etcd-loader.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';

/** Odd, so that the median is one of them. */
const ROUNDS = 3;

const pods = Number(process.argv[2] ?? 10_000);

const empty = await onPlane(undefined, async (kubeconfig) => (await syncOnce(kubeconfig)).rssBytes);

let loaded: Loaded | undefined;
await onPlane(
  async (etcdUrl) => {
    loaded = await loadPods(etcdUrl, pods);
  },
  async (kubeconfig) => {
    const drains: { readonly ms: number; readonly bytes: number }[] = [];
    const syncs: { readonly ms: number; readonly rssBytes: number }[] = [];
    // The first list after a start finds cold caches in the server; it belongs to neither.
    await drainOnce(kubeconfig);
    for (let round = 0; round < ROUNDS; round++) {
      drains.push(await drainOnce(kubeconfig));
      syncs.push(await syncOnce(kubeconfig, podAddress(pods - 1)));
    }
    // A server that pages this list would have let the drain off with its first page.
    if (drains.some((drain) => drain.bytes < pods * 2_000))
      throw new Error(`drained too little: ${JSON.stringify(drains)}`);
    const drainMs = median(drains.map((drain) => drain.ms));
    const syncMs = median(syncs.map((sync) => sync.ms));
    const rssBytes = median(syncs.map((sync) => sync.rssBytes));
    const report = {
      pods,
      storedBytesPerPod: Math.round((loaded?.podBytes ?? 0) / pods),
      listedBytes: drains[0]?.bytes,
      drainMs,
      syncMs,
      syncToDrain: Number((syncMs / drainMs).toFixed(2)),
      rssEmptyMiB: Math.round(empty / 2 ** 20),
      rssMiB: Math.round(rssBytes / 2 ** 20),
      rssBytesPerPod: Math.round((rssBytes - empty) / pods),
      runs: {
        drainMs: drains.map((drain) => drain.ms),
        syncMs: syncs.map((sync) => sync.ms),
        rssMiB: syncs.map((sync) => Math.round(sync.rssBytes / 2 ** 20)),
      },
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
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

/** From the start of the process to ready; `address` has to answer then. */
async function syncOnce(
  kubeconfig: string,
  address?: string,
): Promise<{ readonly ms: number; readonly rssBytes: number }> {
  const start = performance.now();
  await using digger = await DiggerProcess.start(kubeconfig);
  await digger.untilReady(120_000, 10);
  const ms = Math.round(performance.now() - start);
  if (address !== undefined) {
    const resolution = await digger.resolve(address);
    if (resolution['workload']?.['kind'] !== 'Deployment') throw new Error(`${address}: ${JSON.stringify(resolution)}`);
  }
  return { ms, rssBytes: await settledRss(digger.pid) };
}

/** The lowest resident set of five seconds: what is left when the garbage of the first list is collected. */
async function settledRss(pid: number): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < 10; sample++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const kib = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim());
    lowest = Math.min(lowest, kib * 1024);
  }
  return lowest;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
