// The threads that carry connections: starts them, follows them, and ends them.
//
// A thread that dies takes its connections with it, and clients connect anew. It is started again, at most once in
// RESTART_INTERVAL_MS; while none of them lives and none may be started yet, the main thread accepts connections itself.
// One that does not answer for that long is ended, and so is one that has not taken new TLS files in TLS_TAKEN_MS: nothing
// is served with a certificate or a client CA that no longer holds.

import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';

import type { ListenAddress } from '../../model/ip/listen-address.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TlsMaterial } from '../tls/files.ts';
import type { HandshakeFailureReason } from '../tls/metrics.ts';
import type { TlsSource } from '../tls/termination.ts';
import type { EndReason } from './end-reasons.ts';
import { CarriedCalls, type CarriedCallsOptions } from './carried-calls.ts';
import type { CarriedLimits, CarrierStart, FromCarrier, ToCarrier } from './protocol.ts';

export interface CarriersOptions extends Omit<CarriedCallsOptions, 'send'> {
  readonly count: number;
  readonly limits: CarriedLimits;
  readonly tls: TlsSource | undefined;
  readonly logger: Logger;
  readonly countEnd: (reason: EndReason) => void;
  readonly countRefusedSockets: (count: number) => void;
  /** The main thread accepts connections, while no other thread does. */
  readonly accept: { start(address: ListenAddress): Promise<unknown>; stop(): void };
}

/** A thread that dies at once, again and again, would take all of a core. */
const RESTART_INTERVAL_MS = 10_000;

const BEAT_INTERVAL_MS = 1_000;
/** Beats without an answer. Beats, not seconds: a process that was stopped for a while ends no thread. */
const MAX_MISSED_BEATS = 10;

const TLS_TAKEN_MS = 2_000;

/** Of a thread: connections and calls are counted on the main thread's account as well, and take most of it there. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 12 };

export class Carriers {
  readonly #options: CarriersOptions;
  readonly #living = new Set<Thread>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #material: TlsMaterial | undefined;
  #tlsVersion = 0;
  #bound: ListenAddress | undefined;
  #lastRestartMs = Number.NEGATIVE_INFINITY;
  #isStopping = false;
  #isAccepting = false;

  constructor(options: CarriersOptions) {
    this.#options = options;
    const { tls } = options;
    this.#material = tls?.current;
    tls?.onChange((material) => this.#takeTls(material));
  }

  /** Threads that live. */
  get size(): number {
    return this.#living.size;
  }

  /** Starts all of them; the address that was bound. Rejects with the error of the socket (EADDRINUSE, EACCES). */
  async start(address: ListenAddress): Promise<ListenAddress> {
    // Where sockets share a port, a second process would get its share of it without a word.
    this.#bound = await tryToBind(address);
    const threads = Array.from({ length: this.#options.count }, () => this.#begin());
    try {
      for (const thread of threads) await thread.listen(this.#bound, this.#isShared);
    } catch (error) {
      await this.close();
      throw error;
    }
    const beat = setInterval(() => {
      for (const thread of this.#living) {
        if (!thread.beat()) this.#endThread(thread, 'silent');
      }
    }, BEAT_INTERVAL_MS);
    this.#timers.add(beat.unref());
    return this.#bound;
  }

  /** No new connections; those that are open stay. */
  stopAccepting(): void {
    this.#isStopping = true;
    for (const thread of this.#living) thread.tell({ stopAccepting: true });
  }

  /** Ends all threads, whatever they carry. */
  async close(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([...this.#living].map((thread) => thread.terminate()));
  }

  get #isShared(): boolean {
    return this.#options.count > 1;
  }

  #begin(): Thread {
    const { limits, logger } = this.#options;
    const start: CarrierStart = {
      limits,
      // Without what structured cloning makes of the rest.
      tls: this.#material && tlsBytes(this.#material),
    };
    const thread = new Thread(start, this.#options);
    this.#living.add(thread);
    thread.ended.then((problem) => {
      this.#living.delete(thread);
      if (this.#isStopping) return;
      logger.error({ problem }, 'a thread that carries connections has ended; its connections have ended with it');
      this.#options.countEnd(thread.endReason);
      this.#restart();
    });
    return thread;
  }

  #restart(): void {
    const nowMs = performance.now();
    const waitMs = Math.max(0, this.#lastRestartMs + RESTART_INTERVAL_MS - nowMs);
    if (waitMs === 0) {
      this.#lastRestartMs = nowMs;
      void this.#listenAgain(this.#begin());
      return;
    }
    if (this.#living.size === 0) void this.#acceptHere();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isStopping) this.#restart();
    }, waitMs);
    this.#timers.add(timer.unref());
  }

  async #listenAgain(thread: Thread): Promise<void> {
    if (this.#bound === undefined) return;
    if (this.#isAccepting) {
      this.#isAccepting = false;
      this.#options.accept.stop();
    }
    try {
      await thread.listen(this.#bound, this.#isShared);
      this.#options.logger.info('a thread that carries connections was started again');
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a thread that carries connections cannot listen');
      this.#endThread(thread, 'died');
    }
  }

  async #acceptHere(): Promise<void> {
    if (this.#bound === undefined || this.#isAccepting) return;
    this.#isAccepting = true;
    try {
      await this.#options.accept.start(this.#bound);
      if (this.#isStopping || !this.#isAccepting) this.#options.accept.stop();
    } catch (error) {
      this.#isAccepting = false;
      this.#options.logger.error({ err: error }, 'the main thread cannot listen while no other thread does');
    }
  }

  #takeTls(material: TlsMaterial): void {
    this.#material = material;
    this.#tlsVersion += 1;
    const version = this.#tlsVersion;
    const told = [...this.#living];
    for (const thread of told) thread.tell({ tls: tlsBytes(material), version });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const thread of told) {
        if (this.#living.has(thread) && thread.tlsVersion < version) this.#endThread(thread, 'tls');
      }
    }, TLS_TAKEN_MS);
    this.#timers.add(timer.unref());
  }

  #endThread(thread: Thread, reason: EndReason): void {
    thread.endReason = reason;
    void thread.terminate();
  }
}

/** One thread, and what is carried there. */
class Thread {
  /** With what is known of why. */
  readonly ended: Promise<string>;
  endReason: EndReason = 'died';
  /** Of the TLS files that it has taken since it began. */
  tlsVersion = 0;
  readonly #worker: Worker;
  readonly #calls: CarriedCalls;
  readonly #options: CarriersOptions;
  #missedBeats = 0;
  #listening: PromiseWithResolvers<void> | undefined;

  constructor(start: CarrierStart, options: CarriersOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL(THREAD_FILE, import.meta.url), {
      workerData: start,
      name: 'carrier',
      resourceLimits: RESOURCE_LIMITS,
    });
    const worker = this.#worker;
    const send = (notes: ArrayBuffer, frames: readonly Uint8Array[]): void =>
      worker.postMessage({ notes, frames } satisfies ToCarrier, [notes]);
    this.#calls = new CarriedCalls({ ...options, send });
    worker.on('message', (message: FromCarrier) => this.#take(message));
    this.ended = new Promise((resolve) => {
      let problem = '';
      worker.on('error', (error: unknown) => {
        problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.once('exit', (code) => {
        this.#calls.end();
        const text = problem === '' ? `exit code ${code}` : problem;
        this.#listening?.reject(new Error(text));
        resolve(text);
      });
    });
  }

  listen({ host, port }: ListenAddress, shared: boolean): Promise<void> {
    this.#listening = Promise.withResolvers<void>();
    this.tell({ listen: { host, port, shared } });
    return this.#listening.promise;
  }

  tell(message: ToCarrier): void {
    this.#worker.postMessage(message, []);
  }

  /** Asks whether it lives; false: it has not answered for long. */
  beat(): boolean {
    this.#missedBeats += 1;
    this.tell({ beat: this.#missedBeats });
    return this.#missedBeats <= MAX_MISSED_BEATS;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(message: FromCarrier): void {
    if ('notes' in message) this.#calls.take(message.notes);
    else if ('beat' in message) this.#missedBeats = 0;
    else if ('listening' in message) this.#listening?.resolve();
    else if ('notListening' in message) {
      const { code, message: text } = message.notListening;
      this.#listening?.reject(Object.assign(new Error(text), { code }));
    } else if ('tlsTaken' in message) {
      if (message.problem === undefined) this.tlsVersion = message.tlsTaken;
    } else if ('handshakeFailure' in message) {
      const reason = message.handshakeFailure as HandshakeFailureReason;
      this.#options.tls?.metrics.handshakeFailures.inc({ reason });
    } else if ('log' in message) {
      const [level, facts, text] = message.log;
      this.#options.logger[level](facts, text);
    } else {
      this.#options.countRefusedSockets(message.refusedSockets);
    }
  }
}

/** As it is where it runs: TypeScript from the sources, JavaScript once compiled. */
const THREAD_FILE = import.meta.url.endsWith('.ts') ? './carrier-thread.ts' : './carrier-thread.js';

function tlsBytes({ cert, key, clientCa }: TlsMaterial): NonNullable<CarrierStart['tls']> {
  return { cert, key, clientCa };
}

/** Binds an address for a moment, as the only one; with the port that the system chose. */
function tryToBind({ host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host, port }, () => {
      const bound = probe.address();
      if (bound === null || typeof bound === 'string') throw new Error(`not a TCP address: ${bound}`);
      probe.close(() => resolve({ host: bound.address, port: bound.port }));
    });
  });
}
