// Puts the modules of the program together into a few files, behind the compiler: four hundred modules of ours take
// longer to be found, read and linked than what is in them takes to run (docs/decisions/few-files.md).
//
// Packages stay outside, as they were installed. What is loaded later or by two entry points becomes files in `chunks`.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The program, and what its threads begin with. */
const ENTRY_POINTS = ['src/main.ts', 'src/rpc/threads/carrier-thread.ts'];

const OPTIONS = [
  ...['--bundle', '--splitting', '--packages=external', '--format=esm', '--platform=node', '--target=node22.19'],
  ...['--tsconfig=src/tsconfig.json', '--outbase=src', '--chunk-names=chunks/[name]-[hash]', '--sourcemap'],
  ...['--allow-overwrite', '--log-level=warning'],
];

/**
 * Overwrites what was compiled of the entry points. `root`: the checkout. False where esbuild is not installed: then what
 * was compiled stays as it is, whole, and takes longer to start. Throws when the modules do not fit together.
 */
export function putTogether(root: string, outputFolder: string): boolean {
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  if (!existsSync(esbuild)) return false;
  const args = [...ENTRY_POINTS, ...OPTIONS, `--outdir=${outputFolder}`];
  const made = spawnSync(esbuild, args, { cwd: root, encoding: 'utf8' });
  if (made.error !== undefined) throw made.error;
  if (made.status !== 0) throw new Error(`esbuild ended with ${made.status}: ${made.stderr}`);
  return true;
}
