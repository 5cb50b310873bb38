// digger as it is deployed: compiled JavaScript in a few files, and what the image gives to Node, for what is measured
// from the start of a process. Made in a folder of its own, so that `dist/` stays what the last build made of it.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { putTogether } from '../../.ci/put-together.ts';

/** The compiled service; `Symbol.dispose` removes it. */
export interface CompiledDigger extends Disposable {
  /** Path of the script to run. */
  readonly main: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

/** What the image gives to Node, from the one place that says it. */
export const IMAGE_NODE_OPTIONS: readonly string[] = readImageNodeOptions();
/** The image's environment. */
export const IMAGE_ENVIRONMENT: Readonly<Record<string, string>> = Object.fromEntries(
  [...DOCKERFILE.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
);

/** `asModules`: each module stays a file of its own, by whose path a profile can tell what it belongs to. */
export function compileDigger({ asModules = false } = {}): CompiledDigger {
  const folder = mkdtempSync(join(tmpdir(), 'digger-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // As deep as src/ and beside the same neighbours, as an installation is.
  for (const neighbour of ['proto', 'node_modules']) symlinkSync(join(ROOT, neighbour), join(folder, neighbour));
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const compiled = spawnSync(tsc, ['-p', join(ROOT, 'src'), '--outDir', join(folder, 'dist')], { encoding: 'utf8' });
  if (compiled.status !== 0) {
    remove();
    throw new Error(`src/ does not compile: ${compiled.stdout}`);
  }
  if (!asModules) putTogether(ROOT, join(folder, 'dist'));
  const main = join(folder, 'dist/main.js');
  return {
    main,
    [Symbol.dispose]: remove,
  };
}

function readImageNodeOptions(): readonly string[] {
  const entryPoint = /^ENTRYPOINT (\[.*\])$/m.exec(DOCKERFILE)?.[1] ?? '[]';
  const [node = '', ...options] = JSON.parse(entryPoint) as string[];
  if (!node.endsWith('/node') || options.pop() !== 'dist/main.js') throw new Error(`the image starts ${entryPoint}`);
  return options;
}
