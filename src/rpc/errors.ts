// What a failed call tells its caller: a gRPC status code, one sentence, and `google.rpc.Status` details (ErrorInfo
// always; BadRequest, RetryInfo, RequestInfo where they apply) in the trailer `grpc-status-details-bin`, or as a value
// inside a batch answer.
//
// A CallError is an expected outcome of a call, never a bug: whatever else is thrown while a call is handled becomes
// INTERNAL without details of ours. Text of a caller is quoted only as a short well-formed prefix: a trailer has to fit
// into what clients accept as headers, and a lone surrogate cannot be percent-encoded.

import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js';

import type { ClusterIdentity } from '../model/cluster-identity.ts';
import { escapeControls } from '../telemetry/escape-controls.ts';
import { messageType } from '../wire/schema.ts';
import { toSecondsAndNanos } from '../wire/seconds-and-nanos.ts';
import type { Full } from './limits/ledger.ts';

/** Domain of every ErrorInfo. */
export const ERROR_DOMAIN = 'digger';

/** One wrong field of a request. */
export interface Violation {
  /** Path in the request message, e.g. `queries[3].address`; empty: the message as a whole. */
  readonly field: string;
  /** UPPER_SNAKE_CASE. */
  readonly reason: ViolationReason;
  /** What was given and what is allowed. */
  readonly description: string;
}

export type ViolationReason =
  | 'MALFORMED_MESSAGE'
  | 'REQUIRED'
  | 'NOT_AN_ADDRESS'
  | 'NOT_A_CONTAINER_ID'
  | 'NOT_A_NETWORK'
  | 'OUT_OF_RANGE'
  | 'UNKNOWN_VALUE'
  | 'INVALID_TIMESTAMP'
  | 'IN_THE_FUTURE'
  | 'TOO_MANY'
  | 'MALFORMED_SELECTOR'
  | 'MALFORMED_TOKEN'
  | 'NOT_SERVED';

/** A call that failed as expected. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** gRPC status code. */
  readonly code: status;
  /** ErrorInfo.reason, UPPER_SNAKE_CASE. */
  readonly reason: string;
  readonly facts: CallErrorFacts;

  constructor(code: status, reason: string, message: string, facts: CallErrorFacts = {}) {
    // Where an expected outcome was found is of no interest, and stacks were a third of what a flood of bad requests
    // costs.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.reason = reason;
    this.facts = facts;
  }
}

export interface CallErrorFacts {
  /** ErrorInfo.metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** BadRequest. */
  readonly violations?: readonly Violation[];
  /** RetryInfo: when it makes sense to try again. */
  readonly retryDelayMs?: number;
  /** The bound that the call met, for the metric of refusals. */
  readonly limit?: Limit;
}

/** Bounds whose refusals are counted under their name. */
export type Limit = (typeof LIMITS)[number];

export const LIMITS = [
  'message_size',
  'batch_size',
  'caller_rate',
  'arriving_requests',
  'request_timeout',
  'untaken_answers',
  'open_calls',
  'caller_calls',
  'health_watches',
  'header_size',
  'compression',
  'second_message',
  'control_frames',
  'rapid_resets',
  'large_headers',
] as const;

/** INVALID_ARGUMENT with every violation that was found; at least one. `limit`: what it ran into, if it is one. */
export function invalidArgument(violations: readonly Violation[], limit?: Limit): CallError {
  const message = violations.map(({ field, description }) => (field === '' ? description : `${field}: ${description}`));
  return new CallError(status.INVALID_ARGUMENT, 'INVALID_ARGUMENT', message.join('; '), {
    metadata: { fields: violations.map(({ field }) => field).join(',') },
    violations,
    ...(limit === undefined ? {} : { limit }),
  });
}

/**
 * NOT_FOUND: the cluster has no such object; said as `no pod default/web-0`, and behind it what may have been meant.
 */
export function objectNotFound(
  kind: string,
  namespace: string,
  name: string,
  uid: string,
  hint?: { readonly text: string; readonly didYouMean: string },
): CallError {
  const path = namespace === '' ? quote(name) : `${quote(namespace)}/${quote(name)}`;
  const given = Object.entries({ kind, namespace, name, uid }).filter(([, text]) => text !== '');
  const metadata = Object.fromEntries(given.map(([key, text]) => [key, quote(text)]));
  if (hint !== undefined && hint.didYouMean !== '') metadata['did_you_mean'] = hint.didYouMean;
  const withUid = uid === '' ? '' : ` with uid ${quote(uid)}`;
  const message = `no ${quote(kind)} ${path}${withUid}${hint === undefined ? '' : `; ${hint.text}`}`;
  return new CallError(status.NOT_FOUND, 'OBJECT_NOT_FOUND', message, { metadata });
}

/** NOT_FOUND: no container, or no pod, that is or was in the history; `what` is quoted. */
export function containerNotFound(field: 'container_id' | 'pod_uid', what: string): CallError {
  const message = field === 'pod_uid' ? `no pod with uid ${quote(what)}` : `no container ${quote(what)}`;
  return new CallError(status.NOT_FOUND, 'CONTAINER_NOT_FOUND', message, { metadata: { [field]: quote(what) } });
}

/** FAILED_PRECONDITION: more digits would tell them apart. */
export function containerIdAmbiguous(containerId: string, count: number): CallError {
  const message = `${count} containers have an id that begins with ${quote(containerId)}: give more of its digits`;
  return new CallError(status.FAILED_PRECONDITION, 'CONTAINER_ID_AMBIGUOUS', message, {
    metadata: { container_id: quote(containerId), matches: String(count) },
  });
}

/** RESOURCE_EXHAUSTED: not found, but there are more containers than are indexed. */
export function containerIndexFull(containerId: string): CallError {
  const message = `no container ${quote(containerId)} among those that are indexed, and there are more of them`;
  return new CallError(status.RESOURCE_EXHAUSTED, 'CONTAINER_INDEX_FULL', message, {
    metadata: { container_id: quote(containerId) },
  });
}

/** FAILED_PRECONDITION: the operator hides this namespace; whether it exists is not said. */
export function namespaceNotPublished(namespace: string): CallError {
  const message = `this replica does not publish the namespace ${quote(namespace)}`;
  return new CallError(status.FAILED_PRECONDITION, 'NAMESPACE_NOT_PUBLISHED', message, {
    metadata: { namespace: quote(namespace) },
  });
}

/** FAILED_PRECONDITION: there is no list of namespaces, so nothing can be said of them or of their labels. */
export function namespacesUnknown(): CallError {
  const message = 'this replica has no list of namespaces: it may not list them, see GetStatus';
  return new CallError(status.FAILED_PRECONDITION, 'NAMESPACES_UNKNOWN', message);
}

/** FAILED_PRECONDITION: timelines name their holders, and `--namespace-rule` hides some. */
export function timelinesHidden(): CallError {
  const message = 'timelines: none are told where --namespace-rule hides namespaces; ask with ResolveAddress instead';
  return new CallError(status.FAILED_PRECONDITION, 'TIMELINES_HIDDEN', message);
}

/** UNAVAILABLE: the picture is not complete yet; `pending` says what is missing. */
export function notSynced(pending: readonly string[]): CallError {
  const all = pending.join('; ');
  const list = all.length > MAX_PENDING_LENGTH ? `${all.slice(0, MAX_PENDING_LENGTH).toWellFormed()}…` : all;
  return new CallError(status.UNAVAILABLE, 'NOT_SYNCED', `not synced yet, waiting for: ${list}`, {
    metadata: { pending: list },
    retryDelayMs: NOT_SYNCED_RETRY_MS,
  });
}

/** UNAVAILABLE: this replica stops; another one, or the next process, will answer. */
export function draining(): CallError {
  return new CallError(status.UNAVAILABLE, 'DRAINING', 'this replica is draining', { retryDelayMs: DRAINING_RETRY_MS });
}

/** UNAVAILABLE: the caller's resume token has seen more of the cluster than this replica; it would go back in time. */
export function replicaBehind(): CallError {
  return new CallError(
    status.UNAVAILABLE,
    'REPLICA_BEHIND',
    'this replica has not seen yet what the resume token has; try again, or another replica',
    { retryDelayMs: REPLICA_BEHIND_RETRY_MS },
  );
}

/** FAILED_PRECONDITION: what the consumer has is of another cluster, so that nothing here continues it. */
export function otherCluster(token: ClusterIdentity, here: ClusterIdentity): CallError {
  const told = ({ name, uid }: ClusterIdentity): string =>
    `${name === '' ? 'a cluster without a name' : quote(name)}${uid === '' ? '' : ` (${quote(uid)})`}`;
  return new CallError(
    status.FAILED_PRECONDITION,
    'OTHER_CLUSTER',
    `the resume token is of ${told(token)}, this is ${told(here)}`,
    {
      metadata: {
        token_cluster_name: token.name,
        token_cluster_uid: token.uid,
        cluster_name: here.name,
        cluster_uid: here.uid,
      },
    },
  );
}

/** UNAUTHENTICATED: no credentials, or bad ones. */
export function unauthenticated(message: string): CallError {
  return new CallError(status.UNAUTHENTICATED, 'UNAUTHENTICATED', message);
}

/** PERMISSION_DENIED: known, and not allowed to call `method`. */
export function permissionDenied(message: string, method: string): CallError {
  return new CallError(status.PERMISSION_DENIED, 'PERMISSION_DENIED', message, { metadata: { method } });
}

/**
 * RESOURCE_EXHAUSTED: this replica serves as many subscribers as it may, in all or of this caller, or has no room for
 * another filter of this caller.
 */
export function tooManySubscribers(
  reached: 'replica' | 'caller' | 'filters',
  limit: number,
  caller: string,
): CallError {
  const what = { replica: 'subscribers', caller: `subscribers of ${quote(caller)}`, filters: `bytes of filters` }[
    reached
  ];
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'TOO_MANY_SUBSCRIBERS',
    `this replica already serves its limit of ${limit} ${what}`,
    {
      metadata: { limit: String(limit), of: reached, ...(reached === 'caller' ? { caller: quote(caller) } : {}) },
      retryDelayMs: SUBSCRIBERS_RETRY_MS,
    },
  );
}

/** RESOURCE_EXHAUSTED: a message of the request is longer than messages may be. */
export function messageTooLarge(bytes: number, maxBytes: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'MESSAGE_TOO_LARGE',
    `the request is a message of ${bytes} bytes, at most ${maxBytes} are allowed`,
    { metadata: { bytes: String(bytes), max_bytes: String(maxBytes) }, limit: 'message_size' },
  );
}

/** RESOURCE_EXHAUSTED: the caller asked for more expensive work than it may in a second. */
export function callerRateExceeded(
  caller: string,
  { cost, left, perSecond, retryAfterMs }: Record<'cost' | 'left' | 'perSecond' | 'retryAfterMs', number>,
): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'CALLER_RATE',
    `${quote(caller)} asks for too much: this call counts as ${cost} lookups, ${left} are left of ${perSecond} a second`,
    {
      metadata: { cost: String(cost), left: String(left), per_second: String(perSecond) },
      retryDelayMs: retryAfterMs,
      limit: 'caller_rate',
    },
  );
}

/** RESOURCE_EXHAUSTED: calls take as much memory as they may, and this one's request has been arriving for longest. */
export function requestEvicted(full: Full): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'REQUEST_UNFINISHED',
    `the open calls of this ${full} take as much memory as they may, and this request has been arriving for longest`,
    { metadata: { of: full }, retryDelayMs: REQUEST_RETRY_MS, limit: 'arriving_requests' },
  );
}

/** RESOURCE_EXHAUSTED: calls take as much memory as they may, and none of them is about to end. */
export function tooManyCalls(full: Full, bytes: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'TOO_MANY_CALLS',
    `the open calls of this ${full} take the ${bytes} bytes of memory that they may`,
    {
      metadata: { of: full, max_bytes: String(bytes) },
      retryDelayMs: REQUEST_RETRY_MS,
      limit: full === 'caller' ? 'caller_calls' : 'open_calls',
    },
  );
}

/** RESOURCE_EXHAUSTED: as many callers watch the health of this replica as may. */
export function tooManyHealthWatches(limit: number, of: 'replica' | 'address'): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'TOO_MANY_HEALTH_WATCHES',
    `${limit} streams watch the health of this replica${of === 'address' ? ' from this address' : ''}, as many as may`,
    { metadata: { limit: String(limit), of }, retryDelayMs: SUBSCRIBERS_RETRY_MS, limit: 'health_watches' },
  );
}

/** RESOURCE_EXHAUSTED: the headers of the call are longer than headers may be, as they are after HPACK. */
export function headersTooLarge(bytes: number, maxBytes: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'HEADERS_TOO_LARGE',
    `the headers of the call have ${bytes} bytes, at most ${maxBytes} are allowed`,
    { metadata: { bytes: String(bytes), max_bytes: String(maxBytes) }, limit: 'header_size' },
  );
}

/** UNIMPLEMENTED: requests are not unpacked; `encoding` is what the caller names. */
export function compressionUnsupported(encoding: string): CallError {
  return new CallError(
    status.UNIMPLEMENTED,
    'COMPRESSION_UNSUPPORTED',
    `the request is compressed (${quote(encoding)}); this service takes requests without compression (identity) only`,
    { metadata: { encoding: quote(encoding) }, limit: 'compression' },
  );
}

/** UNIMPLEMENTED: one message where one is allowed, and then more bytes. */
export function secondMessage(method: string): CallError {
  return new CallError(status.UNIMPLEMENTED, 'SECOND_MESSAGE', `${method} takes one message, and more came`, {
    metadata: { method },
    limit: 'second_message',
  });
}

/** UNAVAILABLE: the connection is as old as connections get; the stream goes on at a new one. */
export function connectionAged(): CallError {
  return new CallError(
    status.UNAVAILABLE,
    'CONNECTION_AGE',
    'the connection is as old as connections of this service get; connect again and resume',
    { retryDelayMs: DRAINING_RETRY_MS },
  );
}

/** RESOURCE_EXHAUSTED: the request was not complete in time. */
export function requestTimedOut(timeoutMs: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'REQUEST_UNFINISHED',
    `the request was not complete ${timeoutMs} ms after its headers`,
    { metadata: { timeout_ms: String(timeoutMs) }, limit: 'request_timeout' },
  );
}

/** RESOURCE_EXHAUSTED: the subscriber took nothing for `stalledMs`. */
export function subscriberStalled(stalledMs: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'SUBSCRIBER_STALLED',
    `the subscriber took nothing for ${Math.round(stalledMs)} ms`,
    { metadata: { stalled_ms: String(Math.round(stalledMs)) } },
  );
}

/** CANCELLED: the caller has gone and will not read this. */
export function cancelled(): CallError {
  return new CallError(status.CANCELLED, 'CANCELLED', 'the caller has gone');
}

/** INTERNAL: a bug of ours; the cause is in the log with the request id. */
export function internalError(): CallError {
  return new CallError(status.INTERNAL, 'INTERNAL', 'internal error; the server log has the details');
}

/** A failure as grpc-js takes it from handlers and from interceptors. */
export type CallFailure = Required<Omit<ServerErrorResponse, keyof Error>> & Error;

/** What grpc-js sends for this error: code, message, and the details trailer with the request's id. */
export function toServerError(error: CallError, requestId: string): CallFailure {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', StatusType.encode(toStatus(error, requestId)).finish() as Buffer);
  return Object.assign(
    withoutStack(() => new Error(error.message)),
    { code: error.code, details: error.message, metadata },
  );
}

/** Runs something whose errors need no stack. */
export function withoutStack<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The same as a `google.rpc.Status` object, for protobufjs to encode. */
export function toStatus(error: CallError, requestId?: string): { code: number; message: string; details: Any[] } {
  const { metadata = {}, violations, retryDelayMs } = error.facts;
  const details = [any('google.rpc.ErrorInfo', { reason: error.reason, domain: ERROR_DOMAIN, metadata })];
  if (violations !== undefined) details.push(any('google.rpc.BadRequest', { fieldViolations: violations }));
  if (retryDelayMs !== undefined) {
    details.push(any('google.rpc.RetryInfo', { retryDelay: toSecondsAndNanos(retryDelayMs) }));
  }
  if (requestId !== undefined) details.push(any('google.rpc.RequestInfo', { requestId }));
  return { code: error.code, message: error.message, details };
}

/** Text of a caller in a form that is short, on one line, and safe to send back, to log and to print. */
export function quote(text: string): string {
  if (text.length <= MAX_QUOTED_LENGTH) return escapeControls(text.toWellFormed());
  return `${escapeControls(text.slice(0, MAX_QUOTED_LENGTH).toWellFormed())}… (${text.length} characters)`;
}

/** Longer than any address and than any label value of Kubernetes (63), so that honest input is quoted whole. */
const MAX_QUOTED_LENGTH = 64;

/** Said twice, in the message and as base64 in the details: together they stay below 8 KiB with the rest of a trailer. */
const MAX_PENDING_LENGTH = 2_000;

/** A first list takes seconds in a large cluster; asking more often would only add load. */
const NOT_SYNCED_RETRY_MS = 1_000;

/** Another replica answers at once; the delay spreads its load. */
const DRAINING_RETRY_MS = 200;

/** Waiting lookups end within 30 s, half-sent requests within milliseconds. */
const REQUEST_RETRY_MS = 1_000;

/** The call waited already for as long as a healthy watch is ever late. */
const REPLICA_BEHIND_RETRY_MS = 1_000;

/** Room comes when a subscriber leaves or another replica starts, which is a matter of seconds. */
const SUBSCRIBERS_RETRY_MS = 5_000;

interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}

function any(typeName: string, value: Record<string, unknown>): Any {
  const type = messageType(typeName);
  return { type_url: `type.googleapis.com/${typeName}`, value: type.encode(type.fromObject(value)).finish() };
}

const StatusType = messageType('google.rpc.Status');
