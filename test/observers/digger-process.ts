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
  cancel(): void;
};

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
  readonly #child: ChildProcess;
  readonly #log: string[];
  readonly #clients: ReadonlyMap<string, InstanceType<ServiceClientConstructor>>;

  private constructor(
    child: ChildProcess,
    pid: number,
    log: string[],
    bound: { readonly address: string; readonly adminAddress: string },
  ) {
    this.#child = child;
    this.pid = pid;
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
    child.once('exit', (code, signal) => {
      ended = `exit code ${code}, signal ${signal}`;
      if (child.pid !== undefined) forgetPid(child.pid);
    });
    if (child.pid === undefined) throw new Error('digger did not start');
    watchPid(child.pid);
    const found = await eventually('digger listens', () => (bound ? done(bound) : notYet(log.join('\n'))), {
      deadlineMs: 30_000,
      giveUp: () => (ended === undefined ? undefined : `${ended}\n${log.join('\n')}`),
    });
    return new DiggerProcess(child, child.pid, log, found);
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

  /** Opens a feed. */
  watch(request: Message = {}): Subscription {
    const frames: Message[] = [];
    const stream = this.#client('ChangeFeedService')['Watch']?.(request);
    const ended = new Promise<ServiceError | undefined>((resolve) => {
      stream.on('data', (frame: Message) => frames.push(frame));
      stream.on('error', (error: ServiceError) => resolve(error));
      stream.on('end', () => resolve(undefined));
    });
    return { frames, ended, cancel: () => stream.cancel() };
  }

  /** Waits until `GetStatus` says ready. */
  async untilReady(deadlineMs = 60_000, intervalMs = 50): Promise<Message> {
    return eventually(
      'digger ready',
      async () => {
        const status = await this.call('StatusService', 'GetStatus');
        return status['ready'] ? done(status) : notYet({ status, log: this.#log.slice(-10) });
      },
      { deadlineMs, intervalMs },
    );
  }

  /** Text of `/metrics`. */
  async metrics(): Promise<string> {
    return (await fetch(`http://${this.adminAddress}/metrics`)).text();
  }

  /** Ends it. */
  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #client(service: string): InstanceType<ServiceClientConstructor> {
    const client = this.#clients.get(service);
    if (!client) throw new Error(`digger.v1 has no ${service}`);
    return client;
  }
}

function connect(address: string): ReadonlyMap<string, InstanceType<ServiceClientConstructor>> {
  const files = ['lookup', 'feed', 'status'].map((name) => `digger/v1/${name}.proto`);
  const definition = loadSync(files, {
    includeDirs: [PROTO],
    longs: String,
    enums: String,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  const { digger } = loadPackageDefinition(definition) as { digger: { v1: GrpcObject } } & GrpcObject;
  return new Map(
    ['LookupService', 'ChangeFeedService', 'StatusService'].map((name) => [
      name,
      new (digger.v1[name] as ServiceClientConstructor)(address, credentials.createInsecure(), {
        // A snapshot frame may be larger than the 4 MB default of the client.
        'grpc.max_receive_message_length': 64 * 1024 * 1024,
      }),
    ]),
  );
}

/** Enough to explain a failure; bounded, because a service that logs in a loop is one of the failures. */
function keep(log: string[], line: string): void {
  log.push(line);
  if (log.length > 200) log.shift();
}
