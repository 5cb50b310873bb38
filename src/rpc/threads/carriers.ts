// The threads that carry connections: starts them, follows them, and ends them.
//
// A thread that dies takes its connections with it, and clients connect anew. It is started again, at most once in
// RESTART_INTERVAL_MS; while none of them lives and none may be started yet, the main thread accepts connections
// itself. One that does not answer for that long is ended, and so is one that has not taken new TLS files in
// TLS_TAKEN_MS: nothing is served with a certificate or a client CA that no longer holds.

import { createServer } from 'node:net';

import type { ListenAddress } from '../../model/ip/listen-address.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TlsBytes, TlsMaterial } from '../tls/files.ts';
import { CarrierWorker, type CarrierWorkerOptions } from './carrier-worker.ts';
import type { EndReason } from './end-reasons.ts';
import type { CarriedLimits } from './protocol.ts';

export interface CarriersOptions extends CarrierWorkerOptions {
  readonly count: number;
  readonly limits: CarriedLimits;
  readonly logger: Logger;
  readonly countEnd: (reason: EndReason) => void;
  /** The main thread accepts connections, while no other thread does. */
  readonly accept: { start(address: ListenAddress): Promise<unknown>; stop(): void };
}

/** A thread that dies at once, again and again, would take all of a core. */
const RESTART_INTERVAL_MS = 10_000;

const BEAT_INTERVAL_MS = 1_000;
const TLS_TAKEN_MS = 2_000;

export class Carriers {
  readonly #options: CarriersOptions;
  readonly #living = new Set<CarrierWorker>();
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
    await Promise.all([...this.#living].map((thread) => thread.end()));
  }

  get #isShared(): boolean {
    return this.#options.count > 1;
  }

  #begin(): CarrierWorker {
    const { limits, logger } = this.#options;
    const thread = new CarrierWorker({ limits, tls: this.#material && tlsBytes(this.#material) }, this.#options);
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

  async #listenAgain(thread: CarrierWorker): Promise<void> {
    if (this.#bound === undefined) return;
    if (this.#isAccepting) {
      this.#isAccepting = false;
      this.#options.accept.stop();
    }
    try {
      await thread.listen(this.#bound, this.#isShared);
      this.#options.logger.info('a thread that carries connections was started again');
    } catch (error) {
      if (this.#isStopping) return;
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

  #endThread(thread: CarrierWorker, reason: EndReason): void {
    thread.endReason = reason;
    void thread.end();
  }
}

/** Without what structured cloning makes of the rest. */
function tlsBytes({ cert, key, clientCa }: TlsMaterial): TlsBytes {
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
