// digger as its users run it: the command `digger serve` in a process of its own, asked over gRPC.
//
// Where it listens is read from its log: the line with message "serving" carries `address` and `adminAddress`. Messages
// come as plain objects in lowerCamelCase, 64-bit numbers and enums as text, unset fields absent.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { done, eventually, notYet } from './eventually.ts';
import { forgetPid, watchPid } from './processes.ts';

/**
 * A message as plain JSON, as a consumer without generated types has it: the tests check shapes by what they assert,
 * with typed access they would assert our own declarations.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Message = { readonly [field: string]: any };

/** A subscription to the feed. */
export type Subscription = {
  /** Every frame so far. */
  readonly frames: readonly Message[];
  /** Resolves when the stream ended: undefined for OK, else why. */
  readonly ended: Promise<ServiceError | undefined>;
  /** Begins to read, where the subscription was opened without. */
  read(): void;
  cancel(): void;
};

/** How a process ended. */
export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROTO = join(ROOT, 'proto');

/** A call that hangs is a failure, not a test that never ends. */
const CALL_DEADLINE_MS = 10_000;

/** See the head of the file. */
export class DiggerProcess implements AsyncDisposable {
  readonly pid: number;
  /** `127.0.0.1:PORT` of the gRPC listener. */
  readonly address: string;
  /** `127.0.0.1:PORT` of metrics and probes. */
  readonly adminAddress: string;
  /** Resolves when it ended, by itself or not. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #log: string[];
  readonly #clients: ReadonlyMap<string, InstanceType<ServiceClientConstructor>>;

  private constructor(
    child: ChildProcess,
    pid: number,
    ended: Promise<ProcessEnd>,
    log: string[],
    bound: { readonly address: string; readonly adminAddress: string },
  ) {
    this.#child = child;
    this.pid = pid;
    this.ended = ended;
    this.#log = log;
    this.address = bound.address;
    this.adminAddress = bound.adminAddress;
    this.#clients = connect(bound.address);
  }

  /** Starts `digger serve` on free ports; returns when it listens, which is before it is synced. */
  static async start(kubeconfig: string, args: readonly string[] = []): Promise<DiggerProcess> {
    const child = spawn(
      process.execPath,
      [
        join(ROOT, 'src/main.ts'),
        'serve',
        '--kubeconfig',
        kubeconfig,
        '--listen',
        '127.0.0.1:0',
        '--admin-listen',
        '127.0.0.1:0',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
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
      deadlineMs: 30_000,
      giveUp: () => (ended === undefined ? undefined : `${ended}\n${log.join('\n')}`),
    });
    return new DiggerProcess(child, child.pid, end, log, found);
  }

  /** The last lines of its log. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** A unary call, e.g. `call('LookupService', 'ResolveAddress', { address })`. Rejects with a gRPC `ServiceError`. */
  async call(service: string, method: string, request: Message = {}): Promise<Message> {
    const client = this.#client(service);
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + CALL_DEADLINE_MS;
      client[method]?.(request, { deadline }, (error: ServiceError | null, response: Message) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  /** `ResolveAddress`, the resolution only. */
  async resolve(address: string, port?: number, protocol?: string): Promise<Message> {
    const query = { address, ...(port === undefined ? {} : { port }), ...(protocol === undefined ? {} : { protocol }) };
    return (await this.call('LookupService', 'ResolveAddress', query))['resolution'];
  }

  /** Opens a feed; without `reading` nothing of it is taken before `read()`. */
  watch(request: Message = {}, { reading = true }: { readonly reading?: boolean } = {}): Subscription {
    const frames: Message[] = [];
    const stream = this.#client('ChangeFeedService')['Watch']?.(request);
    const read = (): void => void stream.on('data', (frame: Message) => frames.push(frame));
    const ended = new Promise<ServiceError | undefined>((resolve) => {
      stream.on('error', (error: ServiceError) => resolve(error));
      stream.on('end', () => resolve(undefined));
    });
    if (reading) read();
    return { frames, ended, read, cancel: () => stream.cancel() };
  }

  /** A unary call of these bytes, decoded or not: `callBytes('/digger.v1.LookupService/GetPod', bytes)`. */
  async callBytes(path: string, request: Buffer): Promise<Buffer> {
    const same = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + CALL_DEADLINE_MS };
      this.#client('LookupService').makeUnaryRequest(path, same, same, request, options, (error, response) =>
        error ? reject(error) : resolve(response ?? Buffer.alloc(0)),
      );
    });
  }

  /** `grpc.health.v1.Health/Check`: `SERVING`, `NOT_SERVING`. */
  async health(service = ''): Promise<string> {
    return (await this.call('Health', 'Check', { service }))['status'];
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

  /** Text of `/metrics`. */
  async metrics(): Promise<string> {
    return (await fetch(`http://${this.adminAddress}/metrics`)).text();
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
    for (const client of this.#clients.values()) client.close();
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

  #client(service: string): InstanceType<ServiceClientConstructor> {
    const client = this.#clients.get(service);
    if (!client) throw new Error(`there is no ${service}`);
    return client;
  }
}

function connect(address: string): ReadonlyMap<string, InstanceType<ServiceClientConstructor>> {
  const files = ['lookup', 'feed', 'status'].map((name) => `digger/v1/${name}.proto`);
  const definition = loadSync([...files, 'grpc/health/v1/health.proto'], {
    includeDirs: [PROTO],
    longs: String,
    enums: String,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  const { digger, grpc } = loadPackageDefinition(definition) as unknown as {
    digger: { v1: GrpcObject };
    grpc: { health: { v1: GrpcObject } };
  };
  return new Map(
    Object.entries({ ...digger.v1, ...grpc.health.v1 }).flatMap(([name, client]) => {
      if (typeof client !== 'function') return [];
      // A snapshot frame may be larger than the 4 MB default of the client.
      const options = { 'grpc.max_receive_message_length': 64 * 1024 * 1024 };
      return [[name, new client(address, credentials.createInsecure(), options)] as const];
    }),
  );
}

/** Enough to explain a failure; bounded, because a service that logs in a loop is one of the failures. */
function keep(log: string[], line: string): void {
  log.push(line);
  if (log.length > 200) log.shift();
}
