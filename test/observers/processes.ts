// Child processes that never outlive the test that started them.
//
// Every child is ended by its pid: at `stop`, when this process exits, and, through a shell that only waits for its
// standard input to close, also when this process is killed with SIGKILL by a test runner out of patience.
// Output goes to a file, so that a full pipe never blocks a child and a failure can show the last lines.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Writable } from 'node:stream';

/** A running program and its log. */
export class Program {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #ended: string | undefined;

  /** Starts `command`; output is appended to `logFile`. */
  constructor(name: string, command: string, args: readonly string[], logFile: string) {
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, 'a');
    this.#child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#ended = String(error);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#ended = `exit code ${code}, signal ${signal}`;
        if (this.#child.pid !== undefined) forgetPid(this.#child.pid);
        resolve();
      });
    });
    if (this.#child.pid !== undefined) watchPid(this.#child.pid);
  }

  /** How it ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** Ends it and waits until it is gone; a program that is gone already is no error. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#ended === undefined) this.#child.kill(signal);
    await this.#exited;
  }

  /** The end of its log, for failure messages. */
  tail(lines = 15): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** A TCP port on loopback that was free a moment ago. For programs that cannot choose one and tell. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** Has the process with this pid killed when this process is gone, whatever the reason. */
export function watchPid(pid: number): void {
  watched.add(pid);
  reaper().write(`+ ${pid}\n`);
}

/** It ended by itself; its pid may belong to another process soon. */
export function forgetPid(pid: number): void {
  watched.delete(pid);
  reaper().write(`- ${pid}\n`);
}

const watched = new Set<number>();
let reaperInput: Writable | undefined;

// Reads "+ PID" and "- PID" and, at the end of its input, kills what is left.
const REAPER = `
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
`;

function reaper(): Writable {
  if (reaperInput) return reaperInput;
  // Detached: a Ctrl-C in the terminal must reach this process, not the one that cleans up after it.
  const shell = spawn('sh', ['-c', REAPER], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  // The pipe must not keep this process alive either.
  (shell.stdin as unknown as { unref(): void }).unref();
  process.once('exit', () => {
    for (const pid of watched) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // ESRCH: it ended before we heard of it, which is what we want.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  });
  reaperInput = shell.stdin;
  return shell.stdin;
}
