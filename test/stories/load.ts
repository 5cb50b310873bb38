// What a pipeline does to a service while something else happens: lookups one after the other, and subscribers that go
// on where they were. Both note what a caller would have noticed. All of it ends with the scope that holds it.
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { isDeepStrictEqual } from 'node:util';
import { messageType } from '../../src/wire/schema.ts';
import type { ClusterLists } from '../observers/cluster-lists.ts';
import { DiggerClient, type Message } from '../observers/digger-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { comparable, expectedEntities } from '../observers/expected-entities.ts';
import { errorDetails } from '../observers/rpc-error.ts';

/** How a lookup ended: answered, or the failure that its caller saw. */
export type LookupEnd =
  /** `isBehind`: the answer says that its picture may be behind the cluster. */
  | { readonly ok: true; readonly outcome: string; readonly isBehind: boolean }
  | { readonly ok: false; readonly error: ServiceError };

const RETRYING = {
  methodConfig: [
    {
      name: [{ service: 'digger.v1.LookupService' }],
      // As a client would configure it that knows what RetryInfo says; five is the most that gRPC allows.
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: '0.2s',
        maxBackoff: '2s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  loadBalancingConfig: [{ round_robin: {} }],
};

const PAUSE_MS = 5;

/** Callers that ask again soon after they were answered, until they are stopped. */
export class LookupLoad implements AsyncDisposable {
  readonly ends: LookupEnd[] = [];
  readonly #client: Client;
  readonly #callers: Promise<void>[] = [];
  #stopped = false;

  /** `retry`: over all addresses, with gRPC's own retries; else each caller stops at its first failure. */
  constructor(addresses: readonly string[], questions: readonly string[], callers: number, retry: boolean) {
    this.#client = new Client(`ipv4:${addresses.join(',')}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
      ...(retry ? { 'grpc.service_config': JSON.stringify(RETRYING) } : { 'grpc.enable_retries': 0 }),
    });
    for (let caller = 0; caller < callers; caller++) this.#callers.push(this.#call(questions, caller, retry));
  }

  /** Failures, as text for messages. */
  get failures(): readonly string[] {
    return this.ends.flatMap((end) => (end.ok ? [] : [`${status[end.error.code]} ${end.error.details}`]));
  }

  /** Waits until this many more lookups have been answered. */
  async untilAnswered(more: number): Promise<void> {
    const answered = (): number => this.ends.filter(({ ok }) => ok).length;
    const wanted = answered() + more;
    await eventually(`${more} more lookups`, () => (answered() >= wanted ? done(undefined) : notYet(this.failures)));
  }

  /** Resolves when every caller has stopped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
    this.#client.close();
  }

  /** Resolves when every caller has failed. */
  async untilAllFailed(): Promise<void> {
    await Promise.all(this.#callers);
    this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #call(questions: readonly string[], caller: number, goOn: boolean): Promise<void> {
    for (let count = caller; !this.#stopped; count++) {
      const end = await this.#ask(questions[count % questions.length] ?? '');
      this.ends.push(end);
      if (!end.ok && !goOn) return;
      // Leaves the processor to others: what counts is that there is always a lookup on the way.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #ask(address: string): Promise<LookupEnd> {
    const request = messageType('digger.v1.ResolveAddressRequest');
    const answer = messageType('digger.v1.ResolveAddressResponse');
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        '/digger.v1.LookupService/ResolveAddress',
        (message: object) => Buffer.from(request.encode(request.fromObject(message)).finish()),
        (bytes: Buffer) => answer.toObject(answer.decode(bytes), { enums: String }) as Message,
        { address },
        { deadline: Date.now() + 20_000 },
        (error, response) => {
          if (error !== null) resolve({ ok: false, error });
          else {
            const { outcome, staleness } = response?.['resolution'] ?? {};
            resolve({ ok: true, outcome: String(outcome), isBehind: Boolean(staleness) });
          }
        },
      );
    });
  }
}

/** The reason that digger gave for a failure; empty: none, because the call never reached it. */
export function reasonOf(error: ServiceError): string {
  return errorDetails(error)['ErrorInfo']?.['reason'] ?? '';
}

/** A consumer that keeps its copy and its token, and goes on at the next replica whenever a stream ends. */
export class RoamingCopy implements AsyncDisposable {
  /** Reasons of the resets that it was told. */
  readonly resets: string[] = [];
  /** How its streams ended. */
  readonly ends: string[] = [];
  readonly #clients: readonly DiggerClient[];
  readonly #entities = new Map<string, Message>();
  readonly #running: Promise<void>;
  #token: Buffer | undefined;
  #current: { cancel(): void } | undefined;
  #stopped = false;

  /** `addresses`: of the replicas, the first one first. */
  constructor(addresses: readonly string[]) {
    this.#clients = addresses.map((address) => new DiggerClient(address));
    this.#running = this.#roam();
  }

  get entities(): ReadonlyMap<string, Message> {
    return this.#entities;
  }

  /** Waits until its copy equals what the API server lists. */
  async untilEqual(readLists: () => Promise<ClusterLists>): Promise<void> {
    const owed = expectedEntities(await readLists());
    await eventually("the consumer's copy equals the lists", () => {
      const keys = new Set([...owed.keys(), ...this.#entities.keys()]);
      const differing = [...keys].filter((key) => !isDeepStrictEqual(owed.get(key), this.#entities.get(key)));
      if (differing.length === 0) return done(undefined);
      const [first = ''] = differing;
      const example = { owed: owed.get(first), held: this.#entities.get(first) };
      return notYet({ differing, example, resets: this.resets, ends: this.ends });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current?.cancel();
    await this.#running;
    for (const client of this.#clients) client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #roam(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const client = this.#clients[turn % this.#clients.length];
      if (client === undefined) throw new Error('there is no replica');
      const stream = client.watch({
        heartbeatInterval: { seconds: 1 },
        ...(this.#token === undefined ? {} : { resumeToken: this.#token }),
      });
      this.#current = stream;
      let applied = 0;
      const apply = (): void => {
        for (; applied < stream.frames.length; applied++) this.#apply(stream.frames[applied] ?? {});
      };
      // Frames are taken as they come: what a stream carried must be in the copy before the next one is opened.
      const timer = setInterval(apply, 20);
      const error = await stream.ended;
      clearInterval(timer);
      apply();
      this.ends.push(error === undefined ? 'OK' : `${status[error.code]} ${reasonOf(error)}`);
      if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #apply(frame: Message): void {
    if (frame['reset']) {
      this.resets.push(frame['reset']['reason']);
      this.#entities.clear();
    }
    for (const change of (frame['changes']?.['changes'] ?? []) as readonly Message[]) {
      const upsert = change['upsert'] as Message | undefined;
      if (upsert) {
        const kind = upsert['entity'] as string;
        this.#entities.set(`${kind} ${upsert[kind]['uid']}`, comparable(upsert[kind]));
      } else {
        const removal = change['removal'] as Message;
        const kind = String(removal['kind']).replace('ENTITY_KIND_', '').toLowerCase();
        this.#entities.delete(`${kind} ${removal['uid']}`);
      }
    }
    if (frame['resumeToken']?.length > 0) this.#token = frame['resumeToken'];
  }
}

/** Moves the demo cluster on, a step every few milliseconds, until it is stopped. */
export class Churn implements Disposable {
  readonly #timer: NodeJS.Timeout;
  steps = 0;

  constructor(step: () => void) {
    this.#timer = setInterval(() => {
      step();
      this.steps++;
    }, 50);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
