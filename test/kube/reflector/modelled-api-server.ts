// An API server without sockets, for one reflector of pods, that takes every liberty which the protocol leaves.
//
// Answers as kube-apiserver does (src/simulator has the same over sockets, without the liberties). What the reflector
// asks is held against what it was told by request-account.ts.

import {
  type ApiRequest,
  type ApiResponse,
  type Transport,
  TransportError,
} from '../../../src/kube/transport/transport.ts';
import { createJsonEncoding, type Encoding, INITIAL_EVENTS_END } from '../../../src/simulator/server/encoding.ts';
import { loadProtobufSupport } from '../../../src/simulator/server/protobuf-encoding.ts';
import { BUILT_IN_RESOURCES, type Resource } from '../../../src/simulator/server/served-resources.ts';
import {
  type Status,
  statusForCode,
  tooLargeResourceVersion,
  tooOldResourceVersion,
} from '../../../src/simulator/server/error-status.ts';
import type { Random } from '../../random.ts';
import type { ModelledCluster, ModelledEvent } from './modelled-cluster.ts';
import { ModelledStream } from './modelled-stream.ts';
import { RequestAccount } from './request-account.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Instead of an answer. The numbers are HTTP codes; `'silence'` is a request that is accepted, and then nothing. */
export type Refusal = (typeof REFUSALS)[number];
export const REFUSALS = [
  ...([400, 401, 403, 404, 410, 422, 429, 500, 503] as const),
  ...(['too large', 'a page of a proxy', 'a list without items', 'no connection', 'silence'] as const),
];

/** How the server is at present. */
export interface Mood {
  readonly encoding: 'protobuf' | 'json';
  readonly streamedLists: 'served' | 'refused' | 'ignored' | 'never complete';
  /** Honours the limit at version "0" too. */
  readonly pagesAtZero: boolean;
  /** History is gone before the next page is asked for. */
  readonly forgetsPages: boolean;
  /** Lists that may be old are as old as they may be. */
  readonly lags: boolean;
  /**
   * Says ADDED for MODIFIED and the other way round, says things twice, and overlaps a streamed list with old events.
   */
  readonly sloppy: boolean;
  /**
   * Errors of a watch come as events behind a 200, as from kube-apiserver; else as statuses, as from what stands before
   * it.
   */
  readonly errorsAsEvents: boolean;
  /** Sends bookmarks; those that end a streamed list are sent in any case. */
  readonly bookmarks: boolean;
  /** Every page of a list goes on with the first. */
  readonly repeatsContinue: boolean;
  /** Connections are refused. */
  readonly down: boolean;
}

export const HEALTHY: Mood = {
  encoding: 'protobuf',
  streamedLists: 'served',
  pagesAtZero: false,
  forgetsPages: false,
  lags: false,
  sloppy: false,
  errorsAsEvents: true,
  bookmarks: true,
  repeatsContinue: false,
  down: false,
};

interface OpenWatch {
  readonly stream: ModelledStream;
  readonly encoding: Encoding;
  /** Events up to this one are left out. */
  readonly after: bigint;
  /** The initial events are complete; true from the start for an ordinary watch. */
  complete: boolean;
  /** Something was sent that ends it. */
  doomed: boolean;
}

/** Smaller than any limit, as a server may. */
const PAGE = 2;
/** The real server looks once a second whether the last bookmark of a streamed list is due. */
const INITIAL_EVENTS_MS = 1_000;
const BOOKMARK_INTERVAL_MS = 60_000;
const POD = BUILT_IN_RESOURCES.find(({ plural }) => plural === 'pods') as Resource;
const ENCODINGS = {
  json: createJsonEncoding(POD, false),
  protobuf: loadProtobufSupport().createEncoding(POD, false),
};

export class ModelledApiServer implements Transport {
  readonly cluster: ModelledCluster;
  readonly account: RequestAccount;
  mood: Mood = HEALTHY;
  /** What the next requests get. */
  readonly refusals: Refusal[] = [];
  readonly #clock: VirtualClock;
  readonly #random: Random;
  #historyBegin: bigint;
  #holding = false;
  /** Events that no watch can bring undamaged; lists show their objects as they should. */
  readonly #unreadable = new Set<bigint>();
  /** Every watch from one of these versions ends with an error. */
  readonly #poisoned = new Set<bigint>();
  #watch: OpenWatch | undefined;
  #list: ModelledStream | undefined;

  constructor(cluster: ModelledCluster, clock: VirtualClock, random: Random) {
    this.cluster = cluster;
    this.account = new RequestAccount(clock);
    this.#clock = clock;
    this.#random = random;
    this.#historyBegin = cluster.version;
  }

  /** An ordinary watch is open, and everything was sent, taken and used up. */
  get calm(): boolean {
    const watch = this.#watch;
    if (this.account.isLost) return false;
    return watch !== undefined && watch.complete && !watch.doomed && watch.stream.drained;
  }

  /** Tells the open watch of a change that was made in the cluster. */
  tell(event: ModelledEvent): void {
    const watch = this.#watch;
    if (watch === undefined || event.version <= watch.after) return;
    if (this.#unreadable.has(event.version)) return this.sendDamage();
    const { sloppy } = this.mood;
    const other = event.type === 'ADDED' ? 'MODIFIED' : 'ADDED';
    const type = event.type !== 'DELETED' && sloppy && this.#random.chance(0.3) ? other : event.type;
    for (let times = sloppy && this.#random.chance(0.3) ? 2 : 1; times > 0; times -= 1) {
      this.#send(watch, watch.encoding.frame({ type, object: event.object }), event.version);
    }
  }

  /** The next event will never come undamaged. */
  damageNext(): void {
    this.#unreadable.add(this.cluster.version + 1n);
  }

  /** No watch holds from the present version; a list shows a later one. */
  poison(): void {
    this.#poisoned.add(this.cluster.version);
    this.cluster.advance(1);
  }

  bookmark(): void {
    if (!this.mood.bookmarks) return;
    const watch = this.#watch;
    const { version } = this.cluster;
    // Not before the initial events are complete, and none for a version from the future.
    if (watch === undefined || !watch.complete || version < watch.after) return;
    const frame = watch.encoding.frame({ type: 'BOOKMARK', resourceVersion: String(version) });
    this.#send(watch, frame, version);
  }

  /** Watches and pages from before get 410, open ones go on. */
  compact(): void {
    this.cluster.advance(1);
    this.#historyBegin = this.cluster.version;
  }

  /** As a server that was restarted: everything is cut, and its watch cache begins at the present. */
  restart(how: 'end' | 'reset' = 'reset'): void {
    this.cut(how);
    this.#historyBegin = this.cluster.version;
  }

  /** As a server whose storage was put back to an older state: it knows the present of that, and nothing later. */
  restore(version: bigint, how: 'end' | 'reset'): void {
    this.cluster.restore(version);
    // What comes now under these versions is something else.
    this.#unreadable.clear();
    this.#poisoned.clear();
    this.restart(how);
  }

  cut(how: 'end' | 'reset' | 'half a frame'): void {
    const error = how === 'reset' ? new TransportError(new Error('reset')) : undefined;
    const watch = this.#watch;
    if (how === 'half a frame' && watch !== undefined) {
      watch.stream.release();
      const frame = watch.encoding.frame({ type: 'BOOKMARK', resourceVersion: '1' });
      watch.stream.holding = false;
      watch.stream.send({ bytes: frame.subarray(0, this.#random.between(1, frame.length - 1)), alone: true });
    }
    watch?.stream.cut(error);
    this.#list?.cut(error);
  }

  /** Into the open watch, which ends with it. */
  sendError(status: Status): void {
    const watch = this.#watch;
    if (watch === undefined || watch.stream.over) return;
    watch.doomed = true;
    const isList = !watch.complete;
    const onTaken = () => this.account.excuse(status, isList);
    watch.stream.send({ bytes: watch.encoding.frame({ type: 'ERROR', status }), alone: true, onTaken });
  }

  sendDamage(): void {
    const watch = this.#watch;
    if (watch === undefined) return;
    watch.doomed = true;
    watch.stream.send({ bytes: watch.encoding.corruptFrame() });
  }

  /** What is sent from now on stays on the way. */
  hold(): void {
    this.#holding = true;
    for (const stream of [this.#watch?.stream, this.#list]) if (stream !== undefined) stream.holding = true;
  }

  /** Some of it comes, or all. */
  release(pieces?: number): void {
    if (pieces === undefined) this.#holding = false;
    for (const stream of [this.#watch?.stream, this.#list]) {
      if (stream === undefined) continue;
      if (pieces === undefined) stream.holding = false;
      stream.release(pieces);
    }
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    const { encoding, streamedLists, bookmarks } = this.mood;
    this.mood = { ...HEALTHY, encoding, bookmarks, streamedLists: streamedLists === 'refused' ? 'refused' : 'served' };
    this.refusals.length = 0;
    this.release();
  }

  async request({ path, signal, onBegin }: ApiRequest): Promise<ApiResponse> {
    signal.throwIfAborted();
    onBegin?.();
    if (this.mood.down) throw new TransportError(new Error('connection refused'));
    const url = new URL(path, 'http://server');
    if (url.pathname === '/readyz') return respond(200, 'text/plain', this.#whole(Buffer.from('ok'), signal));
    const query = url.searchParams;
    // A request that makes a loop is never answered, so that the test ends.
    if (!this.account.enter(query)) return new Promise(() => {});
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return this.#refuse(refusal, query, signal);
    return query.get('watch') === 'true' ? this.#answerWatch(query, signal) : this.#answerList(query, signal);
  }

  async close(): Promise<void> {}

  #refuse(refusal: Refusal, query: URLSearchParams, signal: AbortSignal): Promise<ApiResponse> | ApiResponse {
    const tooLarge = tooLargeResourceVersion(BigInt(query.get('resourceVersion') ?? 0), this.cluster.version);
    switch (refusal) {
      case 'no connection':
        throw new TransportError(new Error('connection refused'));
      case 'silence':
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      case 'a list without items': {
        if (query.get('watch') === 'true') return this.#refuse('a page of a proxy', query, signal);
        const metadata = { resourceVersion: String(this.cluster.version) };
        const items = this.#random.pick([{}, { items: null }, { items: {} }, { items: [1] }]);
        const list = JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata, ...items });
        return respond(200, 'application/json', this.#whole(Buffer.from(list), signal));
      }
      case 'a page of a proxy':
        return respond(200, 'text/html', this.#whole(Buffer.from('<html>try again</html>'), signal));
      case 'too large': {
        // Three generations of servers say it in three ways.
        const causes = [{ reason: '', message: 'Too large resource version' }];
        const older = [
          tooLarge,
          { ...tooLarge, details: {} },
          { ...tooLarge, message: 'Timeout', details: { causes } },
        ];
        return this.#answerError(this.#random.pick(older), query, signal);
      }
      case 429:
        return this.#answerError(statusForCode(429, this.#random.between(0, 40)), query, signal);
      default:
        return this.#answerError(statusForCode(refusal), query, signal);
    }
  }

  #answerError(status: Status, query: URLSearchParams, signal: AbortSignal): ApiResponse {
    const encoding = ENCODINGS[this.mood.encoding];
    const isWatch = query.get('watch') === 'true';
    const isList = !isWatch || query.has('sendInitialEvents');
    if (isWatch && this.mood.errorsAsEvents && !BEFORE_THE_WATCH.has(status.code)) {
      const watch = this.#open(encoding, this.cluster.version, !isList, signal);
      this.sendError(status);
      watch.stream.finish();
      return respond(200, encoding.watchContentType, watch.stream);
    }
    this.account.excuse(status, isList);
    return respond(status.code, encoding.contentType, this.#whole(encoding.status(status), signal));
  }

  #answerList(query: URLSearchParams, signal: AbortSignal): ApiResponse {
    const encoding = ENCODINGS[this.mood.encoding];
    const [token, start = ''] = query.get('continue')?.split('/') ?? [];
    const limit = Number(query.get('limit') ?? 0);
    const asked = query.get('resourceVersion');
    let { version } = this.cluster;
    if (token !== undefined) {
      version = BigInt(token);
      if (this.mood.forgetsPages) this.compact();
      if (version < this.#historyBegin) return this.#answerError(statusForCode(410), query, signal);
    } else if (asked !== null) {
      // It was restored, so that what the reflector was told never happened; the answer says so.
      if (BigInt(asked) > version) this.account.isLost = true;
      if (BigInt(asked) > version)
        return this.#answerError(tooLargeResourceVersion(BigInt(asked), version), query, signal);
      if (this.mood.lags) version = BigInt(asked) > this.#historyBegin ? BigInt(asked) : this.#historyBegin;
    }
    const all = this.cluster.objectsAt(version).filter(({ metadata }) => metadata.name >= start);
    const isPaged = limit > 0 && (asked !== '0' || this.mood.pagesAtZero);
    const items = isPaged ? all.slice(0, PAGE) : all;
    const next = all[items.length]?.metadata.name;
    const more = next === undefined ? {} : { continue: `${version}/${this.mood.repeatsContinue ? '' : next}` };
    const list = this.#whole(encoding.list(items, { resourceVersion: String(version), ...more }), signal);
    this.#list = list;
    return respond(200, encoding.contentType, list);
  }

  #answerWatch(query: URLSearchParams, signal: AbortSignal): ApiResponse {
    const { streamedLists, encoding: name } = this.mood;
    const encoding = ENCODINGS[name];
    const asked = query.get('resourceVersion');
    const from = asked === null ? undefined : BigInt(asked);
    const now = this.cluster.version;
    const streamed = query.get('sendInitialEvents') === 'true';
    if (streamed && streamedLists === 'refused') return this.#answerError(statusForCode(422), query, signal);
    if (streamed && from !== undefined && from > now) {
      return this.#answerError(tooLargeResourceVersion(from, now), query, signal);
    }
    const initial = (streamed && streamedLists !== 'ignored') || from === undefined;
    if (!initial && from < this.#historyBegin) {
      return this.#answerError(tooOldResourceVersion(from, this.#historyBegin), query, signal);
    }
    if (!initial && from > now) this.account.problems.push(`a watch from ${from}, which the server has not reached`);
    if (!initial && this.#poisoned.has(from)) return this.#answerError(statusForCode(500), query, signal);
    const watch = this.#open(encoding, initial ? now : from, !streamed, signal);
    if (initial) this.#sendInitialEvents(watch, now);
    else for (const event of this.cluster.eventsAfter(from)) this.tell(event);
    if (streamed && streamedLists === 'served') {
      this.#clock.setTimer(() => this.#completeInitialEvents(watch), INITIAL_EVENTS_MS);
    }
    this.#sendBookmarks(watch);
    this.#clock.setTimer(() => watch.stream.finish(), Number(query.get('timeoutSeconds')) * 1000);
    return respond(200, encoding.watchContentType, watch.stream);
  }

  #sendInitialEvents(watch: OpenWatch, now: bigint): void {
    const objects = [...this.cluster.objectsAt(now)];
    if (this.mood.sloppy) objects.sort(() => this.#random.next() - 0.5);
    for (const object of objects) this.#send(watch, watch.encoding.frame({ type: 'ADDED', object }), now);
    if (!this.mood.sloppy) return;
    for (const { type, object } of this.cluster.lastEvents(3)) {
      this.#send(watch, watch.encoding.frame({ type, object }), now);
    }
  }

  #completeInitialEvents(watch: OpenWatch): void {
    if (watch !== this.#watch || watch.stream.over) return;
    const version = this.cluster.version;
    const bookmark = { type: 'BOOKMARK', resourceVersion: String(version) } as const;
    // Such a bookmark says nothing, as long as its value is not exactly this.
    const endsInitial = (value: string) =>
      watch.encoding.frame({ ...bookmark, annotations: { [INITIAL_EVENTS_END]: value } });
    if (this.mood.sloppy) this.#send(watch, endsInitial('false'), version);
    this.#send(watch, endsInitial('true'), version);
    watch.complete = true;
  }

  #open(encoding: Encoding, after: bigint, complete: boolean, signal: AbortSignal): OpenWatch {
    const stream = new ModelledStream(signal);
    stream.holding = this.#holding;
    this.#watch = { stream, encoding, after, complete, doomed: false };
    return this.#watch;
  }

  /** About once a minute, for as long as the watch is open. */
  #sendBookmarks(watch: OpenWatch): void {
    this.#clock.setTimer(() => {
      if (watch !== this.#watch || watch.stream.over) return;
      this.bookmark();
      this.#sendBookmarks(watch);
    }, BOOKMARK_INTERVAL_MS);
  }

  #send(watch: OpenWatch, frame: Buffer, version: bigint): void {
    const { complete } = watch;
    const pieces = this.#split(frame);
    for (const [index, bytes] of pieces.entries()) {
      const isLast = index === pieces.length - 1;
      if (isLast && complete) {
        const onTaken = () => this.account.offered(version);
        watch.stream.send({ bytes, onTaken, onUsed: () => this.account.told(version) });
      } else watch.stream.send({ bytes });
    }
  }

  /** A body that is complete from the start, unless something cuts it. */
  #whole(bytes: Buffer, signal: AbortSignal): ModelledStream {
    const stream = new ModelledStream(signal);
    stream.holding = this.#holding;
    for (const piece of this.#split(bytes)) stream.send({ bytes: piece });
    if (!this.#holding) stream.finish();
    else this.#clock.setTimer(() => stream.finish(), 1);
    return stream;
  }

  #split(bytes: Buffer): readonly Buffer[] {
    if (this.#random.chance(0.6)) return [bytes];
    const at = this.#random.between(1, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }
}

/** These are decided before a request is known to be a watch, and come as statuses always. */
const BEFORE_THE_WATCH: ReadonlySet<number> = new Set([400, 401, 403, 404, 422]);

function respond(status: number, contentType: string, body: AsyncIterable<Buffer>): ApiResponse {
  return {
    status,
    contentType: contentType.split(';')[0] ?? '',
    retryAfterMs: 0,
    body,
    lastHeardMs: Date.now,
    discard() {},
  };
}
