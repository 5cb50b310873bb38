// An API server that answers list, watch and readiness probes over plain HTTP/2 and HTTP/1.1, well or badly, as it is
// told.
//
// Two kinds of misbehaviour. One hits requests by chance or on order and is over with them (a page of HTML, an endless
// `continue`, a list without items, silence, …). The other sticks to a version: a poisoned event cannot be decoded
// however often it is sent, and a cursed version gets the same server error from every watch. A list passes over both.
//
// `report` tells what it knows of the client: requests under way, and what was asked for.

import { createServer as createHttp1Server, type IncomingMessage } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createJsonEncoding, type Encoding, INITIAL_EVENTS_END } from '../../../src/simulator/server/encoding.ts';
import { statusForCode, tooOldResourceVersion } from '../../../src/simulator/server/error-status.ts';
import { loadProtobufSupport } from '../../../src/simulator/server/protobuf-encoding.ts';
import { BUILT_IN_RESOURCES } from '../../../src/simulator/server/served-resources.ts';
import { createRandom, type Random } from '../../random.ts';
import { ClusterModel, type ModelEvent, SERVED } from './cluster-model.ts';
import { canHit, type Misbehaviour, misbehave, refuse, type Response, send } from './misbehaviours.ts';

export interface Report {
  /** Plural → state, as cluster-model.ts says it. */
  readonly states: Readonly<Record<string, readonly string[]>>;
  /** Answers that have not ended, as the server sees them. */
  readonly underWay: number;
  readonly requests: number;
  /** Lists begun, those that are streamed left out. */
  readonly lists: number;
  /** Pages that were asked for with a `continue`. */
  readonly pages: number;
  readonly misbehaved: Readonly<Record<string, number>>;
  /** Orders that no request has got yet. */
  readonly ordered: number;
}

type Request = IncomingMessage | Http2ServerRequest;

interface OpenWatch {
  readonly plural: string;
  readonly encoding: Encoding;
  readonly response: Response;
  /** An ERROR or damage was sent: nothing that follows counts. */
  doomed: boolean;
}

/** Well below the minute of the real one, so that a bookmark is seen between two faults. */
const BOOKMARK_MS = 1_000;
const PAGE = 3;

export class MisbehavingApiServer {
  readonly cluster = new ClusterModel();
  readonly #random: Random;
  readonly #encodings = new Map<string, Encoding>();
  readonly #http2 = createHttp2Server();
  readonly #http1 = createHttp1Server();
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  /** With the port from which they were asked for. */
  readonly #underWay = new Map<Response, number>();
  /** Accepted, and never answered. */
  readonly #unanswered = new Set<Response>();
  readonly #bookmarks = setInterval(() => this.#sendBookmarks(), BOOKMARK_MS);
  #ordered: Misbehaviour[] = [];
  #orderedForLists: Misbehaviour[] = [];
  #kinds: readonly Misbehaviour[] = [];
  #chance = 0;
  /** The page that follows `continue=again` is the same page. */
  #isEndless = false;
  /** Plural → watches from this version or an older one get an error. */
  readonly #cursed = new Map<string, number>();
  #encodingName: 'protobuf' | 'json' = 'protobuf';
  #streamsLists = true;
  #requests = 0;
  #lists = 0;
  #pages = 0;
  readonly #misbehaved = new Map<string, number>();

  constructor(seed: number) {
    this.#random = createRandom(seed);
    const protobuf = loadProtobufSupport();
    for (const resource of BUILT_IN_RESOURCES.filter(({ plural }) => SERVED[plural] !== undefined)) {
      for (const partial of [false, true]) {
        // Owners are read as metadata only, so the schema has no message of their own.
        if (!partial && resource.plural === 'replicasets') continue;
        this.#encodings.set(`json ${resource.plural} ${partial}`, createJsonEncoding(resource, partial));
        this.#encodings.set(`protobuf ${resource.plural} ${partial}`, protobuf.createEncoding(resource, partial));
      }
    }
    for (const server of [this.#http1, this.#http2]) {
      server.on('request', (request: Request, response: Response) => this.#handle(request, response));
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
    }
    this.#http1.keepAliveTimeout = 60_000;
    // A client may break a session in any way.
    this.#http2.on('sessionError', () => {});
    this.#http1.on('clientError', (_error, socket) => socket.destroy());
  }

  async listen(): Promise<Readonly<Record<'h2' | 'http/1.1', number>>> {
    for (const server of [this.#http1, this.#http2]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    const portOf = (address: AddressInfo | string | null) => (address as AddressInfo).port;
    return { h2: portOf(this.#http2.address()), 'http/1.1': portOf(this.#http1.address()) };
  }

  close(): void {
    clearInterval(this.#bookmarks);
    this.cutAll();
    this.#http1.close();
    this.#http2.close();
  }

  /** As a server that was restarted: connections are gone, and so is its history. */
  restart(): void {
    this.cluster.forget();
    this.cutAll();
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  put(plural: string, name: string, poisoned = false): void {
    this.#tell(plural, this.cluster.put(plural, name, poisoned));
  }

  remove(plural: string, name: string): void {
    const event = this.cluster.remove(plural, name);
    if (event !== undefined) this.#tell(plural, event);
  }

  /** Watches from here or from before get a server error, until the client goes on from a later version. */
  curse(plural: string): void {
    this.#cursed.set(plural, this.cluster.version);
    this.endWatch(plural);
    this.cluster.put(plural, 'behind-the-curse');
  }

  /** The next requests get this. */
  order(misbehaviour: Misbehaviour, times: number): void {
    for (let left = times; left > 0; left -= 1) this.#ordered.push(misbehaviour);
  }

  /** The next lists get this. */
  orderLists(misbehaviour: Misbehaviour, times: number): void {
    for (let left = times; left > 0; left -= 1) this.#orderedForLists.push(misbehaviour);
  }

  misbehave(chance: number, kinds: readonly Misbehaviour[]): void {
    this.#chance = chance;
    this.#kinds = kinds;
  }

  speak(encoding: 'protobuf' | 'json', streamsLists: boolean): void {
    this.#encodingName = encoding;
    this.#streamsLists = streamsLists;
  }

  endWatch(plural: string): void {
    for (const watch of this.#watches) if (watch.plural === plural) watch.response.end();
  }

  /** The server ends watches, as it may at any time. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** From now on requests are answered well. Poisoned events and cursed versions stay, and so does what was begun. */
  heal(): void {
    this.#chance = 0;
    this.#ordered = [];
    this.#orderedForLists = [];
    this.#isEndless = false;
    for (const response of this.#unanswered) refuse(response, 503);
    this.#unanswered.clear();
  }

  /** `hiddenPorts`: of connections whose end the other side was not told of. */
  report(hiddenPorts: ReadonlySet<number>): Report {
    return {
      states: Object.fromEntries(Object.keys(SERVED).map((plural) => [plural, this.cluster.state(plural)])),
      underWay: [...this.#underWay.values()].filter((port) => !hiddenPorts.has(port)).length,
      ...{ requests: this.#requests, lists: this.#lists, pages: this.#pages },
      misbehaved: Object.fromEntries(this.#misbehaved),
      ordered: this.#ordered.length + this.#orderedForLists.length,
    };
  }

  #handle(request: Request, response: Response): void {
    const url = new URL(request.url ?? '/', 'http://server');
    this.#requests += 1;
    this.#underWay.set(response, request.socket.remotePort ?? 0);
    response.once('close', () => {
      this.#underWay.delete(response);
      this.#unanswered.delete(response);
    });
    response.on('error', () => {});
    request.on('error', () => {});
    const plural = url.pathname.split('/').at(-1) ?? '';
    if (plural === 'readyz') {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('ok');
      return;
    }
    const partial = String(request.headers['accept']).includes('as=PartialObjectMetadata');
    const encoding = this.#encodings.get(`${this.#encodingName} ${plural} ${partial}`);
    if (encoding === undefined || SERVED[plural] === undefined) return refuse(response, 404);
    const isWatch = url.searchParams.get('watch') === 'true';
    // Of one object, before a watch goes on: nothing of it is used.
    const isCheck = url.searchParams.get('limit') === '1';
    if (url.searchParams.has('continue')) this.#pages += 1;
    else if (!isWatch && !isCheck) this.#lists += 1;
    const misbehaviour: Misbehaviour | undefined =
      (this.#isEndless && url.searchParams.get('continue') === 'again' ? 'endless continue' : undefined) ??
      (isWatch || isCheck ? undefined : this.#orderedForLists.shift()) ??
      this.#ordered.shift() ??
      (this.#random.chance(this.#chance) ? this.#random.pick(this.#kinds) : undefined);
    if (misbehaviour !== undefined && canHit(misbehaviour, isWatch)) {
      this.#misbehaved.set(misbehaviour, (this.#misbehaved.get(misbehaviour) ?? 0) + 1);
      // Its next page is no better.
      if (misbehaviour === 'endless continue') this.#isEndless = true;
      // A bookmark of a later version would say that nothing was missed.
      const asked = isWatch ? url.searchParams.get('resourceVersion') : null;
      const [objects, resourceVersion] = [this.cluster.objects(plural), asked ?? String(this.cluster.version)];
      const [random, unanswered] = [this.#random, this.#unanswered];
      misbehave(misbehaviour, { plural, encoding, response, isWatch, objects, resourceVersion, random, unanswered });
      return;
    }
    if (isWatch) this.#watch(plural, encoding, url.searchParams, response);
    else this.#list(plural, encoding, url.searchParams, response);
  }

  #list(plural: string, encoding: Encoding, query: URLSearchParams, response: Response): void {
    const [token, start = ''] = query.get('continue')?.split('/') ?? [];
    if (token !== undefined && token !== String(this.cluster.version)) return refuse(response, 410);
    const asked = query.get('resourceVersion');
    const isPaged = query.has('limit') && asked !== '0';
    const all = this.cluster.objects(plural).filter(({ metadata }) => metadata.name >= start);
    const items = isPaged ? all.slice(0, PAGE) : all;
    const next = all[items.length]?.metadata.name;
    const version = String(this.cluster.version);
    const more = next === undefined ? {} : { continue: `${version}/${next}` };
    send(response, encoding.contentType, encoding.list(items, { resourceVersion: version, ...more }));
  }

  #watch(plural: string, encoding: Encoding, query: URLSearchParams, response: Response): void {
    const isStreamed = query.get('sendInitialEvents') === 'true';
    if (isStreamed && !this.#streamsLists) return refuse(response, 422);
    const from = Number(query.get('resourceVersion') ?? 0);
    const cursed = this.#cursed.get(plural);
    response.writeHead(200, { 'content-type': encoding.watchContentType });
    const write = (frame: Buffer) => response.write(frame);
    const missed = this.cluster.eventsAfter(plural, from);
    if (!isStreamed && cursed !== undefined && from <= cursed) {
      response.end(encoding.frame({ type: 'ERROR', status: statusForCode(500) }));
      return;
    }
    if (!isStreamed && missed === undefined) {
      response.end(encoding.frame({ type: 'ERROR', status: tooOldResourceVersion(BigInt(from), 0n) }));
      return;
    }
    const watch: OpenWatch = { plural, encoding, response, doomed: false };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
    if (!isStreamed) {
      for (const event of missed ?? []) this.#sendEvent(watch, event);
      return;
    }
    for (const object of this.cluster.objects(plural)) write(encoding.frame({ type: 'ADDED', object }));
    const annotations = { [INITIAL_EVENTS_END]: 'true' };
    write(encoding.frame({ type: 'BOOKMARK', resourceVersion: String(this.cluster.version), annotations }));
  }

  #tell(plural: string, event: ModelEvent): void {
    for (const watch of this.#watches) if (watch.plural === plural) this.#sendEvent(watch, event);
  }

  #sendEvent(watch: OpenWatch, { type, object, poisoned }: ModelEvent): void {
    const { response, encoding } = watch;
    if (watch.doomed || !response.writable) return;
    if (poisoned) watch.doomed = true;
    response.write(poisoned ? encoding.corruptFrame() : encoding.frame({ type, object }));
  }

  #sendBookmarks(): void {
    const resourceVersion = String(this.cluster.version);
    for (const { response, encoding, doomed } of this.#watches) {
      if (!doomed && response.writable) response.write(encoding.frame({ type: 'BOOKMARK', resourceVersion }));
    }
  }
}
