// Runs the tests of listing, watching and attribution against every pinned version of Kubernetes, oldest first, and
// ends with a line for each. `node test/cluster/versions.ts 1.33 1.35` runs these alone.
//
// Each version is built when it is first needed (binaries.ts); the newest is also what `npm run test:cluster` runs.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chosenVersion, findOrBuildBinaries, pinnedMinors } from './binaries.ts';

const FILES = ['versions', 'attribution', 'outage', 'custom-owners'];

const minors = process.argv.length > 2 ? process.argv.slice(2) : pinnedMinors();
const lines: string[] = [];
for (const minor of minors) {
  const env = { ...process.env, KUBERNETES: minor };
  const startMs = performance.now();
  let outcome: string;
  try {
    process.stderr.write(`Kubernetes ${minor}: ${lines.length + 1} of ${minors.length}\n`);
    await findOrBuildBinaries(env);
    outcome = (await runTests(env)) === 0 ? 'ok    ' : 'FAILED';
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    outcome = 'FAILED';
  }
  if (outcome === 'FAILED') process.exitCode = 1;
  lines.push(`${outcome}  ${versionOf(minor)}, ${Math.round((performance.now() - startMs) / 1_000)} s`);
}
process.stdout.write(`\n${lines.join('\n')}\n`);

function versionOf(minor: string): string {
  return pinnedMinors().includes(minor) ? `Kubernetes ${chosenVersion({ KUBERNETES: minor })}` : `Kubernetes ${minor}`;
}

function runTests(env: NodeJS.ProcessEnv): Promise<number | null> {
  const files = FILES.map((name) => fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url)));
  const args = ['--test', '--test-concurrency=1', '--test-timeout=600000', ...files];
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  return new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
}
