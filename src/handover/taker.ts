// Takes the history of a sibling over, once, at the start: asks all of them, takes the one that reaches back furthest,
// and gives up after a time, because a replica that answers with a short history is better than one that does not
// answer.
//
// Never the cause of a wrong answer: a history that is not whole, cannot be read, is by another clock or of another
// cluster is not taken, and the status says why.

import type { ChannelCredentials, Metadata } from '@grpc/grpc-js';
import type { Inheritance } from '../addresses/heritage/handed-history.ts';
import type { ListenAddress } from '../model/ip/listen-address.ts';
import { escapeControls } from '../telemetry/escape-controls.ts';
import type { Logger } from '../telemetry/logger.ts';
import { HandOverError } from './hand-over-error.ts';
import type { HandOverQuestion, IncomingHistory, TakenHistory } from './incoming.ts';
import { findSiblings, type Lookup, type Sibling } from './siblings.ts';

export interface TakerOptions {
  readonly places: readonly ListenAddress[];
  /** Made anew for each call; throws when a file cannot be read: then there is no history, and the service starts. */
  readonly createCredentials: () => ChannelCredentials | Promise<ChannelCredentials>;
  /** Made anew for each call; throws when a token cannot be read, or is not to be shown there. */
  readonly createMetadata: (target: string) => Metadata | Promise<Metadata>;
  /** In the certificates of siblings; unset: the name that they were found by, or the address. */
  readonly serverName: string | undefined;
  /** How long readiness may wait, ms. */
  readonly waitMs: number;
  readonly maxBytes: number;
  readonly question: () => HandOverQuestion;
  /** Moments before this one are not known here. */
  readonly beganMs: () => number;
  readonly isWorthIt: (uid: string) => boolean;
  readonly inherit: (history: TakenHistory) => Inheritance;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly lookup?: Lookup;
}

/** As in `digger.v1.InheritedHistory`. */
export interface TakerStatus {
  /** Empty: nothing was taken over. */
  readonly from: string;
  readonly takenMs: number | undefined;
  readonly ownSinceMs: number | undefined;
  readonly claims: number;
  readonly message: string;
}

/** How it ended. */
export type TakerOutcome = 'taken' | 'refused' | 'timeout' | 'aborted';

/** Until a sibling's first word: it looks up what it has, and does not wait. */
const ANSWER_MS = 2_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;
/** Twice the slack: a holder by another clock would be another one. What a call takes is left aside. */
const MAX_SKEW_MS = 1_000;
/**
 * Files that cannot be read may come any moment, where a sidecar writes them; those of a Secret are there before the
 * container starts, and a key that it lacks (`ca.crt`, of a certificate that no CA issued) is not worth a slow start.
 */
const OWN_FILES_MS = 2_000;
const NOT_ASKED = 'not asked yet';
/** Of the status, for people. */
const MAX_TOLD = 8;
const MAX_TEXT = 300;

export class Taker {
  readonly #options: TakerOptions;
  #status: TakerStatus = { from: '', takenMs: undefined, ownSinceMs: undefined, claims: 0, message: NOT_ASKED };
  outcome: TakerOutcome | undefined;

  constructor(options: TakerOptions) {
    this.#options = options;
  }

  get status(): TakerStatus {
    return this.#status;
  }

  /** Done, well or not. */
  get isSettled(): boolean {
    return this.outcome !== undefined;
  }

  /**
   * Resolves when the history is taken over, or no sibling has one. Rejects only when it was taken over in part:
   * then nothing that is known is to be trusted.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, waitMs } = this.#options;
    const startedMs = performance.now();
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    let history: FoundHistory | undefined;
    try {
      const found = await this.#try(deadline, startedMs + waitMs);
      if (typeof found === 'string') this.outcome = found;
      else history = found;
    } catch (error) {
      // Taking over is no reason not to start.
      this.#say(error instanceof Error ? error.message : String(error));
      this.outcome = 'refused';
      logger.error({ err: error }, 'the history of a sibling could not be taken over');
    }
    if (history !== undefined && !signal.aborted) this.#take(history);
    if (signal.aborted) this.outcome = 'aborted';
    const afterMs = Math.round(performance.now() - startedMs);
    const { from, claims, message } = this.#status;
    if (this.outcome === 'taken') {
      logger.info({ from, claims, afterMs }, 'took over the history of a sibling');
    } else {
      logger.warn({ why: message, afterMs }, 'no history was taken over: moments before the start are not known');
    }
  }

  async #try(deadline: AbortSignal, untilMs: number): Promise<FoundHistory | 'refused' | 'timeout'> {
    const startedMs = performance.now();
    let retryMs = FIRST_RETRY_MS;
    while (!deadline.aborted) {
      const { places, lookup } = this.#options;
      const { siblings, problems } = await until(findSiblings(places, lookup), deadline, NONE_FOUND);
      if (deadline.aborted && siblings.length === 0) break;
      const failures: Failure[] = [...problems];
      const found = await this.#askAll(siblings, deadline, untilMs, failures);
      if (found !== undefined) return found;
      // One that the end of the wait cuts off says less than those before it.
      if (deadline.aborted && this.#status.message !== NOT_ASKED) break;
      if (failures.length > 0) this.#say(told(failures.map(({ text }) => text)));
      else this.#say('no sibling was found');
      const areFilesDue = performance.now() - startedMs >= OWN_FILES_MS;
      if (failures.every(({ isFinal, isOwnFile }) => isFinal || (isOwnFile && areFilesDue))) return 'refused';
      await wait(retryMs, deadline);
      retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
    }
    return 'timeout';
  }

  /** `undefined`: none handed its history over. */
  async #askAll(
    siblings: readonly Sibling[],
    deadline: AbortSignal,
    untilMs: number,
    failures: Failure[],
  ): Promise<FoundHistory | undefined> {
    const opened = await Promise.allSettled(siblings.map((sibling) => this.#ask(sibling, deadline)));
    const incoming: IncomingHistory[] = [];
    for (const [index, each] of opened.entries()) {
      if (each.status === 'fulfilled') incoming.push(each.value);
      else failures.push(toFailure(siblings[index]?.target ?? '', each.reason));
    }
    try {
      // The one that reaches back furthest first.
      const ordered = incoming.toSorted((a, b) => a.facts.beganMs - b.facts.beganMs);
      for (const [index, each] of ordered.entries()) {
        // One that tells slowly leaves time for the next.
        const left = Math.max(0, untilMs - performance.now()) / (index === ordered.length - 1 ? 1 : 2);
        try {
          const history = await each.read(this.#options.isWorthIt, left);
          if (deadline.aborted) throw new HandOverError('it took too long', false);
          return { from: each.target, history };
        } catch (error) {
          if (!(error instanceof HandOverError)) throw error;
          failures.push(toFailure(each.target, error));
        }
      }
      return undefined;
    } finally {
      for (const each of incoming) each[Symbol.dispose]();
    }
  }

  async #ask({ target, name }: Sibling, deadline: AbortSignal): Promise<IncomingHistory> {
    const { createCredentials, createMetadata, serverName = name, maxBytes, now } = this.#options;
    const connection = await ofOwnFiles(async () => ({
      ...{ target, serverName },
      ...{ credentials: await createCredentials(), metadata: await createMetadata(target) },
    }));
    // Loaded only here: the command line is read with this file, and should not wait for gRPC.
    const { IncomingHistory } = await import('./incoming.ts');
    const question = this.#options.question();
    const askedMs = now();
    const incoming = await IncomingHistory.open(connection, question, { maxBytes, answerMs: ANSWER_MS, deadline });
    const problem = this.#problemOf(incoming, question, askedMs);
    if (problem === undefined) return incoming;
    incoming[Symbol.dispose]();
    throw new HandOverError(problem, true);
  }

  /** What a sibling says of itself is looked at here too: it may be of another version, or no replica at all. */
  #problemOf({ facts, teller }: IncomingHistory, question: HandOverQuestion, askedMs: number): string | undefined {
    if (Buffer.compare(teller.epoch, question.epoch) === 0) return 'this is the replica that asks';
    if (teller.clusterUid === '' || teller.clusterUid !== question.clusterUid) {
      return `it is of cluster ${teller.clusterUid || 'unknown'}, this replica of ${question.clusterUid || 'unknown'}`;
    }
    const { serverTimeMs } = teller;
    const skewMs = Math.max(askedMs - serverTimeMs, serverTimeMs - this.#options.now());
    if (skewMs > MAX_SKEW_MS) return `its clock is ${(skewMs / 1_000).toFixed(1)} s from that of this replica`;
    if (facts.beganMs >= this.#options.beganMs()) return 'it knows nothing of the time before this replica began';
    return undefined;
  }

  #take({ from, history }: FoundHistory): void {
    const ownSinceMs = this.#options.beganMs();
    const { ended } = this.#options.inherit(history);
    this.#status = { from, takenMs: this.#options.now(), ownSinceMs, claims: ended, message: '' };
    this.outcome = 'taken';
  }

  #say(message: string): void {
    this.#status = { ...this.#status, message };
  }
}

interface FoundHistory {
  readonly from: string;
  readonly history: TakenHistory;
}

interface Failure {
  readonly text: string;
  readonly isFinal: boolean;
  /** What this replica would have shown could not be read. */
  readonly isOwnFile?: boolean;
}

/** A CA, a certificate or a token of this replica cannot be read. */
class OwnFileError extends Error {
  override readonly name = 'OwnFileError';
}

async function ofOwnFiles<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new OwnFileError(error instanceof Error ? error.message : String(error));
  }
}

const NONE_FOUND = { siblings: [], problems: [{ text: 'names were not resolved in time', isFinal: false }] } as const;

function toFailure(target: string, error: unknown): Failure {
  const text = escapeControls(error instanceof Error ? error.message : String(error))
    .slice(0, MAX_TEXT)
    .toWellFormed();
  const isFinal = error instanceof HandOverError && error.isFinal;
  return { text: `${target}: ${text}`, isFinal, isOwnFile: error instanceof OwnFileError };
}

function told(texts: readonly string[]): string {
  const more = texts.length - MAX_TOLD;
  return [...texts.slice(0, MAX_TOLD), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** `instead` when the signal aborts first. */
async function until<T>(promise: Promise<T>, signal: AbortSignal, instead: T): Promise<T> {
  if (signal.aborted) return instead;
  const aborted = Promise.withResolvers<T>();
  const onAbort = (): void => aborted.resolve(instead);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
