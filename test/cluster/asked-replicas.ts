// Replicas that are asked in a test: the one for TypeScript in this process, and the one for Go behind a command that
// reads questions and prints answers. Answers have the form of test/vectors/README.md, from whichever replica.
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Answer, Holder } from '../../src/client/answer.ts';
import { connect, type Replica } from '../../src/client/replica.ts';
import type { Message } from '../observers/digger-client.ts';
import { forgetPid, watchPid } from '../observers/processes.ts';

export interface AskedQuestion {
  readonly address: string;
  readonly port?: number;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly atMs: number;
  readonly untilMs?: number;
}

export interface AnsweredHolder {
  readonly uid: string;
  readonly role: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly isUncertain: boolean;
}

export interface Answered {
  readonly outcome: string;
  readonly isUncertain: boolean;
  readonly holders: readonly AnsweredHolder[];
  /** The pods that could be meant by a node too. */
  readonly others: readonly AnsweredHolder[];
  readonly workload: string;
}

/** What a replica says, and of which server it has it. */
export interface ReplicaAnswers {
  readonly answers: readonly Answered[];
  readonly target: string;
  /** It follows a server, which follows the cluster. */
  readonly isFollowing: boolean;
  /** How often a server has sent everything anew. */
  readonly resets: number;
}

export interface AskedReplica {
  readonly language: string;
  ask(questions: readonly AskedQuestion[]): Promise<ReplicaAnswers>;
  stop(): Promise<void>;
}

export class TypeScriptReplica implements AskedReplica {
  readonly language = 'TypeScript';
  readonly #replica: Replica;
  #resets = 0;

  constructor(targets: readonly string[]) {
    this.#replica = connect({ targets, entities: 'NONE', heartbeatMs: 1_000 });
    this.#replica.on('reset', () => this.#resets++);
  }

  ready(): Promise<void> {
    return this.#replica.ready();
  }

  async ask(questions: readonly AskedQuestion[]): Promise<ReplicaAnswers> {
    const { target, staleness } = this.#replica;
    const answers = questions.map(({ atMs: at, untilMs: until, ...rest }) =>
      written(this.#replica.resolve({ ...rest, at, ...(until === undefined ? {} : { until }) })),
    );
    return { answers, target, isFollowing: staleness === undefined, resets: this.#resets };
  }

  async stop(): Promise<void> {
    this.#replica.close();
  }
}

const GO = fileURLToPath(new URL('../../src/go', import.meta.url));

export class GoReplica implements AskedReplica {
  readonly language = 'Go';
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #folder: string;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#reader = createInterface({ input: child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Builds and starts it. It answers when its first picture is complete. */
  static async start(targets: readonly string[]): Promise<GoReplica> {
    const folder = await mkdtemp(join(tmpdir(), 'digger-answers-'));
    const command = join(folder, 'answers');
    await promisify(execFile)('go', ['build', '-o', command, './examples/answers'], { cwd: GO });
    const child = spawn(command, ['-target', targets.join(','), '-silence', '1500ms', '-wait', '60s'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.pid !== undefined) watchPid(child.pid);
    return new GoReplica(child, folder);
  }

  async ask(questions: readonly AskedQuestion[]): Promise<ReplicaAnswers> {
    this.#child.stdin.write(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
    const lines: Message[] = [];
    while (lines.length < questions.length) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('the Go replica ended');
      const line = JSON.parse(value) as Message;
      if (line['error'] !== undefined) throw new Error(`${line['error']}: ${JSON.stringify(questions[lines.length])}`);
      lines.push(line);
    }
    const [first, last] = [lines[0] ?? {}, lines.at(-1) ?? {}];
    return {
      answers: lines.map(
        ({ outcome, uncertain = false, holders = [], others = [], workload = '' }): Answered => ({
          outcome,
          isUncertain: uncertain,
          holders: (holders as readonly Message[]).map(toHolder),
          others: (others as readonly Message[]).map(toHolder),
          workload,
        }),
      ),
      target: last['target'],
      // Of one server throughout.
      isFollowing: first['target'] === last['target'] && lines.every(({ behindMs }) => behindMs === undefined),
      resets: Number(last['resets']),
    };
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.pid !== undefined) forgetPid(this.#child.pid);
    this.#reader.close();
    await rm(this.#folder, { recursive: true });
  }
}

function toHolder({ uid, role, from, to, uncertain = false }: Message): AnsweredHolder {
  return { uid, role, from, to, isUncertain: uncertain };
}

function written({ outcome, holder, candidates, uncertain, workload }: Answer): Answered {
  const made = ({ uid, role, validFrom, validTo, uncertain: isUncertain }: Holder): AnsweredHolder => ({
    ...{ uid, role, from: validFrom, to: validTo, isUncertain },
  });
  const isResolved = holder !== undefined;
  return {
    outcome,
    isUncertain: uncertain,
    holders: isResolved ? [made(holder)] : candidates.map(made),
    others: isResolved ? candidates.map(made) : [],
    workload: workload?.uid ?? '',
  };
}

/** `digger.v1.Resolution` of a server. */
export function writtenResolution(resolution: Message): Answered {
  const { outcome, candidates = [], workload, uncertain } = resolution;
  const isResolved = outcome === 'OUTCOME_RESOLVED';
  const told = (candidates as readonly Message[]).map(toCandidate);
  return {
    outcome: String(outcome).replace('OUTCOME_', ''),
    isUncertain: uncertain === true,
    holders: isResolved ? [toCandidate(resolution)] : told,
    others: isResolved ? told : [],
    workload: workload?.['uid'] ?? '',
  };
}

function toCandidate(candidate: Message): AnsweredHolder {
  const { pod, service, node, externalEndpoint, role, validFrom, validTo, uncertain } = candidate;
  const target = pod ?? service ?? node ?? externalEndpoint?.['service'];
  return {
    uid: target?.['uid'],
    role: String(role).replace('ADDRESS_ROLE_', ''),
    from: milliseconds(validFrom) ?? 0,
    to: milliseconds(validTo),
    isUncertain: uncertain === true,
  };
}

function milliseconds(moment: Message | undefined | null): number | undefined {
  return moment ? Number(moment['seconds'] ?? 0) * 1_000 + Math.round(Number(moment['nanos'] ?? 0) / 1e6) : undefined;
}
