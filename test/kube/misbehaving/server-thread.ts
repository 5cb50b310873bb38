// The misbehaving server as the testing thread holds it: verbs by message. A bug in the server's thread fails every
// call.

import { Worker } from 'node:worker_threads';
import type { Certificate } from '../../simulator/server/certificate.ts';
import type { Verbs } from './server-worker.ts';

export class ServerThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: unknown): void }>();
  #nextId = 0;
  #problem: unknown;

  constructor(seed: number, certificate: Certificate) {
    this.#worker = new Worker(new URL('./server-worker.ts', import.meta.url), { workerData: { seed, certificate } });
    this.#worker.on('message', ({ id, result }: { readonly id: number; readonly result: unknown }) => {
      this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the server has ended')));
  }

  call<V extends keyof Verbs>(verb: V, ...args: Parameters<Verbs[V]>): Promise<Awaited<ReturnType<Verbs[V]>>> {
    if (this.#problem !== undefined) return Promise.reject(this.#problem);
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.postMessage({ id, verb, args }, []);
    });
  }

  async stop(): Promise<void> {
    if (this.#problem === undefined) await this.call('close');
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#problem ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#problem);
    this.#waiting.clear();
  }
}
