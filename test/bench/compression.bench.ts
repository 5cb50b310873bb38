// What gzip brings and costs a start, by the speed of the network between digger and the API server: streamed lists
// with `--cluster-compression` on and off, through a relay that lets through 1 and 10 Gbit/s, and over loopback itself,
// which stands for 100. Against a real API server.
//
// `npm run bench -- compression`, or `node test/bench/compression.bench.ts [PODS] [--short]`, 20,000 by default. In
// turns; processor time of both sides, the relay's not counted. docs/decisions/gzip-for-lists.md draws the conclusion.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../cluster/control-plane.ts';
import { loadPods } from '../cluster/etcd-loader.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { compileDigger, IMAGE_ENVIRONMENT, IMAGE_NODE_OPTIONS } from './compiled-digger.ts';

const isShort = process.argv.includes('--short');
const pods = Number(process.argv.slice(2).find((each) => /^\d+$/.test(each)) ?? (isShort ? 5_000 : 20_000));
/** Odd, so that the median is one of them; the first is for the caches and is not counted. */
const ROUNDS = isShort ? 1 : 3;
const SPEEDS = [1, 10, 100] as const;
/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

interface Cost {
  readonly readyMs: number;
  readonly diggerMs: number;
  readonly serverMs: number;
}

using compiled = compileDigger();
await using plane = await ControlPlane.start({
  controllers: false,
  readyDeadlineMs: 300_000,
  beforeApiServer: async (etcdUrl) => {
    await loadPods(etcdUrl, pods);
  },
});
await startOnce(plane.url, 'on');
const rows: string[] = [];
for (const gbits of SPEEDS) {
  const relay = gbits === 100 ? undefined : await startRelay(gbits);
  const costs = { on: [] as Cost[], off: [] as Cost[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const how of ['on', 'off'] as const) costs[how].push(await startOnce(relay?.url ?? plane.url, how));
  }
  relay?.stop();
  for (const how of ['on', 'off'] as const) {
    const each = (of: (cost: Cost) => number): string => Math.round(median(costs[how].map(of))).toString();
    rows.push(
      `| ${gbits === 100 ? 'loopback' : `${gbits} Gbit/s`} | ${how} | ${each(({ readyMs }) => readyMs)} | ${each(({ diggerMs }) => diggerMs)} | ${each(({ serverMs }) => serverMs)} |`,
    );
  }
}
process.stdout.write(
  `${pods} pods, medians of ${ROUNDS}\n\n| network | gzip | ready, ms | digger CPU, ms | server CPU, ms |\n`,
);
process.stdout.write(`|---|---|---|---|---|\n${rows.join('\n')}\n`);

async function startOnce(server: string, compression: 'on' | 'off'): Promise<Cost> {
  const kubeconfig = await createServiceAccountKubeconfig(plane, server);
  const serverBefore = await serverCpuMs();
  const begin = performance.now();
  await using digger = await DiggerProcess.start(kubeconfig, [`--cluster-compression=${compression}`], {
    main: compiled.main,
    nodeOptions: IMAGE_NODE_OPTIONS,
    environment: IMAGE_ENVIRONMENT,
  });
  await digger.untilLogged('ready', 300_000);
  const readyMs = performance.now() - begin;
  return { readyMs, diggerMs: cpuMs(digger.pid), serverMs: (await serverCpuMs()) - serverBefore };
}

async function startRelay(gbits: number): Promise<{ readonly url: string; stop(): void }> {
  const { hostname, port } = new URL(plane.url);
  const script = fileURLToPath(new URL('./shaped-proxy.ts', import.meta.url));
  const child = spawn(process.execPath, [script, hostname, port, String(gbits)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [bound] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { url: `https://127.0.0.1:${bound}`, stop: () => void child.kill() };
}

/** Of the API server, by its own account. */
async function serverCpuMs(): Promise<number> {
  const { body } = await plane.client.raw('GET', '/metrics');
  return 1_000 * Number(/^process_cpu_seconds_total (\S+)$/m.exec(body)?.[1]);
}

/** User and system time of the process. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
