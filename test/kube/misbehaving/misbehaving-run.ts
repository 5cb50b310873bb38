// One run of the watching side against the misbehaving server: rounds of trouble, and a quiet point after each.
//
// In a round the server misbehaves by chance, connections suffer, certificates change, and objects change all the
// while; then it must be well again, as trial.ts says.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { createRandom, type Random } from '../../random.ts';
import { SERVED } from './cluster-model.ts';
import { type Affliction, AFFLICTIONS, type Protocol } from './gateway.ts';
import { MISBEHAVIOURS } from './misbehaviours.ts';
import type { ServerThread } from './server-thread.ts';
import { Trial } from './trial.ts';

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  /**
   * HTTP/1.1 has no ping: a silent connection is noticed only when its watch should have ended, which takes half a
   * minute.
   */
  readonly http1: boolean;
}

export interface RunReport {
  readonly rounds: number;
  readonly requests: number;
  readonly lists: number;
  readonly misbehaved: Readonly<Record<string, number>>;
  readonly afflictions: Readonly<Record<string, number>>;
  readonly restarts: Readonly<Record<string, number>>;
  /** Most at any quiet point. */
  readonly sockets: number;
  readonly timers: number;
  readonly listeners: number;
  /** MB after a collection: at the first quiet points and at the last. */
  readonly heapMb: readonly number[];
  readonly slowestRecoveryMs: number;
}

/** Names of objects; few, so that they are created, changed and deleted again and again. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
/**
 * There is no ping: a silent connection of HTTP/1.1 is noticed at the end of its watch, which is 31.5 s by the hurried
 * clock, and one that was idle by the 65 s that an answer may take to begin.
 */
const HTTP1_RECOVERY_MS = 110_000;
const HEAP_EVERY_ROUNDS = 5;

export async function run(options: RunOptions): Promise<RunReport> {
  // The jitter of the reflectors has its own chance, so that a seed gives the same acts whatever they do.
  await using trial = await Trial.begin(options.seed, createRandom(options.seed + 1).next);
  return await new Run(options, trial).play();
}

class Run {
  readonly #options: RunOptions;
  readonly #trial: Trial;
  readonly #server: ServerThread;
  readonly #random: Random;
  readonly #untrusted = createCertificate();
  readonly #clientPairs = [createCertificate(), createCertificate()] as const;
  readonly #afflictions: Record<string, number> = {};
  /** Of the round, for the one who reads of a failure. */
  #acts: string[] = [];
  #protocol: Protocol = 'h2';
  /** A connection of HTTP/1.1 may be left, and may have fallen silent. */
  #usedHttp1 = false;

  constructor(options: RunOptions, trial: Trial) {
    this.#options = options;
    this.#trial = trial;
    this.#server = trial.server;
    this.#random = createRandom(options.seed);
  }

  async play(): Promise<RunReport> {
    const { durationMs, seed } = this.#options;
    const heapMb: number[] = [];
    let rounds = 0;
    let slowestRecoveryMs = 0;
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      rounds += 1;
      this.#acts = [];
      // What was opened over HTTP/1.1 goes on for as long as it lasts.
      this.#usedHttp1 = this.#usedHttp1 && this.#trial.watching.holdings().sockets > 1;
      try {
        await this.#trouble();
        const tookMs = await this.#trial.quietPoint(
          this.#usedHttp1 || this.#protocol === 'http/1.1' ? HTTP1_RECOVERY_MS : undefined,
        );
        slowestRecoveryMs = Math.max(slowestRecoveryMs, Math.round(tookMs));
      } catch (error) {
        throw new Error(`seed ${seed}, round ${rounds}, ${this.#acts.join('; ')}`, { cause: error });
      }
      if (rounds % HEAP_EVERY_ROUNDS === 0) heapMb.push(collectedHeapMb());
    }
    const { requests, lists, misbehaved } = await this.#server.call('report');
    const restarts: Record<string, number> = {};
    for (const status of this.#trial.watching.statuses()) {
      for (const [reason, times] of status.restarts) restarts[reason] = (restarts[reason] ?? 0) + times;
    }
    return {
      ...{ rounds, requests, lists, misbehaved, afflictions: this.#afflictions, restarts },
      ...{ ...this.#trial.most, heapMb, slowestRecoveryMs },
    };
  }

  async #trouble(): Promise<void> {
    const random = this.#random;
    const kinds = MISBEHAVIOURS.filter(() => random.chance(0.3));
    if (kinds.length > 0) await this.#server.call('misbehave', random.pick([0, 0.2, 0.5, 0.9]), kinds);
    this.#acts.push(`misbehave: ${kinds.join(', ')}`);
    for (let act = random.between(4, 12); act > 0; act -= 1) {
      await this.#act();
      await pause(random.between(1, 120));
    }
  }

  async #act(): Promise<void> {
    const random = this.#random;
    const plural = random.pick(Object.keys(SERVED));
    const name = random.pick(NAMES);
    const act = random.pick(ACTS);
    this.#acts.push(act);
    switch (act) {
      case 'put':
        return this.#server.call('put', plural, name);
      case 'remove':
        return this.#server.call('remove', plural, name);
      case 'recreate':
        await this.#server.call('remove', plural, name);
        return this.#server.call('put', plural, name);
      case 'poison':
        return this.#server.call('put', plural, name, true);
      case 'curse':
        return this.#server.call('curse', plural);
      case 'end watches':
        return this.#server.call('endWatches');
      case 'restart':
        return this.#server.call('restart');
      case 'ignore':
        return this.#server.call('ignoreNewConnections');
      case 'another certificate':
        return this.#server.call('setCertificate', random.pick([...this.#trial.certificates, this.#untrusted]));
      case 'another client certificate':
        return this.#trial.watching.credentials.rotate(random.pick(this.#clientPairs));
      case 'another encoding':
        return this.#server.call('speak', random.pick(['protobuf', 'json'] as const), random.chance(0.7));
      case 'another protocol':
        if (this.#protocol === 'http/1.1') this.#usedHttp1 = true;
        this.#protocol = this.#options.http1 && random.chance(0.3) ? 'http/1.1' : 'h2';
        return this.#server.call('offer', this.#protocol);
      case 'afflict':
        return this.#afflict(random.pick(AFFLICTIONS));
      default:
        act satisfies never;
    }
  }

  async #afflict(affliction: Affliction): Promise<void> {
    this.#acts.push(affliction);
    this.#afflictions[affliction] = (this.#afflictions[affliction] ?? 0) + 1;
    await this.#server.call('afflict', affliction);
  }
}

const ACTS = [
  ...(['put', 'put', 'put', 'remove', 'recreate', 'recreate'] as const),
  ...(['afflict', 'afflict', 'afflict', 'afflict', 'poison', 'curse', 'end watches', 'restart', 'ignore'] as const),
  ...(['another certificate', 'another client certificate', 'another encoding', 'another protocol'] as const),
] as const;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function collectedHeapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return Math.round(process.memoryUsage().heapUsed / 1e5) / 10;
}
