// A copy of what a digger service knows of addresses, in the process that asks: answers are synchronous, and are what
// the service would say.
//
// One stream feeds it; while a server is away, another one is looked for and the last picture answers on, as doubtful
// as it is old. A server that cannot tell what changed sends everything anew: a second picture is built beside the one
// that answers, and takes its place when it is complete.

import { EventEmitter } from 'node:events';
import { type ChannelCredentials, credentials as grpcCredentials, Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { decodeToJson, type JsonObject } from '../wire/proto-json.ts';
import { messageType } from '../wire/schema.ts';
import { resolve, type Verdict } from '../timelines/resolve.ts';
import { type Answer, unreadyAnswer } from './answer.ts';
import { askPicture } from './ask-picture.ts';
import type { EntityName, ReplicaEntity } from './entity-store.ts';
import { FeedStream, type FeedFailure, type FrameEffect } from './feed-stream.ts';
import { eachField, fieldNumbers, messageEnd, readMs } from './message-fields.ts';
import { type FrameChanges, Picture, type PictureBounds } from './picture.ts';
import { networkAddress } from '../model/pod-networks.ts';
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

const FRAME = fieldNumbers('digger.v1.WatchResponse', [
  'reset',
  'changes',
  'synced',
  'progress',
  'resumeToken',
  'cluster',
]);
/** A heartbeat may come a little late; see rule 11 of timeline.proto. */
const HEARTBEATS_OF_SILENCE = 1.5;
const PROGRESS = fieldNumbers('digger.v1.Progress', ['serverTime', 'closing']);
const RESET = messageType('digger.v1.Reset');
const TIMESTAMP = fieldNumbers('google.protobuf.Timestamp', ['seconds', 'nanos']);
const VIEWS = { NONE: 'VIEW_BASIC', BASIC: 'VIEW_BASIC', FULL: 'VIEW_FULL' } as const;

/** A picture and how far it came. */
interface Copy {
  readonly picture: Picture;
  token: Buffer | undefined;
}

export class Replica {
  readonly #events = new EventEmitter<ReplicaEvents>();
  readonly #options: ReplicaOptions;
  readonly #heartbeatMs: number;
  readonly #shared = new SharedValues();
  readonly #stream: FeedStream;
  readonly #ready = Promise.withResolvers<void>();
  /** Answers. */
  #current: Copy | undefined;
  /** Is not complete. */
  #next: Copy | undefined;
  #target = '';
  readonly #begunAtMs = Date.now();
  /** By this machine's clock. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** The picture that answers is not followed, since then. */
  #behindSinceMs: number | undefined;
  /** What the server's clock is ahead of this machine's. */
  #clockOffsetMs = 0;
  #cluster: JsonObject | undefined;
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
        frame: (bytes) => this.#frame(bytes),
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
    const current = this.#current;
    const nowMs = this.#nowMs();
    const { podNetwork = '' } = question;
    const given = current?.picture.hasAddress(question.address) ? question.address : checkAddress(question.address);
    checkRest(question, nowMs);
    const address = networkAddress(given, podNetwork);
    if (current === undefined) return unreadyAnswer();
    const { picture } = current;
    this.#tellBlindness(picture, nowMs);
    const staleness = this.#stalenessAt(nowMs);
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
      staleness,
    );
  }

  /**
   * `resolve` for a moment, without an object for the answer: what is found is written into `verdict`, which the caller
   * keeps and uses again. False: no picture is complete yet. The address has to be in canonical form, the other fields
   * have to be allowed.
   */
  look(
    question: { address: string; port?: number; protocol?: 'TCP' | 'UDP' | 'SCTP'; atMs?: number },
    verdict: Verdict<ReplicaHolder>,
  ): boolean {
    const current = this.#current;
    if (current === undefined) return false;
    const nowMs = this.#nowMs();
    this.#tellBlindness(current.picture, nowMs);
    resolve(current.picture, question, nowMs, verdict);
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
    return this.#current?.picture.entities.byName(name);
  }

  /** Also an object that is gone, as long as the history of an address names it. */
  byUid(uid: string): ReplicaEntity | undefined {
    return this.#current?.picture.entities.byUid(uid);
  }

  /** How much the picture may be behind the cluster, ms; unset while all is followed, Infinity before it is complete. */
  get staleness(): number | undefined {
    return this.#current === undefined ? Number.POSITIVE_INFINITY : this.#stalenessAt(this.#nowMs());
  }

  /** How long ago the last frame came, or it was begun to ask for the first, ms. */
  get silentForMs(): number {
    return Date.now() - Math.max(this.#heardAtMs, this.#begunAtMs);
  }

  /** The server that is followed, or tried. */
  get target(): string {
    return this.#target;
  }

  /** `digger.v1.Cluster` in its JSON form; unset: not known. */
  get cluster(): JsonObject | undefined {
    return this.#cluster;
  }

  get use(): ReplicaUse {
    const picture = this.#current?.picture;
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
    this.#fallBehind();
    this.#ready.reject(new Error('the replica was closed before its first picture was complete'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #request(): Record<string, unknown> {
    const { filter, entities = 'FULL' } = this.#options;
    const token = (this.#next ?? this.#current)?.token;
    return {
      ...(filter === undefined ? {} : { filter }),
      view: VIEWS[entities],
      timelines: true,
      podNetworks: true,
      heartbeatInterval: { seconds: Math.floor(this.#heartbeatMs / 1_000), nanos: (this.#heartbeatMs % 1_000) * 1e6 },
      ...(token === undefined ? {} : { resumeToken: token }),
    };
  }

  /** One `digger.v1.WatchResponse`. */
  #frame(bytes: Buffer): FrameEffect {
    const reader = protobuf.Reader.create(bytes);
    let effect: FrameEffect = 'goes-on';
    let token: Buffer | undefined;
    let changed: FrameChanges | undefined;
    let isSynced = false;
    eachField(reader, reader.len, (field) => {
      switch (field) {
        case FRAME.reset: {
          const reset = RESET.decode(reader, reader.uint32()) as unknown as { reason: number; message: string };
          this.#next = { picture: this.#newPicture(), token: undefined };
          this.#fallBehind();
          const reason = RESET.lookupEnum('ResetReason').valuesById[reset.reason] ?? String(reset.reason);
          this.#tell('reset', { reason: reason.replace('RESET_REASON_', ''), message: reset.message });
          return true;
        }
        case FRAME.changes: {
          const end = messageEnd(reader);
          const { picture } = this.#copy();
          changed = picture.apply(bytes.subarray(reader.pos, end));
          reader.pos = end;
          return true;
        }
        case FRAME.synced:
          reader.skipType(2);
          isSynced = true;
          return true;
        case FRAME.progress:
          if (this.#progress(reader, messageEnd(reader))) effect = 'closing';
          return true;
        case FRAME.cluster:
          this.#cluster = withoutEmpty(decodeToJson('digger.v1.Cluster', reader.bytes()));
          return true;
        case FRAME.resumeToken:
          token = Buffer.from(reader.bytes());
          return true;
        default:
          return false;
      }
    });
    this.#heardAtMs = Date.now();
    const copy = this.#next ?? this.#current;
    if (token !== undefined && copy !== undefined) copy.token = token;
    const isVisible = this.#next === undefined;
    if (isSynced) this.#synced();
    if (changed !== undefined && isVisible) this.#tell('change', changed);
    return isSynced ? 'synced' : effect;
  }

  /** Later, so that an error of a listener is the program's and not that of the stream. */
  #tell<Name extends keyof ReplicaEvents>(event: Name, ...values: ReplicaEvents[Name]): void {
    queueMicrotask(() => this.#events.emit(event, ...(values as never)));
  }

  #copy(): Copy {
    const copy = this.#next ?? this.#current;
    if (copy === undefined) throw new Error('changes before the first Reset');
    return copy;
  }

  #newPicture(): Picture {
    const { entities, bounds } = this.#options;
    return new Picture({ ...DEFAULT_BOUNDS, ...bounds }, this.#shared, entities !== 'NONE');
  }

  #synced(): void {
    // An older server takes no notice of the wish for timelines.
    if (!this.#copy().picture.hasFacts) throw new Error('the server sends no timelines: it is older than this client');
    if (this.#next !== undefined) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    this.#behindSinceMs = undefined;
    // Those who wait for readiness, and listen then, are told of what comes after it.
    this.#tell('synced', { target: this.#target });
    this.#ready.resolve();
  }

  /** Whether the server is about to close the stream. */
  #progress(reader: protobuf.Reader, end: number): boolean {
    let isClosing = false;
    eachField(reader, end, (field) => {
      if (field === PROGRESS.closing) isClosing = reader.bool();
      else if (field === PROGRESS.serverTime) {
        let ms = 0;
        eachField(reader, messageEnd(reader), (part) => {
          if (part === TIMESTAMP.seconds) ms += readMs(reader) * 1_000;
          else if (part === TIMESTAMP.nanos) ms += reader.int32() / 1e6;
          else return false;
          return true;
        });
        this.#clockOffsetMs = ms - Date.now();
      } else return false;
      return true;
    });
    return isClosing;
  }

  #ended(failure: FeedFailure): void {
    this.#fallBehind();
    if (failure.isFinal) this.#ready.reject(new Error(failure.message));
    this.#tell('failover', failure);
  }

  /** The picture that answers is followed no more. */
  #fallBehind(): void {
    this.#behindSinceMs ??= this.#heardAtMs;
  }

  /** By the server's clock, as timelines are. */
  #nowMs(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Rule 11. */
  #tellBlindness(picture: Picture, nowMs: number): void {
    picture.setBlindSince(this.#unheardSinceMs(nowMs));
  }

  /** By the server's clock. */
  #unheardSinceMs(nowMs: number): number | undefined {
    const heardAtMs = this.#behindSinceMs ?? this.#heardAtMs;
    const sinceMs = heardAtMs + this.#clockOffsetMs;
    // A stream that is up may be silent for a heartbeat, and one that comes a little late is no gap; a stream that is
    // down is missed as soon.
    return nowMs - sinceMs > this.#heartbeatMs * HEARTBEATS_OF_SILENCE ? sinceMs : undefined;
  }

  #stalenessAt(nowMs: number): number | undefined {
    const since = [this.#current?.picture.serverBlindSinceMs, this.#unheardSinceMs(nowMs)].filter(
      (ms) => ms !== undefined,
    );
    return since.length === 0 ? undefined : Math.max(0, nowMs - Math.min(...since));
  }
}

/** Text that is sent although it is empty says as little as text that is not sent. */
function withoutEmpty(message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ''));
}

/** Connects to a digger service. Throws a RangeError when an option is not allowed. */
export function connect(options: ReplicaOptions): Replica {
  return new Replica(options);
}
