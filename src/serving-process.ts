// The process as serving is measured in: Node options and environment that only the start of a process can set. The
// image starts Node with them; `npx digger serve`, `npm start` and `npm run demo` replace their process by one that has
// them (execve: the pid, the terminal and the open pipes stay), so that all ways of starting need the same memory.

/** The options of Node that the image starts with; the Dockerfile says why. */
export const SERVING_NODE_OPTIONS = ['--max-semi-space-size=4'] as const;

/** glibc reads it once, at the start of a process; the Dockerfile says why it is set. */
export const SERVING_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '65536' } as const;

/** What the decision needs of the process; tests give their own. */
export interface StartedProcess {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** What `execve` is to be called with. */
export interface Replacement {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** How to replace this process by one with the options of serving; undefined when it has them all. */
export function servingReplacement(started: StartedProcess): Replacement | undefined {
  const given = [...started.execArgv, ...(started.env['NODE_OPTIONS'] ?? '').split(/\s+/)].map(optionName);
  // An option that somebody gave a value of their own keeps it.
  const missing = SERVING_NODE_OPTIONS.filter((option) => !given.includes(optionName(option)));
  const environment = Object.entries(SERVING_ENVIRONMENT).filter(([name]) => started.env[name] === undefined);
  if (missing.length === 0 && environment.length === 0) return undefined;
  return {
    file: started.execPath,
    args: [started.execPath, ...started.execArgv, ...missing, ...started.argv.slice(1)],
    env: { ...started.env, ...Object.fromEntries(environment) },
  };
}

/** Replaces the process and does not return, or returns when there is nothing to change or no way to do it. */
export function becomeServingProcess(): void {
  // A parent's message channel would not survive. Windows has no execve: there the options stay Node's own.
  if (process.channel !== undefined || process.execve === undefined || process.platform === 'win32') return;
  const replacement = servingReplacement(process);
  if (replacement !== undefined) process.execve(replacement.file, replacement.args, replacement.env);
}

/** V8 and Node take `_` for `-` in names. */
function optionName(option: string): string {
  return (option.split('=', 1)[0] ?? '').replaceAll('_', '-');
}
