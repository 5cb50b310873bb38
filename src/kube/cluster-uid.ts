// The uid of the namespace kube-system, by which clusters are told apart (as the resource attribute `k8s.cluster.uid`
// of OpenTelemetry does).
//
// Read as a list of that one object, so that the right to list namespaces suffices, with `resourceNames` or without,
// and at any version: it does not change while the cluster lives, and a server that cannot reach its etcd has it in its
// cache. The right is optional: without it the uid stays unknown, `problem` says why, and it is asked for again with
// growing pauses.
//
// Once it is known it is compared after each failure, and after each watch that the server ended before its time,
// before anything goes on (server-contact.ts says how often): what answers then may be another cluster (one that was
// made anew at the same address, a name that leads elsewhere), to which neither our picture nor our versions belong. A
// server that refuses to tell is taken for the same. One that gives no answer, or has no kube-system yet, as a cluster
// in its first second, leaves a doubt: watches go on, because an outage that lasts is worse, but the picture counts as
// blind for as long as the doubt lasts, and it is asked for until it can be compared.

import { once } from 'node:events';
import type { Asking } from './asking.ts';
import { sleep } from './clock.ts';
import { Backoff, RELIEF_CAP_MS } from './reflector/backoff.ts';
import { type Failure, type FailureKind, toFailure } from './reflector/failure.ts';
import { readWholeAnswer } from './whole-answer.ts';
import { WireError } from './wire-error.ts';

export interface ClusterUidOptions extends Asking {
  /** Called when `uid`, `problem` or `isDoubted` is another. */
  readonly onChange: () => void;
  /** Called when another cluster answers than before; no watch goes on from then on. */
  readonly onOtherCluster: (uids: { readonly was: string; readonly is: string }) => void;
}

const PATH = '/api/v1/namespaces?fieldSelector=metadata.name%3Dkube-system&resourceVersion=0';
const ACCEPT = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';

/** One object's metadata; managed fields and annotations of one that is written by many. */
const MAX_BYTES = 1024 * 1024;
const DOING = 'list the namespace kube-system';
/** Every watch waits for it after an outage: as long as the probe that noticed the end of the outage. */
const REQUEST_LIMIT_MS = 5_000;

/** A right is granted by people: no hurry. */
const MAX_PAUSE_MS = 120_000;
/** The server answers, and says that it will not tell. */
const REFUSALS: ReadonlySet<FailureKind> = new Set<FailureKind>(['forbidden', 'not_found', 'rejected']);

export class ClusterUid {
  readonly #options: ClusterUidOptions;
  readonly #first = Promise.withResolvers<void>();
  #asking: Promise<void> | undefined;
  /** Set while a comparison that failed is to be made again. */
  #comparing: Promise<void> | undefined;
  #isCompared = true;
  #isDoubted = false;
  #hasToldOther = false;
  #uid = '';
  #problem = '';

  constructor(options: ClusterUidOptions) {
    this.#options = options;
    options.contact.beforeGoingOn({ canTell: () => this.#uid !== '', look: () => this.#compare() });
  }

  /** Empty: not known. */
  get uid(): string {
    return this.#uid;
  }

  /**
   * Why it is not known, or could not be compared since the last outage, the missing right among it; empty: neither, or
   * it was not asked for yet.
   */
  get problem(): string {
    return this.#problem;
  }

  /** The server came back, and may be another cluster's: what is seen through it may be wrong. */
  get isDoubted(): boolean {
    return this.#isDoubted;
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
        this.#become(await this.#read(), '', false);
        this.#first.resolve();
        return;
      } catch (error) {
        if (stopping.aborted) break;
        const failure = toFailure(error);
        if (failure.kind === 'unreachable') await contact.waitUntilReachable(failure.message);
        else if (this.#problem !== failure.message) {
          logger.warn({ error: failure.message }, 'the uid of the cluster is not known: answers go without it');
        }
        this.#become('', failure.message, false);
        // Of a server that cannot be reached an answer will come.
        if (failure.kind !== 'unreachable') this.#first.resolve();
      }
      await sleep(clock, backoff.nextMs(clock.now()), stopping);
    }
    this.#first.resolve();
  }

  /** Called before anything goes on. Does not resolve at another cluster, before everything stops. */
  async #compare(): Promise<void> {
    const { stopping } = this.#options;
    if (this.#uid === '' || stopping.aborted) return;
    this.#isCompared = false;
    await this.#compareOnce();
    if (!this.#isCompared) this.#comparing ??= this.#compareUntilDone();
  }

  async #compareUntilDone(): Promise<void> {
    const { clock, random, stopping } = this.#options;
    const soon = new Backoff(RELIEF_CAP_MS, random);
    const slow = new Backoff(MAX_PAUSE_MS, random);
    for (;;) {
      await sleep(clock, (this.#isDoubted ? soon : slow).nextMs(clock.now()), stopping);
      // Another outage may have ended meanwhile, and the comparison after it may have succeeded.
      if (stopping.aborted || this.#isCompared) break;
      await this.#compareOnce();
    }
    this.#comparing = undefined;
  }

  async #compareOnce(): Promise<void> {
    const { stopping, logger, onOtherCluster } = this.#options;
    const was = this.#uid;
    let is: string;
    try {
      is = await this.#read();
    } catch (error) {
      if (!stopping.aborted) this.#cannotCompare(toFailure(error));
      return;
    }
    if (is !== was) {
      if (!this.#hasToldOther) onOtherCluster({ was, is });
      this.#hasToldOther = true;
      if (!stopping.aborted) await once(stopping, 'abort');
      return;
    }
    this.#isCompared = true;
    if (this.#isDoubted) logger.info('the API server is the same cluster’s as before');
    this.#become(was, '', false);
  }

  #cannotCompare({ kind, message }: Failure): void {
    const problem = `not compared since the API server came back: ${message}`;
    const { logger } = this.#options;
    const isDoubted = !REFUSALS.has(kind);
    const text = isDoubted
      ? 'the API server may be that of another cluster: answers are stale until the uid can be compared'
      : 'the uid of the cluster can no longer be compared';
    // A server that went again is told of by its probe; the same trouble again is in the status.
    if (kind !== 'unreachable' && this.#problem === '') logger.warn({ error: message }, text);
    this.#become(this.#uid, problem, isDoubted);
  }

  #become(uid: string, problem: string, isDoubted: boolean): void {
    const isSame = this.#uid === uid && this.#problem === problem && this.#isDoubted === isDoubted;
    this.#uid = uid;
    this.#problem = problem;
    this.#isDoubted = isDoubted;
    if (!isSame) this.#options.onChange();
  }

  async #read(): Promise<string> {
    const { transport, stopping, clock } = this.#options;
    return uidIn(
      await readWholeAnswer(transport, {
        ...{ path: PATH, accept: ACCEPT, doing: DOING },
        ...{ signal: stopping, clock, limitMs: REQUEST_LIMIT_MS, maxBytes: MAX_BYTES },
      }),
    );
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
