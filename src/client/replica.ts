// A copy of what a digger service knows of addresses, in the process that asks: answers are synchronous, and are what
// the service would say.
//
// One stream feeds it; while a server is away, another one is looked for and the last picture answers on, as doubtful
// as it is old. A server that cannot tell what changed sends everything anew: a second picture is built beside the one
// that answers, and takes its place when it is complete.

import { EventEmitter } from 'node:events';
import { type ChannelCredentials, credentials as grpcCredentials, Metadata } from '@grpc/grpc-js';
import type { JsonObject } from '../wire/proto-json.ts';
import { resolve, type Verdict } from '../timelines/resolve.ts';
import { type Answer, unreadyAnswer } from './answer.ts';
import { askPicture } from './ask-picture.ts';
import type { EntityName, ReplicaEntity } from './entity-store.ts';
import { FeedStream, type FeedFailure } from './feed-stream.ts';
import { FollowedPicture } from './followed-picture.ts';
import { type FrameChanges, Picture, type PictureBounds } from './picture.ts';
import { networkAddress } from '../model/kubernetes/pod-networks.ts';
import { checkAddress, checkRest, type ReplicaQuestion } from './question.ts';
import { SharedValues } from './shared-values.ts';
import type { ReplicaHolder } from './holder-message.ts';

/** How to reach the service, and what to keep of it. */
export interface ReplicaOptions {
  /** `HOST:PORT`, or names as grpc resolves them; at least one. One of them is followed at a time. */
  readonly targets: readonly string[];
  /** Unset: plaintext. */
  readonly credentials?: ChannelCredentials;
  /** A bearer token, read again for each stream; only over TLS, or to this machine. */
  readonly token?: () => string;
  /** `digger.v1.WatchFilter` in its JSON form; addresses whose holders do not pass it are not known here. */
  readonly filter?: Readonly<Record<string, unknown>>;
  /** How much of the objects to keep. `NONE`: nothing but names and workloads, in a quarter of the memory. */
  readonly entities?: 'NONE' | 'BASIC' | 'FULL';
  /** How often a server is heard of at least, ms; 1,000–30,000. Answers allow for half as much again. */
  readonly heartbeatMs?: number;
  readonly bounds?: Partial<PictureBounds>;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

export interface ReplicaEvents {
  /** What a frame changed in the picture that answers. */
  change: [FrameChanges];
  /** A server sends everything anew. */
  reset: [{ readonly reason: string; readonly message: string }];
  /** The picture is complete as of now: the first time, after a reset, or after a stream was taken up again. */
  synced: [{ readonly target: string }];
  /** A stream ended; another one follows, unless `isFinal`. */
  failover: [FeedFailure];
}

/** What it holds, and what it had to leave out. */
export interface ReplicaUse {
  readonly timelines: number;
  readonly entities: number;
  readonly entityBytes: number;
  readonly leftOutTimelines: number;
  readonly cutTimelines: number;
  readonly leftOutEntities: number;
}

/** A million of each, 1 GiB of objects, 1,000 spans of a place. */
export const DEFAULT_BOUNDS: PictureBounds = {
  maxTimelines: 1_000_000,
  maxSpans: 1_000,
  maxEntities: 1_000_000,
  maxEntityBytes: 1024 ** 3,
};

const DEFAULT_HEARTBEAT_MS = 5_000;

const VIEWS = { NONE: 'VIEW_BASIC', BASIC: 'VIEW_BASIC', FULL: 'VIEW_FULL' } as const;

export class Replica {
  readonly #events = new EventEmitter<ReplicaEvents>();
  readonly #options: ReplicaOptions;
  readonly #heartbeatMs: number;
  readonly #stream: FeedStream;
  readonly #ready = Promise.withResolvers<void>();
  readonly #followed: FollowedPicture;
  #target = '';
  readonly #begunAtMs = Date.now();
  #closed = false;

  /** Begins to connect. Throws a RangeError when an option is not allowed. */
  constructor(options: ReplicaOptions) {
    const { targets, entities = 'FULL', heartbeatMs = DEFAULT_HEARTBEAT_MS, token } = options;
    if (targets.length === 0) throw new RangeError('targets: got none; allowed: at least one HOST:PORT');
    if (!(heartbeatMs >= 1_000 && heartbeatMs <= 30_000)) {
      throw new RangeError(`heartbeatMs: got ${heartbeatMs}; allowed: 1000 to 30000`);
    }
    if (!(entities in VIEWS)) throw new RangeError(`entities: got ${entities}; allowed: NONE, BASIC, FULL`);
    this.#options = options;
    this.#heartbeatMs = heartbeatMs;
    // A program that never asks for readiness is told by the events.
    this.#ready.promise.catch(() => {});
    const shared = new SharedValues();
    this.#followed = new FollowedPicture(heartbeatMs, {
      createPicture: () => new Picture({ ...DEFAULT_BOUNDS, ...options.bounds }, shared, entities !== 'NONE'),
      changed: (changes) => this.#tell('change', changes),
      reset: (reason, message) => this.#tell('reset', { reason, message }),
      synced: () => {
        // Those who wait for readiness, and listen then, are told of what comes after it.
        this.#tell('synced', { target: this.#target });
        this.#ready.resolve();
      },
    });
    const createMetadata = (): Metadata => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set('authorization', `Bearer ${token()}`);
      return metadata;
    };
    const { credentials = grpcCredentials.createInsecure(), random = Math.random } = options;
    this.#stream = new FeedStream(
      { targets, credentials, createMetadata, heartbeatMs, random },
      {
        request: () => this.#request(),
        frame: (bytes) => this.#followed.frame(bytes),
        connecting: (target) => (this.#target = target),
        ended: (_target, failure) => this.#ended(failure),
      },
    );
    this.#stream.start();
  }

  /** Resolves when the first picture is complete; rejects when the service refuses the request, or on `close`. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  on<Name extends keyof ReplicaEvents>(event: Name, listener: (...values: ReplicaEvents[Name]) => void): this {
    // EventEmitter's own type wants the listener of all events at once.
    this.#events.on(event, listener as never);
    return this;
  }

  off<Name extends keyof ReplicaEvents>(event: Name, listener: (...values: ReplicaEvents[Name]) => void): this {
    this.#events.off(event, listener as never);
    return this;
  }

  /** Who held the address. Throws a QuestionError. */
  resolve(question: ReplicaQuestion): Answer {
    const followed = this.#followed;
    const nowMs = followed.nowMs();
    const picture = followed.at(nowMs);
    const { podNetwork = '' } = question;
    const given = picture?.hasAddress(question.address) ? question.address : checkAddress(question.address);
    checkRest(question, nowMs);
    const address = networkAddress(given, podNetwork);
    if (picture === undefined) return unreadyAnswer();
    const { port, protocol, at, until } = question;
    return askPicture(
      picture,
      {
        address,
        // On a secondary network pods have addresses as a whole.
        ...(port === undefined || podNetwork !== '' ? {} : { port }),
        ...(protocol === undefined || podNetwork !== '' ? {} : { protocol }),
        ...(at === undefined ? {} : { atMs: at }),
        untilMs: until,
      },
      nowMs,
      followed.stalenessAt(nowMs),
    );
  }

  /**
   * `resolve` for a moment, without an object for the answer: what is found is written into `verdict`, which the caller
   * keeps and uses again. False: no picture is complete yet. The address has to be in canonical form, the other fields
   * have to be allowed.
   */
  look(
    question: { address: string; port?: number; protocol?: 'TCP' | 'UDP' | 'SCTP'; atMs?: number },
    verdict: Verdict<ReplicaHolder, 'HIDDEN'>,
  ): boolean {
    const nowMs = this.#followed.nowMs();
    const picture = this.#followed.at(nowMs);
    if (picture === undefined) return false;
    resolve(picture, question, nowMs, verdict);
    if (verdict.outcome === 'RESOLVED' && verdict.holders[0]?.isHidden === true) verdict.outcome = 'HIDDEN';
    return true;
  }

  /** Both ends of a flow, for all of its time. Throws a QuestionError. */
  resolveFlow(flow: {
    readonly source: Omit<ReplicaQuestion, 'at' | 'until'>;
    readonly destination: Omit<ReplicaQuestion, 'at' | 'until'>;
    readonly start: number;
    readonly end: number;
  }): { readonly source: Answer; readonly destination: Answer } {
    const { start: at, end: until } = flow;
    return {
      source: this.resolve({ ...flow.source, at, until }),
      destination: this.resolve({ ...flow.destination, at, until }),
    };
  }

  /** An object that is there; unset: it is not, or not known here. */
  byName(name: EntityName): ReplicaEntity | undefined {
    return this.#followed.picture?.entities.byName(name);
  }

  /** Also an object that is gone, as long as the history of an address names it. */
  byUid(uid: string): ReplicaEntity | undefined {
    return this.#followed.picture?.entities.byUid(uid);
  }

  /** How much the picture may be behind the cluster, ms; unset while all is followed, Infinity before it is complete. */
  get staleness(): number | undefined {
    return this.#followed.stalenessAt(this.#followed.nowMs());
  }

  /** How long ago the last frame came, or it was begun to ask for the first, ms. */
  get silentForMs(): number {
    return Date.now() - Math.max(this.#followed.heardAtMs, this.#begunAtMs);
  }

  /** The server that is followed, or tried. */
  get target(): string {
    return this.#target;
  }

  /** `digger.v1.Cluster` in its JSON form; unset: not known. */
  get cluster(): JsonObject | undefined {
    return this.#followed.cluster;
  }

  get use(): ReplicaUse {
    const { picture } = this.#followed;
    return {
      timelines: picture?.timelines ?? 0,
      entities: picture?.entities.size ?? 0,
      entityBytes: picture?.entities.bytes ?? 0,
      leftOutTimelines: picture?.leftOutTimelines ?? 0,
      cutTimelines: picture?.cutTimelines ?? 0,
      leftOutEntities: picture?.entities.leftOut ?? 0,
    };
  }

  /** Ends the stream. The last picture goes on answering, ever more doubtful. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close();
    this.#followed.fallBehind();
    this.#ready.reject(new Error('the replica was closed before its first picture was complete'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #request(): Record<string, unknown> {
    const { filter, entities = 'FULL' } = this.#options;
    const { token } = this.#followed;
    return {
      ...(filter === undefined ? {} : { filter }),
      view: VIEWS[entities],
      timelines: true,
      podNetworks: true,
      hiddenHolders: true,
      heartbeatInterval: { seconds: Math.floor(this.#heartbeatMs / 1_000), nanos: (this.#heartbeatMs % 1_000) * 1e6 },
      ...(token === undefined ? {} : { resumeToken: token }),
    };
  }

  /** Later, so that an error of a listener is the program's and not that of the stream. */
  #tell<Name extends keyof ReplicaEvents>(event: Name, ...values: ReplicaEvents[Name]): void {
    queueMicrotask(() => this.#events.emit(event, ...(values as never)));
  }

  #ended(failure: FeedFailure): void {
    this.#followed.fallBehind();
    if (failure.isFinal) this.#ready.reject(new Error(failure.message));
    this.#tell('failover', failure);
  }
}

/** Connects to a digger service. Throws a RangeError when an option is not allowed. */
export function connect(options: ReplicaOptions): Replica {
  return new Replica(options);
}
