// Requests in, answers out: the HTTP face of the simulated cluster, without sockets of its own.
//
// GET only: objects are written through `Cluster`. Every request passes the same stations as in kube-apiserver:
// authentication, then path, then method, then content negotiation, then options; so a request with several faults gets
// the answer that the real server gives first. Open watches are bounded by `maxWatches`: one more gets 429.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { send, sendStatus } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { type Content, negotiate } from './content-negotiation.ts';
import { answerDiscovery } from './discovery-answers.ts';
import { createJsonEncoding, type Encoding } from './encoding.ts';
import type { Faults } from './faults.ts';
import { waitForVersion } from './future-version.ts';
import { answerList } from './list.ts';
import type { ProtobufSupport } from './protobuf-encoding.ts';
import {
  invalidResourceVersion,
  isAt,
  isWatch,
  type ListOptions,
  parseListOptions,
  parseResourcePath,
  parseResourceVersion,
  type ResourcePath,
  requestedName,
  requestVerb,
} from './request.ts';
import type { RequestLog, RequestVerb } from './request-log.ts';
import type { ResourceStore } from './resource-store.ts';
import { type Resource, resourceName } from './served-resources.ts';
import {
  createStatus,
  methodNotAllowed,
  notFound,
  StatusError,
  statusForCode,
  unknownResource,
  wrongForm,
} from './error-status.ts';
import { NOTHING, startOfWatch } from './watch-start.ts';
import { type WatchEnd, type WatchStart, WatchStream } from './watch.ts';

export interface ApiServerOptions {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly protobuf: ProtobufSupport;
  readonly random: () => number;
  readonly now: () => number;
  readonly maxWatches: number;
  readonly maxPendingEvents: number;
  readonly bookmarkIntervalMs: number;
  /** How long a request for a version from the future waits for it; 3 s in kube-apiserver. */
  readonly freshnessWaitMs: number;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #watches = new Set<WatchStream>();
  readonly #ended = new Map<WatchEnd, number>();
  readonly #held: (() => void)[] = [];
  #paused = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  get watches(): readonly WatchStream[] {
    return [...this.#watches];
  }

  /** Watches that ended, by reason. */
  get endedWatches(): ReadonlyMap<WatchEnd, number> {
    return this.#ended;
  }

  /** Sockets stay open and are accepted, and nothing more is answered on them. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on with everything that was held. */
  resume(): void {
    this.#paused = false;
    for (const release of this.#held.splice(0)) {
      release();
    }
    for (const watch of this.#watches) {
      watch.resume();
    }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const path = parseResourcePath(url.pathname);
    const verb = requestVerb(request.method, path, url.searchParams);
    const name = path === undefined ? url.pathname : requestedName(path);
    const accept = request.headers.accept ?? '*/*';
    const entry = {
      verb,
      resource: name,
      namespace: path?.namespace,
      name: path?.name,
      parameters: Object.fromEntries(url.searchParams),
      accept,
      timeMs: this.#options.now(),
      code: 0,
    };
    this.#options.requests.add(entry);
    response.on('error', () => response.destroy());
    response.once('close', () => {
      entry.code = response.headersSent ? response.statusCode : 0;
    });
    if (this.#paused) {
      await new Promise<void>((resolve) => {
        this.#held.push(resolve);
      });
    }
    try {
      await this.#answer(request, response, url, path, verb, name);
    } catch (error) {
      if (!(error instanceof StatusError)) {
        throw error;
      }
      sendStatus(response, error.status, this.#errorEncoding(accept));
    }
    entry.code = response.statusCode;
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    path: ResourcePath | undefined,
    verb: RequestVerb,
    name: string,
  ): Promise<void> {
    const { faults, cluster } = this.#options;
    const accept = request.headers.accept ?? '*/*';
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (faults.tokens !== undefined && !(token !== undefined && faults.tokens.includes(token))) {
      throw new StatusError(statusForCode(401));
    }
    const ordered = faults.takeAnswer(verb, name);
    if (ordered !== undefined) {
      const { order, status } = ordered;
      if (order.raw !== undefined) {
        send(response, order.code, order.raw.contentType, Buffer.from(order.raw.body));
      } else {
        sendStatus(response, { ...status, code: order.code }, this.#errorEncoding(accept), order.retryAfterSeconds);
      }
      return;
    }
    const served = this.#served();
    const found = path === undefined ? undefined : served.find(({ resource }) => isAt(resource, path));
    if (path === undefined || found === undefined) {
      this.#answerOther(request, response, url.pathname, served);
      return;
    }
    if (request.method !== 'GET') {
      throw new StatusError(methodNotAllowed());
    }
    const { resource } = found;
    const content = negotiate(accept, {
      full: faults.protobuf && this.#options.protobuf.covers(resource),
      metadata: faults.protobuf,
    });
    const encoding = this.#encoding(resource, content);
    if (path.name !== undefined) {
      const object = cluster.get(resourceName(resource), path.namespace, path.name);
      if (object === undefined) {
        throw new StatusError(notFound(resource.group, resource.plural, path.name));
      }
      if (content.listForm) {
        throw new StatusError(wrongForm(content.listForm, resource.kind));
      }
      send(response, 200, encoding.contentType, encoding.object(object));
      return;
    }
    const query = url.searchParams;
    if (faults.streamedLists === 'ignored' && isWatch(query)) {
      query.delete('sendInitialEvents');
      query.delete('resourceVersionMatch');
    }
    const options = parseListOptions(query, faults.streamedLists !== 'refused');
    if (content.metadataOnly && !content.listForm && !options.watch) {
      throw new StatusError(wrongForm(content.listForm, resource.kind));
    }
    const acceptsGzip = /\bgzip\b/.test(`${request.headers['accept-encoding'] ?? ''}`);
    const gzip = faults.gzip === 'always' || (faults.gzip === 'accepted' && acceptsGzip);
    if (options.watch) {
      await this.#watch(response, found, path.namespace, options, encoding, gzip, !content.listForm);
      return;
    }
    const { items, metadata } = await answerList(options, {
      cluster,
      store: found,
      namespace: path.namespace,
      pageAtZero: faults.pageAtZero,
      waitFor: (version) => this.#waitFor(version),
    });
    const body = encoding.list(items, metadata);
    const compressed = gzip && (faults.gzip === 'always' || body.length > MIN_GZIP_BYTES);
    send(response, 200, encoding.contentType, compressed ? gzipSync(body, { level: 1 }) : body, compressed);
  }

  /** Discovery and health, and the two ways in which a resource can be unknown. */
  #answerOther(
    request: IncomingMessage,
    response: ServerResponse,
    pathname: string,
    served: readonly ResourceStore[],
  ): void {
    const resources = served.map((store) => store.resource);
    const answer = answerDiscovery(pathname, resources);
    if (answer !== undefined) {
      if (request.method !== 'GET') {
        throw new StatusError(methodNotAllowed());
      }
      const text = answer.type === 'text' ? answer.body : JSON.stringify(answer.body);
      const contentType = answer.type === 'text' ? 'text/plain; charset=utf-8' : 'application/json';
      send(response, 200, contentType, Buffer.from(text));
      return;
    }
    // Below a group that exists, what is missing is a resource; elsewhere there is nothing but the mux.
    const group = /^\/api\/./.test(pathname) ? '' : /^\/apis\/([^/]+)/.exec(pathname)?.[1];
    if (resources.some((resource) => resource.group === group)) {
      throw new StatusError(unknownResource());
    }
    send(response, 404, 'text/plain; charset=utf-8', Buffer.from('404 page not found\n'));
  }

  async #watch(
    response: ServerResponse,
    store: ResourceStore,
    namespace: string | undefined,
    options: ListOptions,
    encoding: Encoding,
    gzip: boolean,
    objectsFit: boolean,
  ): Promise<void> {
    const { random, maxPendingEvents, bookmarkIntervalMs, faults, cluster } = this.#options;
    if (this.#watches.size >= this.#options.maxWatches) {
      throw new StatusError(statusForCode(429, 1));
    }
    const requested = parseResourceVersion(options.resourceVersion);
    if (requested === undefined) {
      throw new StatusError(createStatus(500, undefined, invalidResourceVersion(options.resourceVersion)));
    }
    const waitFor = (version: bigint): Promise<boolean> => this.#waitFor(version);
    const start = await startOfWatch(options, requested, { cluster, faults, store, namespace, waitFor });
    if (response.destroyed) {
      return;
    }
    const failed = 'code' in start ? start : undefined;
    // A watch without timeoutSeconds lasts 30 to 60 minutes (--min-request-timeout).
    const timeoutSeconds = options.timeoutSeconds ?? 0;
    const timeoutMs = 1000 * (timeoutSeconds > 0 ? timeoutSeconds : 1800 * (1 + random()));
    const watch = new WatchStream({
      store,
      namespace,
      name: options.name,
      encoding,
      response,
      start: failed === undefined ? (start as WatchStart) : NOTHING,
      objectsFit,
      gzip: gzip && (faults.gzip === 'always' || options.sendInitialEvents === true),
      timeoutMs,
      bookmarkIntervalMs: options.allowWatchBookmarks ? bookmarkIntervalMs : undefined,
      maxPendingEvents,
      bookmarkVersion: () => (faults.bookmarks ? cluster.resourceVersion : undefined),
      paused: () => this.#paused,
      onClose: (reason) => {
        this.#watches.delete(watch);
        this.#ended.set(reason, (this.#ended.get(reason) ?? 0) + 1);
      },
    });
    this.#watches.add(watch);
    watch.begin();
    if (failed !== undefined) {
      watch.sendError(failed);
    }
  }

  /** The stores of what is served at present. */
  #served(): readonly ResourceStore[] {
    const { cluster, faults } = this.#options;
    return cluster.stores.filter((store) => faults.endpointSlices || store.resource.plural !== 'endpointslices');
  }

  #encoding(resource: Resource, content: Content): Encoding {
    return content.mediaType === 'application/json'
      ? createJsonEncoding(resource, content.metadataOnly)
      : this.#options.protobuf.createEncoding(resource, content.metadataOnly);
  }

  /** Errors are encoded by Accept too, and as JSON where that fails. */
  #errorEncoding(accept: string): Encoding {
    const supported = this.#options.faults.protobuf && /^\s*application\/vnd\.kubernetes\.protobuf/.test(accept);
    return supported
      ? this.#options.protobuf.createEncoding(ANY_RESOURCE, true)
      : createJsonEncoding(ANY_RESOURCE, true);
  }

  #waitFor(resourceVersion: bigint): Promise<boolean> {
    return waitForVersion(this.#options.cluster, resourceVersion, this.#options.freshnessWaitMs);
  }
}

/** Lists below this are not worth compressing (defaultGzipThresholdBytes of kube-apiserver). */
const MIN_GZIP_BYTES = 128 * 1024;

/** Only its Status is ever encoded. */
const ANY_RESOURCE: Resource = { group: '', version: 'v1', plural: '', kind: '', namespaced: false, custom: false };
