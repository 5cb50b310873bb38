// List and watch requests of one resource: query parameters, and answers turned into records and events.
//
// Knows the rules of single requests (which parameter goes with which); what to ask for next is the reflector's.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { type ApiStatus, parseStatusBody } from '../decoding/api-status.ts';
import { ApiError } from './failure.ts';
import { createListBody, type Encoding, type ListMeta } from '../decoding/list-body.ts';
import { acceptHeader, collectionPath, nameSelector, type ResourceDescriptor } from '../resources.ts';
import type { ApiRequest, ApiResponse, Transport } from '../transport/transport.ts';
import { createWatchBody, type WatchEvent } from '../decoding/watch-body.ts';
import { WireError } from '../wire-error.ts';

export interface ListQuery {
  /** `''`: the most recent (a quorum read); `'0'`: whatever the server has at hand; else at least this. */
  readonly resourceVersion: string;
  /** Objects a page; 0: no limit. */
  readonly limit: number;
  /** Next page: then resourceVersion does not travel. `''`: first page. */
  readonly continueToken: string;
}

export interface WatchQuery {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  /** Begin with the whole state as ADDED events, ended by a bookmark (KEP-3157). */
  readonly sendInitialEvents: boolean;
}

export interface RequestContext<R extends KubernetesRecord> {
  readonly transport: Transport;
  readonly resource: ResourceDescriptor<R>;
  readonly namespace: string | undefined;
  /** Asked for first. Default: protobuf, which is decoded several times faster. */
  readonly encoding?: Encoding | undefined;
  readonly signal: AbortSignal;
  /** Called for the headers and for every piece of the body: the server is there. */
  readonly onContact: () => void;
  /** Asked after each slice of a body; unset: never pause. */
  readonly pace?: Pace | undefined;
}

/** Keeps long lists from holding the event loop: others have their turn between two pieces of a body. */
export interface Pace {
  /** This turn has been used for long enough. */
  due(): boolean;
  /** The next turn. */
  pause(): Promise<void>;
}

/** Hands over the objects of one page. Rejects with what failure.ts classifies; then some may have been handed over. */
export async function requestList<R extends KubernetesRecord>(
  context: RequestContext<R>,
  query: ListQuery,
  onItem: (record: R) => void,
): Promise<ListMeta> {
  const { resource } = context;
  const parameters = new URLSearchParams();
  if (query.limit > 0) parameters.set('limit', String(query.limit));
  if (query.continueToken !== '') parameters.set('continue', query.continueToken);
  else if (query.resourceVersion !== '') {
    parameters.set('resourceVersion', query.resourceVersion);
    // A limit would turn a version into "exactly", which an old version cannot satisfy for long.
    if (query.limit > 0 && query.resourceVersion !== '0') parameters.set('resourceVersionMatch', 'NotOlderThan');
  }
  const accept = acceptHeader(resource, 'list', context.encoding);
  const response = await send(context, parameters, { accept, gzip: true }, `list ${resource.resource}`);
  const body = createListBody(encodingOf(response), resource.decoder, (item) => onItem(item.record));
  for await (const chunk of response.body) {
    context.onContact();
    for (const slice of slicesOf(chunk)) {
      body.push(slice);
      if (context.pace?.due()) await context.pace.pause();
    }
  }
  return body.end();
}

/** A watch that the server accepted. */
export interface OpenWatch<R extends KubernetesRecord> {
  /** Ends when the server ends it; rejects with what failure.ts classifies. */
  readonly events: AsyncIterable<readonly WatchEvent<R>[]>;
  /** When anything last arrived on its connection, ms since the epoch. */
  readonly lastHeardMs: () => number;
}

/** Resolves when the server accepted the watch. */
export async function requestWatch<R extends KubernetesRecord>(
  context: RequestContext<R>,
  query: WatchQuery,
): Promise<OpenWatch<R>> {
  const { resource } = context;
  const parameters = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true' });
  if (query.resourceVersion !== '') parameters.set('resourceVersion', query.resourceVersion);
  parameters.set('timeoutSeconds', String(query.timeoutSeconds));
  if (query.sendInitialEvents) {
    parameters.set('sendInitialEvents', 'true');
    parameters.set('resourceVersionMatch', 'NotOlderThan');
  }
  const accept = acceptHeader(resource, 'watch', context.encoding);
  // The server compresses no other watch, and what stands before it could hold events back by doing so.
  const gzip = query.sendInitialEvents;
  const response = await send(context, parameters, { accept, gzip }, `watch ${resource.resource}`);
  const body = createWatchBody(encodingOf(response), resource.decoder);
  const events = (async function* () {
    for await (const chunk of response.body) {
      context.onContact();
      for (const slice of slicesOf(chunk)) {
        const complete = body.push(slice);
        if (complete.length > 0) yield complete;
        if (context.pace?.due()) await context.pace.pause();
      }
    }
    body.end();
  })();
  return { events, lastHeardMs: () => response.lastHeardMs() };
}

/**
 * Decoded and applied without looking at the pace: some 50 objects that are small, and half a millisecond once the code
 * is warm. A piece of a body may be a quarter of a megabyte.
 */
const SLICE_BYTES = 16 * 1024;

function* slicesOf(piece: Buffer): Generator<Buffer> {
  for (let at = 0; at < piece.length; at += SLICE_BYTES) yield piece.subarray(at, at + SLICE_BYTES);
}

/** Error bodies are small; whatever is longer is not a Status. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

async function send<R extends KubernetesRecord>(
  context: RequestContext<R>,
  parameters: URLSearchParams,
  form: Pick<ApiRequest, 'accept' | 'gzip'>,
  what: string,
): Promise<ApiResponse> {
  const selector = nameSelector(context.resource, context.namespace);
  if (selector !== undefined) parameters.set('fieldSelector', selector);
  const path = `${collectionPath(context.resource, context.namespace)}?${parameters}`;
  const response = await context.transport.request({ path, ...form, signal: context.signal });
  context.onContact();
  if (response.status === 200) return response;
  const parsed = parseStatusBody(await readErrorBody(response), response.status, response.redirect);
  response.discard();
  const status: ApiStatus = {
    ...parsed,
    // The status line decides, whatever a body says.
    code: response.status,
    retryAfterMs: Math.max(parsed.retryAfterMs, response.retryAfterMs),
  };
  throw new ApiError(status, what);
}

async function readErrorBody({ body }: ApiResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ERROR_BODY_BYTES) break;
    }
  } catch (error) {
    // The status line has said what matters; a body that cannot be read only explains less.
    if (!(error instanceof WireError)) throw error;
  }
  return Buffer.concat(chunks);
}

/** Throws a WireError, and lets the answer go, when it is not a list or watch, e.g. a login page. */
function encodingOf(response: ApiResponse): Encoding {
  // Watches have ";stream=watch" behind it, partial metadata ";as=…": parameters are cut off by the transport.
  switch (response.contentType) {
    case 'application/vnd.kubernetes.protobuf':
      return 'protobuf';
    case 'application/json':
      return 'json';
    default:
      // What opened an endless body has to close it: the next round would open another beside it.
      response.discard();
      throw new WireError(`the server answered with the content type ${JSON.stringify(response.contentType)}`);
  }
}
