// What the resources of a cluster learn from one another about its API server: that it can be reached, that it takes
// our credentials, and that it is still the one whose picture they hold. For a server that cannot be reached one cheap
// probe stands for all of them.
//
// The first reflector that finds the server unreachable starts the probing, the others join in waiting, and the first
// answer wakes them all at once. So an outage costs the server one request every few seconds whatever the number of
// watches, and its end is noticed within 5 s by all of them.
//
// After every failure, and after a watch that ended before its time, another server may stand behind the address. A
// look at it (cluster-uid.ts) is over before anything goes on, and is shared: it serves all whose doubt is older than
// it, and two looks begin at least LOOK_INTERVAL_MS apart.

import { Backoff, UNREACHABLE_CAP_MS } from './backoff.ts';
import { AnswerLimit } from '../answer-limit.ts';
import { type Clock, type Random, sleep } from '../clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { CredentialsError } from '../credentials/credentials.ts';
import { type Transport, TransportError } from '../transport/transport.ts';
import { WireError } from '../wire-error.ts';
import { SharedRefusals } from './shared-refusals.ts';

/** Open to all clients by default (`system:public-info-viewer`), and not answered with 200 before RBAC works. */
const PROBE_PATH = '/readyz';
const PROBE_TIMEOUT_MS = 5_000;
/** An outage that lasts is told again this often, with how long it has lasted. */
const SAY_AGAIN_MS = 300_000;
/** So a server that ends every watch at once, for whatever reason, is looked at once a second and not once a watch. */
const LOOK_INTERVAL_MS = 1_000;
/** What a probe found out; a number is the status of the answer. */
type Found = number | 'no answer' | 'unreadable' | 'no credentials';
/** A server that keeps saying "not ready" may still serve: after so many such answers let the watches find out. */
const MAX_NOT_READY_ANSWERS = 6;

/** How it is found out whether the server is still the same cluster's. */
export interface ServerLook {
  /** False: there is nothing to compare it with, and no look is taken. */
  canTell(): boolean;
  /** Does not resolve, before everything stops, where nothing may go on. */
  look(): Promise<void>;
}

export class ServerContact {
  /** What is refused to many resources alike. */
  readonly refusals: SharedRefusals;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #stopping: AbortSignal;
  readonly #logger: Logger;
  readonly #turnedAway = new Set<() => void>();
  #probing: Promise<void> | undefined;
  #server: ServerLook | undefined;
  /** Looks are numbered from 1, and one is over before the next begins. */
  #looksBegun = 0;
  #looksOver = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  /** A request was accepted since the start. */
  #wasAccepted = false;

  /** `stopping` ends all waiting. */
  constructor(transport: Transport, clock: Clock, random: Random, logger: Logger, stopping: AbortSignal) {
    this.refusals = new SharedRefusals(logger, clock, stopping);
    this.#logger = logger;
    this.#transport = transport;
    this.#clock = clock;
    this.#backoff = new Backoff(UNREACHABLE_CAP_MS, random);
    this.#stopping = stopping;
  }

  /**
   * Call it after the server could not be reached, with what was seen. Resolves once it answers, or once everything
   * stops.
   */
  waitUntilReachable(problem: string): Promise<void> {
    this.#probing ??= this.#probeAndLook(problem).finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /**
   * Unset unless the server cannot be reached, and then as `waitUntilReachable`: for those who were busy otherwise, say
   * with sitting out a refusal, and must not ask before what stands behind the address has been looked at.
   */
  get outage(): Promise<void> | undefined {
    return this.#probing;
  }

  /** Nothing goes on that has a doubt about the server, before it has been looked at in this way. */
  beforeGoingOn(server: ServerLook): void {
    this.#server = server;
  }

  /** To be kept when a doubt arises, for `lookedAtSince`. */
  get looksBegun(): number {
    return this.#looksBegun;
  }

  /** Resolves once a look is over that began when `looksBegun` was `before` or later, or once everything stops. */
  async lookedAtSince(before: number): Promise<void> {
    while (this.#server?.canTell() === true && this.#looksOver <= before && !this.#stopping.aborted) {
      this.#looking ??= this.#look(this.#server).finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
  }

  /**
   * Calls back once, when a request of any resource is accepted: the credentials are valid again, and a resource
   * that was refused because of them need not sit out its backoff. A 401 does not ask for relief; a 429 does, and then
   * no resource is woken.
   */
  onceAccepted(wake: () => void): () => void {
    this.#turnedAway.add(wake);
    return () => void this.#turnedAway.delete(wake);
  }

  /** The server gave one of the resources what it asked for. */
  accepted(): void {
    this.#wasAccepted = true;
    const woken = [...this.#turnedAway];
    this.#turnedAway.clear();
    for (const wake of woken) wake();
  }

  async #probeAndLook(problem: string): Promise<void> {
    await this.#probe(problem);
    await this.lookedAtSince(this.#looksBegun);
  }

  async #look(server: ServerLook): Promise<void> {
    const waitMs = this.#lookedMs + LOOK_INTERVAL_MS - this.#clock.now();
    if (waitMs > 0) await sleep(this.#clock, Math.min(waitMs, LOOK_INTERVAL_MS), this.#stopping);
    this.#lookedMs = this.#clock.now();
    this.#looksBegun += 1;
    await server.look();
    this.#looksOver = this.#looksBegun;
  }

  async #probe(problem: string): Promise<void> {
    const sinceMs = this.#clock.now();
    let saidMs = sinceMs;
    let notReady = 0;
    let missed = 0;
    while (!this.#stopping.aborted) {
      await sleep(this.#clock, this.#backoff.nextMs(this.#clock.now()), this.#stopping);
      const found = await this.#ask();
      // Nothing is known of the server then, but each resource reports what is wrong, and backs off by itself.
      if (found === 'no credentials') return;
      if (typeof found === 'number' && found >= 500) notReady += 1;
      const isAnswer = found === 'unreadable' || (typeof found === 'number' && found < 500);
      if (isAnswer || notReady === MAX_NOT_READY_ANSWERS) {
        if (missed > 0) this.#logger.info({ afterMs: this.#clock.now() - sinceMs }, 'the API server answers again');
        return;
      }
      // A single broken connection is no outage; one line for all resources when it is, and again while it lasts.
      const nowMs = this.#clock.now();
      if (missed === 0 || nowMs - saidMs >= SAY_AGAIN_MS) {
        saidMs = nowMs;
        const meaning = this.#wasAccepted
          ? 'answers go on from the last known state'
          : 'nothing is known yet, so lookups wait';
        this.#logger.warn({ error: problem, forMs: nowMs - sinceMs }, `the API server cannot be reached: ${meaning}`);
      }
      missed += 1;
    }
  }

  async #ask(): Promise<Found> {
    if (this.#stopping.aborted) return 'no answer';
    using limit = new AnswerLimit(this.#clock, this.#stopping, PROBE_TIMEOUT_MS);
    const { signal } = limit;
    const onBegin = () => limit.begin();
    try {
      const response = await this.#transport.request({ path: PROBE_PATH, accept: '*/*', signal, onBegin });
      for await (const _ of response.body) {
        // Read to the end, so that the connection can be used again.
      }
      return response.status;
    } catch (error) {
      // Something answers; what it says is for the watches to find out.
      if (error instanceof WireError) return 'unreadable';
      if (error instanceof CredentialsError) return 'no credentials';
      // Which is just what is being checked.
      if (signal.aborted || error instanceof TransportError) return 'no answer';
      throw error;
    }
  }
}
