// One run of a reflector against the modelled API server: a list of acts, and after each of them what must hold.
//
// The invariants: the reflector asks for nothing that it has no reason to ask for (request-account.ts); a watch goes on
// from a version only if the store is what the cluster was at that version; whenever a watch is up and nothing is on
// the way, the store is what the cluster is now; writes come in the order that store.ts promises. Once nothing goes
// wrong any more, that state is reached within MAX_RECOVERY_MS, and known to be.

import { createLogger } from '../../../src/telemetry/logger.ts';
import type { PodRecord } from '../../../src/model/kubernetes/records.ts';
import { sleep } from '../../../src/kube/clock.ts';
import { Reflector } from '../../../src/kube/reflector/reflector.ts';
import { pods } from '../../../src/kube/resources.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import type { ReflectorStore, Replacement } from '../../../src/kube/reflector/store.ts';
import { statusForCode, tooLargeResourceVersion } from '../../../src/simulator/server/error-status.ts';
import { createRandom } from '../../random.ts';
import { ModelledApiServer, type Mood, type Refusal } from './modelled-api-server.ts';
import { ModelledCluster, type State, stateOf } from './modelled-cluster.ts';
import type { RequestAccount } from './request-account.ts';
import { VirtualClock } from './virtual-clock.ts';

export type Act =
  | { readonly act: 'put' | 'remove' | 'recreate'; readonly name: string }
  /** Writes to other resources. */
  | { readonly act: 'write elsewhere'; readonly versions: number }
  | { readonly act: 'bookmark' | 'compact' | 'restart' | 'damage' | 'hold' | 'poison' | 'settle down' }
  /** A write whose event no watch can bring undamaged. */
  | { readonly act: 'put unreadable'; readonly name: string }
  /** From a backup that is so many versions old; the server that goes ends its watch in good order, or does not. */
  | { readonly act: 'restore'; readonly versions: number; readonly how: 'end' | 'reset' }
  | { readonly act: 'release'; readonly pieces: number | undefined }
  | { readonly act: 'cut'; readonly how: 'end' | 'reset' | 'half a frame' }
  /** An ERROR event into the open watch. */
  | { readonly act: 'error'; readonly code: ErrorCode }
  | { readonly act: 'refuse'; readonly refusals: readonly Refusal[] }
  | { readonly act: 'change mood'; readonly mood: Partial<Mood> }
  | { readonly act: 'wait'; readonly ms: number };

type ErrorCode = (typeof ERROR_CODES)[number];
export const ERROR_CODES = [410, 429, 500, 504, 'StoreReadError'] as const;

export interface RunOptions {
  /** Decides the liberties of the server, and the jitter of the reflector. */
  readonly seed: number;
  readonly firstVersion: bigint;
  readonly streamInitialList: boolean;
  readonly acts: readonly Act[];
}

export interface RunReport {
  readonly steps: number;
  /** How often the state was compared with the cluster's. */
  readonly comparisons: number;
  readonly lists: number;
  readonly resumes: number;
  /** Lists of one object. */
  readonly checks: number;
  readonly restarts: ReadonlyMap<string, number>;
}

/**
 * A peer that says nothing is found out when its watch should have ended, after ten and a half minutes at most; the
 * next one may be as silent.
 */
const MAX_RECOVERY_MS = 30 * 60_000;
const MAX_COMMIT_MS = 300;

/** Throws when something does not hold, with the requests that led there. */
export async function run(options: RunOptions): Promise<RunReport> {
  const present = new Run(options);
  try {
    await present.play(options.acts);
    return present.report();
  } finally {
    await present.stop();
  }
}

class Run {
  readonly #random;
  readonly #clock = new VirtualClock();
  readonly #firstVersion: bigint;
  readonly #cluster: ModelledCluster;
  readonly #server: ModelledApiServer;
  readonly #store: CheckedStore;
  readonly #reflector: Reflector<PodRecord>;
  readonly #stopping = new AbortController();
  #steps = 0;
  #comparisons = 0;

  constructor({ seed, firstVersion, streamInitialList }: RunOptions) {
    this.#random = createRandom(seed);
    this.#firstVersion = firstVersion;
    this.#cluster = new ModelledCluster(firstVersion);
    this.#server = new ModelledApiServer(this.#cluster, this.#clock, this.#random);
    const { account } = this.#server;
    this.#store = new CheckedStore(account, () => {
      // A large difference takes several turns.
      const ms = this.#random.chance(0.2) ? this.#random.between(1, MAX_COMMIT_MS) : 0;
      return ms === 0 ? Promise.resolve() : sleep(this.#clock, ms, this.#stopping.signal);
    });
    account.onResume = (version) => this.#compare(this.#cluster.stateAt(version), `at ${version}, to go on from there`);
    const logger = createLogger({ level: 'silent', pretty: false });
    const random = this.#random.next;
    this.#reflector = new Reflector({
      resource: pods,
      store: this.#store,
      transport: this.#server,
      contact: new ServerContact(this.#server, this.#clock, random, logger, this.#stopping.signal),
      logger,
      clock: this.#clock,
      random,
      streamInitialList,
      onStatusChange: () => {},
    });
  }

  async play(acts: readonly Act[]): Promise<void> {
    this.#reflector.start();
    for (const act of acts) {
      this.#steps += 1;
      await this.#perform(act);
      await this.#clock.settle();
      this.#check();
    }
    await this.#settleDown();
  }

  report(): RunReport {
    const { restarts } = this.#reflector.status();
    const { lists, resumes, checks } = this.#server.account;
    return { steps: this.#steps, comparisons: this.#comparisons, lists, resumes, checks, restarts };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reflector.stop();
  }

  async #perform(act: Act): Promise<void> {
    const server = this.#server;
    switch (act.act) {
      case 'put':
        server.tell(this.#cluster.put(act.name));
        return;
      case 'put unreadable':
        server.damageNext();
        server.tell(this.#cluster.put(act.name));
        return;
      case 'poison':
        return server.poison();
      case 'remove':
      case 'recreate': {
        const removed = this.#cluster.remove(act.name);
        if (removed !== undefined) server.tell(removed);
        if (act.act === 'recreate') server.tell(this.#cluster.put(act.name));
        return;
      }
      case 'write elsewhere':
        this.#cluster.advance(act.versions);
        return;
      case 'bookmark':
        return server.bookmark();
      case 'compact':
        return server.compact();
      case 'restart':
        return server.restart();
      case 'damage':
        return server.sendDamage();
      case 'hold':
        return server.hold();
      case 'restore': {
        // One that reached the version again before it was asked could not be noticed. A watch that ended in good order
        // is followed by the next one at once, so the other server is there by then.
        if (act.how === 'reset') server.cut('reset');
        await this.#clock.settle();
        if (this.#store.isBusy) return;
        const version = this.#cluster.version - BigInt(act.versions);
        server.restore(version > this.#firstVersion ? version : this.#firstVersion, act.how);
        return this.#settleDown();
      }
      case 'release':
        return server.release(act.pieces);
      case 'cut':
        return server.cut(act.how);
      case 'error':
        return server.sendError(this.#statusOf(act.code));
      case 'refuse':
        server.refusals.push(...act.refusals);
        return;
      case 'change mood':
        server.mood = { ...server.mood, ...act.mood };
        return;
      case 'wait':
        return this.#clock.advance(act.ms);
      case 'settle down':
        return this.#settleDown();
      default:
        act satisfies never;
    }
  }

  #statusOf(code: ErrorCode) {
    if (code === 'StoreReadError') return { ...statusForCode(500), reason: 'StoreReadError' };
    if (code === 504) return tooLargeResourceVersion(this.#cluster.version, this.#cluster.version);
    return statusForCode(code, code === 429 ? this.#random.between(0, 40) : undefined);
  }

  /** Nothing goes wrong from here on: the state is equal soon, and soon known to be. */
  async #settleDown(): Promise<void> {
    this.#server.heal();
    await this.#clock.settle();
    const endMs = this.#clock.now() + MAX_RECOVERY_MS;
    while (!this.#isCalm() && this.#clock.now() < endMs && (await this.#clock.advanceToNextTimer())) this.#check();
    if (!this.#isCalm())
      this.#fail(`not following again after ${MAX_RECOVERY_MS} ms: ${this.#reflector.status().message}`);
    await this.#clock.advance(10_000);
    this.#check();
    if (this.#isCalm() && this.#reflector.status().blindSinceMs !== undefined)
      this.#fail('all is well and it does not know');
  }

  #isCalm(): boolean {
    return this.#server.calm && !this.#store.isBusy;
  }

  #check(): void {
    if (this.#isCalm()) this.#compare(this.#cluster.stateAt(this.#cluster.version), 'now');
    const [problem] = this.#server.account.problems;
    if (problem !== undefined) this.#fail(problem);
  }

  #compare(expected: State, when: string): void {
    this.#comparisons += 1;
    const said = (state: State) =>
      [...state]
        .map((entry) => entry.join(' '))
        .sort()
        .join(', ');
    const [found, wanted] = [said(this.#store.state), said(expected)];
    if (found !== wanted) this.#server.account.problems.push(`the cluster is ${wanted} ${when}; the store is ${found}`);
  }

  #fail(problem: string): never {
    const requests = this.#server.account.requests.slice(-12).join('\n  ');
    throw new Error(`${problem}\nstep ${this.#steps}; the last requests:\n  ${requests}`);
  }
}

/** Holds what is written to it, and the writer to its promises. */
class CheckedStore implements ReflectorStore<PodRecord> {
  readonly state = new Map<string, string>();
  readonly #account: RequestAccount;
  readonly #takeTime: () => Promise<void>;
  #open: Replacement<PodRecord> | undefined;
  #isListed = false;

  constructor(account: RequestAccount, takeTime: () => Promise<void>) {
    this.#account = account;
    this.#takeTime = takeTime;
  }

  /** A replacement is under way. */
  get isBusy(): boolean {
    return this.#open !== undefined;
  }

  beginReplace(): Replacement<PodRecord> {
    if (this.#open !== undefined) this.#account.problems.push('a replacement begins inside another');
    const next = new Map<string, string>();
    const replacement: Replacement<PodRecord> = {
      add: (record) => void next.set(record.name, stateOf(record)),
      commit: async (resourceVersion) => {
        await this.#takeTime();
        this.#close(replacement);
        this.state.clear();
        for (const [name, state] of next) this.state.set(name, state);
        this.#isListed = true;
        this.#account.committed(BigInt(resourceVersion));
      },
      abort: () => this.#close(replacement),
    };
    this.#open = replacement;
    return replacement;
  }

  upsert(record: PodRecord): void {
    this.#expectBetweenLists();
    this.state.set(record.name, stateOf(record));
  }

  remove(record: PodRecord): void {
    this.#expectBetweenLists();
    if (this.state.get(record.name)?.split(' ')[0] === record.uid) this.state.delete(record.name);
  }

  bookmark(): void {
    this.#expectBetweenLists();
  }

  #close(replacement: Replacement<PodRecord>): void {
    if (this.#open !== replacement) this.#account.problems.push('a replacement ends twice');
    this.#open = undefined;
  }

  #expectBetweenLists(): void {
    if (!this.#isListed || this.#open !== undefined)
      this.#account.problems.push('a write that is not between two lists');
  }
}
