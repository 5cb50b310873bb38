// What replicas cost a server, and how long a change takes to them: from the write in a (simulated) API server to the
// answer of a replica, at 1,000 changes a second with 100 subscribers of timelines; and the server's CPU for 1,000 of
// them at 100 changes a second, beside 1,000 subscribers that get entities alone, in turns.
//
// The server is a process of its own, compiled; the cluster is a thread here. Two of the subscribers are replicas that
// are asked; the others take frames away and look at nothing. A lag by the clock includes what other processes took
// from this machine; CPU is what Linux counts for the server alone.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { connect } from '../../src/client/replica.ts';
import type { ChurnOrder } from './churning-cluster.ts';
import { compileDigger, IMAGE_NODE_OPTIONS } from './compiled-digger.ts';
import { drain } from './feed-clients.ts';

const isShort = process.argv.includes('--short');
const PODS = isShort ? 500 : 5_000;
const LAG = { subscribers: 100, perSecond: 1_000, seconds: isShort ? 5 : 20 };
const CPU = { subscribers: isShort ? 200 : 1_000, perSecond: 100, seconds: isShort ? 5 : 15, rounds: isShort ? 1 : 3 };

const thread = new Worker(new URL('./churning-cluster.ts', import.meta.url), { workerData: { pods: PODS } });
const [url] = (await once(thread, 'message')) as [string];
const churn = (perSecond: number): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  thread.postMessage({ perSecond } satisfies ChurnOrder);
};
const folder = mkdtempSync(join(tmpdir(), 'digger-followers-'));
const kubeconfig = join(folder, 'kubeconfig.json');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'bench', users: [{ name: 'bench', user: {} }] },
    clusters: [{ name: 'bench', cluster: { server: url } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  }),
);
const compiled = compileDigger();
const listeners = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--log-format', 'json'];
const server = spawn(
  process.execPath,
  [...IMAGE_NODE_OPTIONS, compiled.main, 'serve', '--kubeconfig', kubeconfig, ...listeners],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
try {
  const serving = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: server.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const { msg, address } = JSON.parse(line) as { readonly msg?: string; readonly address?: string };
    if (msg === 'serving') serving.resolve(address ?? '');
    if (msg === 'ready') ready.resolve();
  });
  server.once('exit', () => serving.reject(new Error('the server ended')));
  const target = await serving.promise;
  await ready.promise;
  await measureLag(target);
  await measureCpu(Number(target.split(':')[1]));
} finally {
  server.kill('SIGKILL');
  compiled[Symbol.dispose]();
  await thread.terminate();
  rmSync(folder, { recursive: true });
}

async function measureLag(target: string): Promise<void> {
  const replicas = [0, 1].map(() => connect({ targets: [target], entities: 'NONE' }));
  for (const replica of replicas) await replica.ready();
  const others = await drain(Number(target.split(':')[1]), LAG.subscribers - replicas.length, { timelines: true });
  const lags: number[] = [];
  let isMeasuring = false;
  for (const replica of replicas) {
    replica.on('change', ({ places }) => {
      if (!isMeasuring) return;
      const nowMs = performance.timeOrigin + performance.now();
      for (const place of places) {
        if (place.of !== 'address') continue;
        const { holder } = replica.resolve({ address: place.address });
        // The end of a pod is a change of its address too, and says nothing of when it came.
        const [, us] = /^at-(\d+)-/.exec(holder?.name ?? '') ?? [];
        if (us !== undefined && holder?.validTo === undefined) lags.push(nowMs - Number(us) / 1_000);
      }
    });
  }
  churn(LAG.perSecond);
  await wait(4_000);
  isMeasuring = true;
  const cpu = cpuMs();
  await wait(LAG.seconds * 1_000);
  isMeasuring = false;
  const spent = cpuMs() - cpu;
  churn(0);
  lags.sort((a, b) => a - b);
  const at = (part: number): string => (lags[Math.floor(lags.length * part)] ?? Number.NaN).toFixed(1);
  const rate = lags.length / replicas.length / LAG.seconds;
  console.log(
    `${LAG.subscribers} subscribers of timelines, ${LAG.perSecond} changes a second (${rate.toFixed(0)} new holders a second): ` +
      `from the API server to the answer of a replica p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
      `the server takes ${(spent / LAG.seconds / 10).toFixed(0)} % of a core`,
  );
  others.close();
  for (const replica of replicas) replica.close();
  await wait(3_000);
}

async function measureCpu(port: number): Promise<void> {
  for (let round = 0; round < CPU.rounds; round++) {
    for (const timelines of [false, true]) {
      const clients = await drain(port, CPU.subscribers, { timelines });
      churn(CPU.perSecond);
      await wait(5_000);
      const [cpu, bytes] = [cpuMs(), clients.bytes()];
      await wait(CPU.seconds * 1_000);
      const [spent, sent] = [cpuMs() - cpu, clients.bytes() - bytes];
      churn(0);
      clients.close();
      console.log(
        `${CPU.subscribers} subscribers ${timelines ? 'with timelines' : 'of entities alone'}, ${CPU.perSecond} changes a second: ` +
          `${(spent / CPU.seconds / 10).toFixed(1)} % of a core, ${(sent / CPU.seconds / CPU.subscribers / 1_024).toFixed(1)} KiB/s each`,
      );
      await wait(3_000);
    }
  }
}

/** CPU of the server so far. */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
