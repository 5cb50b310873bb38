// digger as it is deployed, compiled JavaScript in a process of its own, for what is measured from the start of a process.
//
// Compiled into a folder of its own, so that `dist/` stays what the last build made of it. Memory is what the process
// says in its metrics: the resident set, and heap in use plus memory outside the heap (bytes of entities for the most part).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The compiled service; `Symbol.dispose` removes it. */
export interface CompiledDigger extends Disposable {
  /** Path of the script to run. */
  readonly main: string;
  /** Starts `digger serve` and resolves when it is ready. */
  start(kubeconfig: string, nodeOptions?: readonly string[]): Promise<StartedDigger>;
}

export interface StartedDigger extends AsyncDisposable {
  /** From the start of the process to ready, Node's own start included. */
  readonly readyMs: number;
  /** Entities when it was ready. */
  readonly entities: number;
  memory(): Promise<ProcessMemory>;
}

export interface ProcessMemory {
  readonly rssBytes: number;
  /** Heap in use and memory outside of it. Without what the garbage collector keeps for later. */
  readonly liveBytes: number;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_DEADLINE_MS = 120_000;

/** What the image gives to Node, from the one place that says it. */
export const IMAGE_NODE_OPTIONS: readonly string[] = readImageNodeOptions();

export function compileDigger(): CompiledDigger {
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
  const main = join(folder, 'dist/main.js');
  return {
    main,
    start: (kubeconfig, nodeOptions = []) => start(main, kubeconfig, nodeOptions),
    [Symbol.dispose]: remove,
  };
}

function readImageNodeOptions(): readonly string[] {
  const entryPoint = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '[]';
  const [node = '', ...options] = JSON.parse(entryPoint) as string[];
  if (!node.endsWith('/node') || options.pop() !== 'dist/main.js') throw new Error(`the image starts ${entryPoint}`);
  return options;
}

async function start(main: string, kubeconfig: string, nodeOptions: readonly string[]): Promise<StartedDigger> {
  const startedMs = performance.now();
  const listeners = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [...nodeOptions, main, 'serve', '--kubeconfig', kubeconfig, ...listeners], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines: string[] = [];
  const ready = new Promise<{ readonly admin: string; readonly entities: number }>((resolve, reject) => {
    let admin = '';
    const deadline = setTimeout(() => reject(new Error(`not ready:\n${lines.join('\n')}`)), READY_DEADLINE_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as { msg?: string; adminAddress?: string; entities?: number };
      if (entry.msg === 'serving') admin = entry.adminAddress ?? '';
      if (entry.msg !== 'ready') return;
      clearTimeout(deadline);
      resolve({ admin, entities: entry.entities ?? 0 });
    });
    child.once('exit', (code) => {
      clearTimeout(deadline);
      reject(new Error(`ended with ${code}:\n${lines.join('\n')}`));
    });
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    const { admin, entities } = await ready;
    const readyMs = Math.round(performance.now() - startedMs);
    return { readyMs, entities, memory: () => readMemory(admin), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readMemory(admin: string): Promise<ProcessMemory> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const gauge = (name: string): number => {
    const value = new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`no metric ${name}`);
    return Number(value);
  };
  return {
    rssBytes: gauge('process_resident_memory_bytes'),
    liveBytes: gauge('nodejs_heap_size_used_bytes') + gauge('nodejs_external_memory_bytes'),
  };
}
