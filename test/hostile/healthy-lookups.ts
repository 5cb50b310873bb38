// In a thread of its own: a caller that asks one question after the other, whatever the test's own thread does, and
// notes what each answer took: time, and CPU of the service between question and answer. The latter does not depend on
// what else the machine does.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DiggerClient } from '../observers/digger-client.ts';

/** What the thread is given. */
export interface HealthyCaller {
  /** The service, and its process. */
  readonly target: string;
  readonly pid: number;
  /** The address that it asks for. */
  readonly address: string;
}

/** What it tells of each lookup; a failure ends it. */
export type Lookup = { readonly wallMs: number; readonly cpuMs: number } | { readonly failure: string };

if (parentPort !== null) await ask(workerData as HealthyCaller, (lookup) => parentPort?.postMessage(lookup, []));

async function ask({ target, pid, address }: HealthyCaller, tell: (lookup: Lookup) => void): Promise<void> {
  const client = new DiggerClient(target);
  for (;;) {
    const from = performance.now();
    const cpuFrom = cpuMs(pid);
    try {
      const { outcome } = await client.resolve(address);
      if (outcome !== 'OUTCOME_RESOLVED') throw new Error(outcome);
    } catch (error) {
      tell({ failure: error instanceof Error ? error.message : String(error) });
      return;
    }
    tell({ wallMs: performance.now() - from, cpuMs: cpuMs(pid) - cpuFrom });
  }
}

/** CPU time of the main thread of a process, as Linux counts it. */
function cpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}
