// Looks the locked dependencies up in npm's advisory database and tells apart three outcomes: nothing known against
// them (exit 0), known vulnerabilities (exit 1), and no answer (exit 0 with a line that says that nothing was checked,
// or exit 1 when AUDIT_REQUIRED is set: for a CI that does reach the database).

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

process.chdir(join(import.meta.dirname, '..'));

interface Report {
  readonly error?: { readonly summary?: string };
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: { readonly total: number } };
}

const run = spawnSync('npm', ['audit', '--json', '--audit-level=low', '--fetch-retries=0', '--fetch-timeout=20000'], {
  encoding: 'utf8',
  timeout: Number(process.env.AUDIT_TIMEOUT_MS ?? 60_000),
});
const isLate = run.error !== undefined && 'code' in run.error && run.error.code === 'ETIMEDOUT';
if (run.error !== undefined && !isLate) throw run.error;

const report = parse(run.stdout);
const total = report?.metadata?.vulnerabilities?.total;
if (total === undefined) {
  const end = isLate ? 'it takes too long' : `exit ${run.status} without a report`;
  const cause = report?.message ?? report?.error?.summary ?? end;
  console.error(`npm audit: NOT CHECKED, the advisory database gave no answer: ${cause}`);
  if (process.env.AUDIT_REQUIRED) process.exitCode = 1;
} else if (total > 0) {
  console.error(`npm audit: ${total} known vulnerabilities; \`npm audit\` lists them`);
  process.exitCode = 1;
} else {
  console.log('npm audit: nothing known against the locked dependencies');
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
