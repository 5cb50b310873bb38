// One thread that carries connections, as the main thread has it: starts it, speaks to it, and knows why it ended. What is
// carried there is `CarriedCalls`', and has ended when the thread has.

import { Worker } from 'node:worker_threads';

import type { ListenAddress } from '../../model/ip/listen-address.ts';
import { moduleFile } from '../../package/own-files.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { HandshakeFailureReason } from '../tls/metrics.ts';
import type { TlsSource } from '../tls/termination.ts';
import { CarriedCalls, type CarriedCallsOptions } from './carried-calls.ts';
import type { EndReason } from './end-reasons.ts';
import type { CarrierStart, FromCarrier, ToCarrier } from './protocol.ts';

export interface CarrierWorkerOptions extends Omit<CarriedCallsOptions, 'send'> {
  readonly tls: TlsSource | undefined;
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
  readonly countRefusedSockets: (count: number) => void;
}

/** Beats without an answer. Beats, not seconds: a process that was stopped for a while ends no thread. */
const MAX_MISSED_BEATS = 10;

/** More than a thread needs that does anything at all, on a machine where others are in its way too. */
const END_MS = 5_000;

/** Of a thread: connections and calls are counted on the main thread's account as well, and take most of it there. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 12 };

export class CarrierWorker {
  /** With what is known of why. */
  readonly ended: Promise<string>;
  endReason: EndReason = 'died';
  /** Of the TLS files that it has taken since it began. */
  tlsVersion = 0;
  readonly #worker: Worker;
  readonly #calls: CarriedCalls;
  readonly #options: CarrierWorkerOptions;
  #missedBeats = 0;
  #listening: PromiseWithResolvers<void> | undefined;
  #failure: string | undefined;
  /** Unset: it lives. */
  #problem: string | undefined;

  constructor(start: CarrierStart, options: CarrierWorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(moduleFile('rpc/threads/carrier-thread'), {
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
      // What it could not tell: it did not even begin, or had no memory left.
      worker.on('error', (error: unknown) => {
        this.#failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.once('exit', (code) => {
        this.#calls.end();
        const text = this.#failure ?? `exit code ${code}`;
        this.#problem = text;
        this.#listening?.reject(ended(text));
        resolve(text);
      });
    });
  }

  async listen({ host, port }: ListenAddress, shared: boolean): Promise<void> {
    if (this.#problem !== undefined) throw ended(this.#problem);
    this.#listening = Promise.withResolvers<void>();
    this.tell({ listen: { host, port, shared } });
    await this.#listening.promise;
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

  /**
   * Has it end, with everything on it. By force only when it does not do so itself: a request that comes in while node
   * ends a thread by force aborts the process (`carrier-thread.ts`).
   */
  async end(): Promise<void> {
    this.tell({ end: true });
    const timer = setTimeout(() => void this.#worker.terminate(), END_MS);
    await this.ended;
    clearTimeout(timer);
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
      else this.#options.logger.warn({ reason: message.problem }, 'a thread cannot take the new TLS files');
    } else if ('handshakeFailure' in message) {
      const reason = message.handshakeFailure as HandshakeFailureReason;
      this.#options.tls?.metrics.handshakeFailures.inc({ reason });
    } else if ('failed' in message) {
      this.#failure = message.failed;
    } else if ('log' in message) {
      const [level, facts, text] = message.log;
      this.#options.logger[level](facts, text);
    } else {
      this.#options.countRefusedSockets(message.refusedSockets);
    }
  }
}

function ended(problem: string): Error {
  return new Error(`a thread that carries connections has ended: ${problem}`);
}
