// Runs every benchmark, one after the other, each in a process of its own: `npm run bench`, `npm run bench -- scaling`
// for those that are named, or `npm run bench -- --short` for a quick look (about three minutes), whose figures are
// rough.
//
// Each prints its figures beside those of its baseline in the same run. A benchmark that fails, or does not end in
// time, fails the run; one that needs a control plane which is neither there nor can be built says so in one line and
// does not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SERVING_NODE_OPTIONS } from '../../src/serving-process.ts';
import { findOrBuildBinaries } from '../cluster/binaries.ts';

interface Benchmark {
  readonly title: string;
  readonly script: string;
  readonly nodeOptions: readonly string[];
  readonly needsControlPlane: boolean;
}

const BENCHMARKS: readonly Benchmark[] = [
  benchmark('decoding a listed pod', 'decode'),
  benchmark('questions to the address index', 'resolve', { nodeOptions: ['--expose-gc'] }),
  benchmark('joining and encoding in the catalog', 'catalog', { nodeOptions: ['--expose-gc'] }),
  // With the heap of a service that runs: what a collection in a turn takes depends on it.
  benchmark('one change where much hangs on it', 'scaling', { nodeOptions: ['--expose-gc', ...SERVING_NODE_OPTIONS] }),
  benchmark('cost as the cluster grows', 'growth', { nodeOptions: ['--expose-gc'] }),
  benchmark('pods outside the heap', 'slabs', { nodeOptions: ['--expose-gc'] }),
  benchmark('lookups of a batch', 'batch'),
  benchmark('lookups over gRPC', 'lookup'),
  benchmark('change feed', 'feed'),
  benchmark('a replica in the process of a sensor', 'replica', { nodeOptions: ['--expose-gc'] }),
  benchmark('replicas that follow a server', 'followers'),
  benchmark('from start to the first answer', 'start'),
  benchmark('following a cluster', 'watch', { needsControlPlane: true }),
  benchmark('where the time of a start goes', 'profile', { needsControlPlane: true }),
  benchmark('compression of lists, by the speed of the network', 'compression', { needsControlPlane: true }),
];

/** The longest takes five minutes on two cores. */
const DEADLINE_MS = 600_000;

const PROGRESS_MS = 20_000;

const isShort = process.argv.includes('--short');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = named.filter((name) => !BENCHMARKS.some(({ script }) => script === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}: there are ${BENCHMARKS.map(({ script }) => script).join(', ')}`);
  process.exit(2);
}
const failed: string[] = [];
const chosen = BENCHMARKS.filter(({ script }) => named.length === 0 || named.includes(script));
for (const [at, { title, script, nodeOptions, needsControlPlane }] of chosen.entries()) {
  console.log(`\n# ${title} (test/bench/${script}.bench.ts), ${at + 1} of ${chosen.length}`);
  const missing = needsControlPlane ? await missingControlPlane() : undefined;
  if (missing !== undefined) {
    console.log(`did not run: ${missing}`);
    continue;
  }
  const problem = await run(script, nodeOptions);
  if (problem === undefined) continue;
  console.log(problem);
  failed.push(script);
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

function benchmark(title: string, script: string, needs: Partial<Benchmark> = {}): Benchmark {
  return { title, script, nodeOptions: [], needsControlPlane: false, ...needs };
}

/** Why there is no control plane to measure against; `undefined` when there is one. */
async function missingControlPlane(): Promise<string | undefined> {
  try {
    await findOrBuildBinaries();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What went wrong, if anything did. */
async function run(script: string, nodeOptions: readonly string[]): Promise<string | undefined> {
  const file = fileURLToPath(new URL(`./${script}.bench.ts`, import.meta.url));
  const child = spawn(process.execPath, [...nodeOptions, file, ...(isShort ? ['--short'] : [])], { stdio: 'inherit' });
  const startMs = performance.now();
  // On stderr: a person waits for minutes, and the figures stay clean.
  const progress = setInterval(
    () => console.error(`${script}: running for ${Math.round((performance.now() - startMs) / 1_000)} s`),
    PROGRESS_MS,
  );
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    child.kill();
  }, DEADLINE_MS);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  clearInterval(progress);
  if (isLate) return `did not end within ${DEADLINE_MS / 1_000} s`;
  return code === 0 ? undefined : `ended with ${code ?? signal}`;
}
