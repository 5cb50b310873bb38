// digger as its users run it: the command `digger serve` in a process of its own, asked over gRPC.
//
// Where it listens is read from its log: the line with message "serving" carries `address` and `adminAddress`.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DiggerClient, type Message } from './digger-client.ts';
import { SERVING_ENVIRONMENT, SERVING_NODE_OPTIONS } from '../../src/serving-process.ts';
import { done, eventually, notYet } from './eventually.ts';
import { forgetPid, watchPid } from './processes.ts';

/** How a process ended. */
export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Lines of its log that are kept. */
export const MAX_LOG_LINES = 2_000;

/** What Node runs. */
export type Program = {
  readonly main: string;
  readonly nodeOptions: readonly string[];
  /** Beside the test's own. */
  readonly environment?: Readonly<Record<string, string>>;
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

// With the options that digger would take on itself: saves each start of a test the replacement of its process.
const FROM_SOURCES: Program = {
  main: join(ROOT, 'src/main.ts'),
  nodeOptions: SERVING_NODE_OPTIONS,
  environment: SERVING_ENVIRONMENT,
};

/** See the head of the file. */
export class DiggerProcess extends DiggerClient implements AsyncDisposable {
  readonly pid: number;
  /** `127.0.0.1:PORT` of metrics and probes. */
  readonly adminAddress: string;
  /** Resolves when it ended, by itself or not. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #log: string[];

  private constructor(
    child: ChildProcess,
    pid: number,
    ended: Promise<ProcessEnd>,
    log: string[],
    bound: { readonly address: string; readonly adminAddress: string },
  ) {
    super(bound.address);
    this.#child = child;
    this.pid = pid;
    this.ended = ended;
    this.#log = log;
    this.adminAddress = bound.adminAddress;
  }

  /** Starts `digger serve` on free ports; returns when it listens, which is before it is synced. */
  static async start(
    kubeconfig: string,
    args: readonly string[] = [],
    { main, nodeOptions, environment }: Program = FROM_SOURCES,
  ): Promise<DiggerProcess> {
    const child = spawn(
      process.execPath,
      [
        ...nodeOptions,
        main,
        'serve',
        '--kubeconfig',
        kubeconfig,
        '--listen',
        '127.0.0.1:0',
        '--admin-listen',
        '127.0.0.1:0',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
    );
    const log: string[] = [];
    let bound: { address: string; adminAddress: string } | undefined;
    let ended: string | undefined;
    createInterface({ input: child.stderr }).on('line', (line) => keep(log, line));
    createInterface({ input: child.stdout }).on('line', (line) => {
      keep(log, line);
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as { msg?: string; address?: string; adminAddress?: string };
      if (entry.msg === 'serving' && entry.address && entry.adminAddress) {
        bound = { address: entry.address, adminAddress: entry.adminAddress };
      }
    });
    const end = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => {
        ended = `exit code ${code}, signal ${signal}`;
        if (child.pid !== undefined) forgetPid(child.pid);
        resolve({ code, signal });
      });
    });
    if (child.pid === undefined) throw new Error('digger did not start');
    watchPid(child.pid);
    const found = await eventually('digger listens', () => (bound ? done(bound) : notYet(log.join('\n'))), {
      deadlineMs: 60_000,
      giveUp: () => (ended === undefined ? undefined : `${ended}\n${log.join('\n')}`),
    });
    return new DiggerProcess(child, child.pid, end, log, found);
  }

  /** The last lines of its log. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** Waits until `GetStatus` says ready. */
  async untilReady(deadlineMs = 60_000, intervalMs = 50): Promise<Message> {
    return eventually(
      'digger ready',
      async () => {
        const status = await this.call('StatusService', 'GetStatus');
        return status['ready'] ? done(status) : notYet({ status, log: this.#log.slice(-10) });
      },
      { deadlineMs, intervalMs, giveUp: () => this.#ended() },
    );
  }

  /** Waits until it has logged this message; asks it nothing, so that waiting does not keep it busy. */
  async untilLogged(message: string, deadlineMs: number): Promise<void> {
    const found = `"msg":"${message}"`;
    await eventually(
      `digger logs ${message}`,
      () => (this.#log.some((line) => line.includes(found)) ? done(undefined) : notYet(this.#log.slice(-10))),
      { deadlineMs, intervalMs: 5, giveUp: () => this.#ended() },
    );
  }

  /** Text of `/metrics`, a second old at most. */
  async scrape(): Promise<string> {
    // On a connection of its own: one that is kept may be closed for its idleness just when it is used again.
    const answer = await fetch(`http://${this.adminAddress}/metrics`, { headers: { connection: 'close' } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`/metrics answers ${answer.status} ${text}`);
    return text;
  }

  /** Text of `/metrics`, computed after the call: it is kept for a second, so the next one is waited for. */
  async metrics(): Promise<string> {
    const kept = await this.scrape();
    return eventually(
      'the metrics are computed anew',
      async () => {
        const text = await this.scrape();
        return text === kept ? notYet('the same text') : done(text);
      },
      { deadlineMs: 20_000, intervalMs: 120, giveUp: () => this.#ended() },
    );
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to end; `ended` tells how it did. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.close();
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** How it ended, with its last words; undefined while it runs. */
  #ended(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) return undefined;
    return `digger ended with exit code ${exitCode}, signal ${signalCode}\n${this.#log.slice(-10).join('\n')}`;
  }
}

/** Enough to explain a failure; bounded, because a service that logs in a loop is one of the failures. */
function keep(log: string[], line: string): void {
  log.push(line);
  if (log.length > MAX_LOG_LINES) log.shift();
}
