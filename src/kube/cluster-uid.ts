// The uid of the namespace kube-system, by which clusters are told apart (as the resource attribute `k8s.cluster.uid` of
// OpenTelemetry does).
//
// Read once, as a list of that one object, so that the right to list namespaces suffices, with `resourceNames` or without.
// The right is optional: without it the uid stays unknown, `problem` says why, and it is asked for again with growing
// pauses. It does not change while the cluster lives. Once it is known it is compared after each failure to reach the
// server, before any watch goes on: what answers then may be another cluster (one that was made anew at the same address,
// a name that leads elsewhere), to which neither our picture nor our versions belong. Where it cannot be read at that
// moment, watches go on, and it is asked for until it can be.

import { once } from 'node:events';
import type { Logger } from '../telemetry/logger.ts';
import { type Clock, type Random, sleep } from './clock.ts';
import { Backoff } from './reflector/backoff.ts';
import { StalledError, toFailure } from './reflector/failure.ts';
import type { ServerContact } from './reflector/server-contact.ts';
import type { Transport } from './transport/transport.ts';
import { readWholeAnswer } from './whole-answer.ts';
import { WireError } from './wire-error.ts';

export interface ClusterUidOptions {
  readonly transport: Transport;
  readonly contact: ServerContact;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly stopping: AbortSignal;
  /** Called when `uid` or `problem` is another. */
  readonly onChange: () => void;
  /** Called when another cluster answers than before; no watch goes on from then on. */
  readonly onOtherCluster: (uids: { readonly was: string; readonly is: string }) => void;
}

const PATH = '/api/v1/namespaces?fieldSelector=metadata.name%3Dkube-system';
const ACCEPT = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';

/** One object's metadata; managed fields and annotations of one that is written by many. */
const MAX_BYTES = 1024 * 1024;
const DOING = 'list the namespace kube-system';
const REQUEST_TIMEOUT_MS = 10_000;

/** A right is granted by people: no hurry. */
const MAX_PAUSE_MS = 120_000;

export class ClusterUid {
  readonly #options: ClusterUidOptions;
  readonly #first = Promise.withResolvers<void>();
  #asking: Promise<void> | undefined;
  /** Set while a comparison that failed is to be made again. */
  #comparing: Promise<void> | undefined;
  #uid = '';
  #problem = '';

  constructor(options: ClusterUidOptions) {
    this.#options = options;
    options.contact.beforeReachable(() => this.#compare());
  }

  /** Empty: not known. */
  get uid(): string {
    return this.#uid;
  }

  /** Why it is not known, the missing right among it; empty: it is known, or was not asked for yet. */
  get problem(): string {
    return this.#problem;
  }

  start(): void {
    this.#asking ??= this.#ask();
  }

  /** Resolves when the first answer is there, good or bad, or there will be none. */
  answered(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves when nothing is asked for any more; `stopping` has to be aborted. */
  async stopped(): Promise<void> {
    await Promise.all([this.#asking, this.#comparing]);
  }

  async #ask(): Promise<void> {
    const { clock, random, stopping, contact, logger } = this.#options;
    const backoff = new Backoff(MAX_PAUSE_MS, random);
    while (!stopping.aborted) {
      try {
        this.#become(await this.#read(), '');
        this.#first.resolve();
        return;
      } catch (error) {
        if (stopping.aborted) break;
        const failure = toFailure(error);
        if (failure.kind === 'unreachable') await contact.waitUntilReachable(failure.message);
        else if (this.#problem !== failure.message) {
          logger.warn({ error: failure.message }, 'the uid of the cluster is not known: answers go without it');
        }
        this.#become('', failure.message);
        // Of a server that cannot be reached an answer will come.
        if (failure.kind !== 'unreachable') this.#first.resolve();
      }
      await sleep(clock, backoff.nextMs(clock.now()), stopping);
    }
    this.#first.resolve();
  }

  /** Called before any watch goes on. */
  async #compare(): Promise<void> {
    const { onOtherCluster, stopping } = this.#options;
    const was = this.#uid;
    if (was === '' || stopping.aborted) return;
    const is = await this.#readToCompare();
    if (is === undefined) this.#comparing ??= this.#compareLater();
    if (is === undefined || is === was) return;
    onOtherCluster({ was, is });
    if (!stopping.aborted) await once(stopping, 'abort');
  }

  async #compareLater(): Promise<void> {
    const { clock, random, stopping, onOtherCluster } = this.#options;
    const backoff = new Backoff(MAX_PAUSE_MS, random);
    let is: string | undefined;
    while (is === undefined) {
      await sleep(clock, backoff.nextMs(clock.now()), stopping);
      if (stopping.aborted) return;
      is = await this.#readToCompare();
    }
    this.#comparing = undefined;
    if (is !== this.#uid) onOtherCluster({ was: this.#uid, is });
  }

  /** `undefined`: it cannot be read now. */
  async #readToCompare(): Promise<string | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      const { logger } = this.#options;
      logger.debug({ error: toFailure(error).message }, 'the uid of the cluster could not be compared');
      return undefined;
    }
  }

  #become(uid: string, problem: string): void {
    const isSame = this.#uid === uid && this.#problem === problem;
    this.#uid = uid;
    this.#problem = problem;
    if (!isSame) this.#options.onChange();
  }

  async #read(): Promise<string> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    try {
      const { transport, stopping } = this.#options;
      const signal = AbortSignal.any([stopping, timeout]);
      return uidIn(
        await readWholeAnswer(transport, { path: PATH, accept: ACCEPT, signal, maxBytes: MAX_BYTES, doing: DOING }),
      );
    } catch (error) {
      throw timeout.aborted ? new StalledError(`no answer within ${REQUEST_TIMEOUT_MS} ms`) : error;
    }
  }
}

function uidIn(body: Buffer): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new WireError('the list of the namespace kube-system is not JSON');
  }
  const { items } = fieldsOf(parsed);
  for (const item of Array.isArray(items) ? items : []) {
    const { name, uid } = fieldsOf(fieldsOf(item)['metadata']);
    // Whatever answers may not know the selector.
    if (name === 'kube-system' && typeof uid === 'string' && uid !== '' && uid.length <= MAX_UID_LENGTH) return uid;
  }
  throw new WireError('the API server knows no namespace kube-system');
}

/** A uid has 36 characters; it goes into every answer. */
const MAX_UID_LENGTH = 128;

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
