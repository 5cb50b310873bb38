// ChangeFeedService.Watch: checks a subscription's request, opens it at the feed, and carries frames to the stream.
//
// Frames are bytes already and go out as they are, one at a time: the feed gets the next turn of this subscriber when
// grpc-js has handed the last frame on, which it does as fast as the other side takes them. The end is a status, and
// every end, also one that the other side makes, takes the subscription out of the feed.
//
// The status of a stream that is stalled by flow control waits behind an unread frame. So a stalled subscriber
// has a little time to take both, and then its stream is reset. Its connection is told to go either way and ends with
// the last call on it; the feed forgot it before that.

import type { ChangeFeed } from '../../feed/change-feed.ts';
import type { SubscribeRequest } from '../../feed/feed-options.ts';
import type { EndReason } from '../../feed/subscriptions/frame-sink.ts';
import type { EntityKind } from '../../model/entities.ts';
import { isLabelKey, type LabelSelector, parseLabelSelector } from '../../model/kubernetes/label-selector.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { WatchFilter__Output } from '../../wire/generated/digger/v1/WatchFilter.ts';
import type { WatchRequest__Output } from '../../wire/generated/digger/v1/WatchRequest.ts';
import { type CallError, quote } from '../errors/call-error.ts';
import {
  connectionAged,
  draining,
  invalidArgument,
  otherCluster,
  namespacesUnknown,
  replicaBehind,
  timelinesHidden,
} from '../errors/outcomes.ts';
import { subscriberStalled, tooManySubscribers } from '../errors/over-limits.ts';
import { MAX_CHOSEN_KEYS, MAX_FILTER_LABELS, MAX_FILTER_NAMES } from './requests/filter-size.ts';
import { parseView, Violations } from './requests/request-fields.ts';
import type { FeedService, WatchCall } from './register.ts';
import { baseCallOf } from '../calls/base-call.ts';
import { resetStream, retireSession } from '../calls/stream-reset.ts';
import { toCallFailure } from '../calls/call-environment.ts';
import { onRetire } from '../calls/gated-call.ts';

export interface WatchOptions {
  readonly feed: ChangeFeed;
  readonly logger: Logger;
  /** There is a list of namespaces: filters may look at their labels. Default: there is. */
  readonly knowsNamespaces?: () => boolean;
  /**
   * Called when a subscription asks for timelines, with whether it knows hidden holders; false: there are some, and it
   * does not.
   */
  readonly wantTimelines?: (knowsHidden: boolean) => boolean;
  /** Ends the connection of a peer at once, with everything on it: the last resort, see `stream-reset.ts`. */
  readonly disconnect: (peer: string) => void;
  /**
   * What a stalled subscriber gets to take its status before its stream is reset, and then its connection to take that
   * before it is destroyed. Default 5 s each.
   */
  readonly stalledGraceMs?: number;
}

/** DNS subdomains, RFC 1123; a label's key is one with a slash and a name of 63. Longer ones cannot match anything. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_KEY_LENGTH = 317;
const MAX_LABEL_VALUE_LENGTH = 63;
/** Of a label selector: some hundred values. */
const MAX_SELECTOR_LENGTH = 4_096;

/** The feed, as the server needs it. */
export function createFeedService(options: WatchOptions): FeedService {
  return {
    watch: (call, caller, revoked) => watch(call, options, caller, revoked),
    drain: () => options.feed.drain(),
  };
}

/** Throws CallError with every violation that was found. */
export function parseWatchRequest(request: WatchRequest__Output): SubscribeRequest {
  const violations = new Violations();
  const filter = parseFilter(request.filter, violations);
  const view = parseView(request.view, violations);
  const heartbeatMs = parseHeartbeat(request.heartbeatInterval, violations);
  // Timelines name objects of many namespaces, and one whose labels change would have to move all of theirs.
  if (request.timelines && (filter.namespaceSelector ?? []).length > 0) {
    violations.add('filter.namespace_selector', 'NOT_SERVED', 'timelines are not filtered by labels of namespaces');
  }
  if (request.podNetworks && !request.timelines) {
    violations.add('timelines', 'REQUIRED', 'pod_networks asks for more timelines: only together with timelines');
  }
  if (request.hiddenHolders && !request.timelines) {
    violations.add('timelines', 'REQUIRED', 'hidden_holders is about timelines: only together with timelines');
  }
  const values = parseValues(request.values, violations);
  violations.throwIfAny();
  const { resumeToken, snapshotOnly, timelines, podNetworks } = request;
  return { filter, view, values, timelines, podNetworks, resumeToken, snapshotOnly, heartbeatMs };
}

const DEFAULT_STALLED_GRACE_MS = 5_000;
const MIN_HEARTBEAT_MS = 1_000;
const MAX_HEARTBEAT_MS = 30_000;
const DEFAULT_HEARTBEAT_MS = 10_000;

const KINDS: ReadonlyMap<string | number, EntityKind> = new Map([
  ['ENTITY_KIND_POD', 'Pod'],
  ['ENTITY_KIND_SERVICE', 'Service'],
  ['ENTITY_KIND_NODE', 'Node'],
  ['ENTITY_KIND_WORKLOAD', 'Workload'],
  ['ENTITY_KIND_NAMESPACE', 'Namespace'],
]);

function watch(call: WatchCall, options: WatchOptions, caller: string, revoked: AbortSignal | undefined): void {
  const { feed, logger } = options;
  const request = { caller, ...parseWatchRequest(call.request) };
  const { namespaceSelector = [] } = request.filter;
  if (namespaceSelector.length > 0 && options.knowsNamespaces?.() === false) throw namespacesUnknown();
  if (request.timelines && options.wantTimelines?.(call.request.hiddenHolders) === false) throw timelinesHidden();
  const fail = (error: CallError): void => {
    call.emit('error', toCallFailure(error, call.getPath(), logger));
  };
  const end = (reason: EndReason, silentMs: number): void => {
    switch (reason) {
      case 'complete':
        call.end();
        return;
      case 'draining':
        fail(isRetired ? connectionAged() : draining());
        return;
      case 'behind':
        fail(replicaBehind());
        return;
      case 'stalled':
        fail(subscriberStalled(silentMs));
        letGo(call, options);
        return;
    }
  };
  let isRetired = false;
  const opened = feed.open(request, {
    write: (frame, taken) => call.write(frame, taken),
    end,
  });
  switch (opened.outcome) {
    case 'opened':
      // Also comes after an end of ours; closing twice does nothing.
      call.once('cancelled', opened.close);
      if (call.cancelled) opened.close();
      onRetire(call, () => {
        isRetired = true;
        opened.drain();
      });
      revoked?.addEventListener('abort', () => {
        if (call.cancelled) return;
        opened.close();
        fail(revoked.reason as CallError);
        letGo(call, options);
      });
      return;
    case 'not-a-token':
      throw invalidArgument([
        {
          field: 'resume_token',
          reason: 'MALFORMED_TOKEN',
          description: `${call.request.resumeToken.byteLength} bytes that are not a token of this service`,
        },
      ]);
    case 'other-cluster':
      throw otherCluster(opened.token, opened.here);
    case 'too-many-subscribers':
      throw tooManySubscribers(opened.reached, opened.limit, caller);
    case 'draining':
      throw draining();
  }
}

/** Lets the caller take its status, resets the stream when it does not, and tells its connection to go. */
function letGo(call: WatchCall, { disconnect, logger, stalledGraceMs }: WatchOptions): void {
  const graceMs = stalledGraceMs ?? DEFAULT_STALLED_GRACE_MS;
  const peer = call.getPeer();
  const destroy = (): void => disconnect(peer);
  const stream = baseCallOf(call)?.stream;
  if (stream?.session !== undefined) retireSession(stream.session, graceMs, destroy);
  const timer = setTimeout(() => {
    if (call.cancelled) return;
    logger.warn({ peer }, 'a subscriber that was ended did not take its status: its stream is reset');
    if (stream === undefined) destroy();
    else resetStream(stream, graceMs, destroy);
  }, graceMs);
  timer.unref();
  call.once('cancelled', () => clearTimeout(timer));
}

function parseFilter(filter: WatchFilter__Output | null, violations: Violations): SubscribeRequest['filter'] {
  if (filter === null) return { kinds: [], namespaces: [], nodeNames: [], labels: new Map() };
  const kinds: EntityKind[] = [];
  for (const [index, value] of filter.kinds.entries()) {
    const kind = KINDS.get(value);
    if (kind === undefined) {
      violations.add(`filter.kinds[${index}]`, 'UNKNOWN_VALUE', `${value} is not a kind of entities, 1–5`);
      // One is enough to say so: the list may be long.
      break;
    }
    kinds.push(kind);
  }
  checkNames(filter.namespaces, 'filter.namespaces', violations);
  checkNames(filter.nodeNames, 'filter.node_names', violations);
  const labels = new Map(Object.entries(filter.labels));
  if (labels.size > MAX_FILTER_LABELS) {
    violations.add('filter.labels', 'TOO_MANY', `${labels.size} labels, at most ${MAX_FILTER_LABELS}`);
  }
  for (const [key, value] of labels) {
    if (key.length <= MAX_LABEL_KEY_LENGTH && value.length <= MAX_LABEL_VALUE_LENGTH) continue;
    violations.add('filter.labels', 'OUT_OF_RANGE', `${quote(key)}: longer than any label`);
    break;
  }
  if (labels.has('')) violations.add('filter.labels', 'REQUIRED', 'a label has a key');
  const namespaceSelector = parseSelector(filter.namespaceSelector, 'filter.namespace_selector', violations);
  const labelSelector = parseSelector(filter.labelSelector, 'filter.label_selector', violations);
  return {
    kinds,
    namespaces: filter.namespaces,
    nodeNames: filter.nodeNames,
    labels,
    namespaceSelector,
    labelSelector,
  };
}

function parseSelector(text: string, field: string, violations: Violations): LabelSelector {
  if (text.length > MAX_SELECTOR_LENGTH) {
    violations.add(field, 'OUT_OF_RANGE', `${text.length} characters, at most ${MAX_SELECTOR_LENGTH}`);
    return [];
  }
  const parsed = parseLabelSelector(text);
  if (!parsed.ok) {
    violations.add(field, 'MALFORMED_SELECTOR', `"${quote(text)}" is not a label selector: ${parsed.problem}`);
    return [];
  }
  if (parsed.selector.length > MAX_FILTER_LABELS) {
    violations.add(field, 'TOO_MANY', `${parsed.selector.length} requirements, at most ${MAX_FILTER_LABELS}`);
  }
  return parsed.selector;
}

function parseValues(values: WatchRequest__Output['values'], violations: Violations): SubscribeRequest['values'] {
  if (values === null) return undefined;
  for (const field of ['labels', 'annotations'] as const) {
    const keys = values[field];
    if (keys.length > MAX_CHOSEN_KEYS) {
      violations.add(`values.${field}`, 'TOO_MANY', `${keys.length} keys, at most ${MAX_CHOSEN_KEYS}`);
    }
    const wrong = keys.findIndex((key) => !isKeyPattern(key));
    if (wrong < 0) continue;
    const description = `"${quote(keys[wrong] ?? '')}" is not a key, all keys of a domain (example.com/*), or *`;
    violations.add(`values.${field}[${wrong}]`, 'UNKNOWN_VALUE', description);
  }
  return { labels: values.labels, annotations: values.annotations };
}

function isKeyPattern(text: string): boolean {
  if (text === '*') return true;
  // Keys of annotations may have capitals in their domain.
  return isLabelKey((text.endsWith('/*') ? `${text.slice(0, -1)}any` : text).toLowerCase());
}

function checkNames(names: readonly string[], field: string, violations: Violations): void {
  if (names.length > MAX_FILTER_NAMES) {
    violations.add(field, 'TOO_MANY', `${names.length} names, at most ${MAX_FILTER_NAMES}`);
  }
  const long = names.findIndex((name) => name.length > MAX_NAME_LENGTH);
  if (long >= 0) {
    violations.add(`${field}[${long}]`, 'OUT_OF_RANGE', `longer than any name, at most ${MAX_NAME_LENGTH} characters`);
  }
  // An empty name would look like "cluster-scoped", which no entity with this attribute is.
  const index = names.indexOf('');
  if (index >= 0) violations.add(`${field}[${index}]`, 'REQUIRED', 'must not be empty');
}

/** Clamped rather than refused: the caller gets at least what it asked for, or the nearest that we do. */
function parseHeartbeat(interval: WatchRequest__Output['heartbeatInterval'], violations: Violations): number {
  if (interval === null) return DEFAULT_HEARTBEAT_MS;
  const seconds = Number(interval.seconds);
  const intervalMs = seconds * 1000 + interval.nanos / 1e6;
  if (intervalMs < 0) {
    violations.add('heartbeat_interval', 'OUT_OF_RANGE', `${quote(String(seconds))} s is negative`);
    return DEFAULT_HEARTBEAT_MS;
  }
  return Math.min(Math.max(intervalMs, MIN_HEARTBEAT_MS), MAX_HEARTBEAT_MS);
}
