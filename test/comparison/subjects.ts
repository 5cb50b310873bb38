// What is compared: digger and three peers, each a process that is started with a kubeconfig, says when it is ready,
// and answers who holds an address. Peers are asked as peers/line/line.go says; they know no moments but now.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Answer } from '../addresses/verdict.ts';
import { compileDigger, IMAGE_ENVIRONMENT, IMAGE_NODE_OPTIONS } from '../bench/compiled-digger.ts';
import { timestamp, toAnswer } from '../cluster/adversarial-run.ts';
import type { Message } from '../observers/digger-client.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { forgetPid, watchPid } from '../observers/processes.ts';

/** `atMs`: about the past; unset: about now. */
export type Asking = { readonly address: string; readonly atMs: number | undefined };

/** A running process that is compared. */
export interface Subject extends AsyncDisposable {
  readonly pid: number;
  /** Where it is digger. */
  readonly digger?: DiggerProcess;
  /** In the order of the questions; a peer that knows of no holder answers `undefined`. */
  ask(questions: readonly Asking[]): Promise<readonly (Answer | undefined)[]>;
}

/** How to start one; resolves when it says that it is ready. */
export type Candidate = { readonly name: string; start(kubeconfig: string): Promise<Subject> };

/** All of them, built; `Symbol.dispose` removes what was built. */
export interface Candidates extends Disposable {
  readonly all: readonly Candidate[];
}

const PEERS = join(import.meta.dirname, 'peers');
const READY_MS = 180_000;

export function buildCandidates(): Candidates {
  const folder = mkdtempSync(join(tmpdir(), 'digger-comparison-'));
  for (const args of [
    ['vet', './...'],
    ['build', '-o', folder, './clientgo', './k8sattributes'],
  ]) {
    const ran = spawnSync('go', args, { cwd: PEERS, stdio: ['ignore', 'inherit', 'inherit'] });
    if (ran.status !== 0) throw new Error(`go ${args[0]} failed in ${PEERS}: this comparison needs Go 1.26`);
  }
  const compiled = compileDigger();
  const program = { main: compiled.main, nodeOptions: IMAGE_NODE_OPTIONS, environment: IMAGE_ENVIRONMENT };
  return {
    all: [
      { name: 'digger', start: (kubeconfig) => startDigger(kubeconfig, program) },
      {
        name: 'informer of client-node',
        start: (kubeconfig) => Peer.start(process.execPath, [join(import.meta.dirname, 'informer.ts'), kubeconfig], {}),
      },
      {
        name: 'informer of client-go',
        start: (kubeconfig) => Peer.start(join(folder, 'clientgo'), [kubeconfig], {}),
      },
      {
        name: 'k8sattributes',
        start: (kubeconfig) => Peer.start(join(folder, 'k8sattributes'), [], { KUBECONFIG: kubeconfig }),
      },
    ],
    [Symbol.dispose]: () => {
      compiled[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startDigger(
  kubeconfig: string,
  program: NonNullable<Parameters<typeof DiggerProcess.start>[2]>,
): Promise<Subject> {
  const digger = await DiggerProcess.start(kubeconfig, [], program);
  await digger.untilLogged('ready', READY_MS);
  return {
    pid: digger.pid,
    digger,
    ask: async (questions) => {
      const queries = questions.map(({ address, atMs }) => ({
        address,
        ...(atMs === undefined ? {} : { at: timestamp(atMs) }),
      }));
      const { results } = await digger.call('LookupService', 'BatchResolveAddresses', { queries });
      return (results as readonly Message[]).map((result) => toAnswer(result['resolution']));
    },
    [Symbol.asyncDispose]: () => digger.stop(),
  };
}

class Peer implements Subject {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, pid: number, lines: AsyncIterator<string>) {
    this.#child = child;
    this.pid = pid;
    this.#lines = lines;
  }

  static async start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Peer> {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    if (child.pid === undefined || child.stdout === null) throw new Error(`${command} did not start`);
    watchPid(child.pid);
    const peer = new Peer(child, child.pid, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    const late = setTimeout(() => child.kill('SIGKILL'), READY_MS);
    const first = await peer.#lines.next();
    clearTimeout(late);
    if (first.value !== 'ready') throw new Error(`${command} did not get ready`);
    return peer;
  }

  async ask(questions: readonly Asking[]): Promise<readonly (Answer | undefined)[]> {
    this.#child.stdin?.write(`${questions.map(({ address }) => address).join(' ')}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a peer ended');
    const uids = (value as string).split(' ');
    if (uids.length !== questions.length) throw new Error(`${questions.length} questions, ${uids.length} answers`);
    return uids.map((uid) => (uid === '-' ? undefined : { outcome: 'RESOLVED', uid, uncertain: false }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await ended;
    forgetPid(this.pid);
  }
}

/** Resident memory in MiB, and processor time in ms, of a process: /proc/PID/status and /proc/PID/stat (proc(5)). */
export function costOf(pid: number): { readonly residentMiB: number; readonly cpuMs: number } {
  const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Ticks of 10 ms.
  return { residentMiB: Number(kB) / 1024, cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
}
