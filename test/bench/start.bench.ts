// How long a process takes from its start to its first answer, and to a complete picture of 10,000 pods.
//
//   npx node test/bench/start.bench.ts
//
// The cluster is simulated in this process, on the same cores; digger runs in a process of its own, from sources, as
// `npm start` does. Times are of this process's clock, from before the fork; processor time is what Linux counts for digger
// alone, all threads, and so hardly depends on what else the machine does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill } from '../../src/simulator/fill.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { createRandom } from '../random.ts';

const PODS = 10_000;
const ROUNDS = 5;

const simulator = createSimulator({ random: createRandom(1).next, now: Date.now, maxHistoryEvents: 100_000 });
fill(simulator.cluster, { pods: PODS });
const server = await simulator.listen({ port: 0 });
const folder = mkdtempSync(join(tmpdir(), 'digger-start-'));
const kubeconfig = join(folder, 'kubeconfig.json');
const config = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'bench', cluster: { server: server.url } }],
  users: [{ name: 'bench', user: {} }],
  contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  'current-context': 'bench',
};
writeFileSync(kubeconfig, JSON.stringify(config));
try {
  const firstMs: number[] = [];
  const readyMs: number[] = [];
  const firstCpuMs: number[] = [];
  const readyCpuMs: number[] = [];
  const residentMiB: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAtMs = performance.now();
    await using digger = await DiggerProcess.start(kubeconfig);
    // The first thing that anybody hears: a gRPC answer over a fresh connection.
    await digger.call('StatusService', 'GetStatus');
    firstMs.push(performance.now() - startedAtMs);
    firstCpuMs.push(cpuMs(digger.pid));
    await digger.untilReady(60_000, 5);
    readyMs.push(performance.now() - startedAtMs);
    readyCpuMs.push(cpuMs(digger.pid));
    const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(await digger.metrics()) ?? [];
    residentMiB.push(Number(bytes) / 1024 / 1024);
  }
  const show = (values: readonly number[]): string => {
    const sorted = values.toSorted((one, other) => one - other).map((value) => Math.ceil(value));
    return `median ${sorted[Math.floor(sorted.length / 2)]}, worst ${sorted.at(-1)}`;
  };
  process.stdout.write(`first answer, ms:                ${show(firstMs)}\n`);
  process.stdout.write(`  of it processor time, ms:      ${show(firstCpuMs)}\n`);
  process.stdout.write(`ready with ${PODS} pods, ms:       ${show(readyMs)}\n`);
  process.stdout.write(`  of it processor time, ms:      ${show(readyCpuMs)}\n`);
  process.stdout.write(`resident memory when ready, MiB: ${show(residentMiB)}\n`);
} finally {
  await server.close();
  rmSync(folder, { recursive: true });
}

/** Processor time of a process so far: fields 14 and 15 of /proc/PID/stat (proc(5)), in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
