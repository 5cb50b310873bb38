// Errors of calls for what they ask, who asks, and how this replica is doing: one function for each reason.
//
// Reasons and metadata are part of the contract (docs/clients.md has them all); sentences are for people.

import { status } from '@grpc/grpc-js';

import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import { CallError, type Limit, quote, type Violation } from './call-error.ts';

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
  const message = `no container ${quote(containerId)} among those that are indexed; there are more containers than the index holds`;
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

/** FAILED_PRECONDITION: `--namespace-rule` hides some holders, and the consumer did not say that it knows of such. */
export function timelinesHidden(): CallError {
  const message =
    'timelines: --namespace-rule hides namespaces, so they have holders without a name; set hidden_holders if you know them, or ask with ResolveAddress';
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
    'this replica is behind the state of the resume token; retry, or connect to another replica',
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

/** UNAVAILABLE: the connection is as old as connections get; the stream goes on at a new one. */
export function connectionAged(): CallError {
  return new CallError(
    status.UNAVAILABLE,
    'CONNECTION_AGE',
    'the connection has reached its maximum age; connect again and resume',
    { retryDelayMs: DRAINING_RETRY_MS },
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

/** Said twice, in the message and as base64 in the details: together they stay below 8 KiB with the rest of a trailer. */
const MAX_PENDING_LENGTH = 2_000;

/** A first list takes seconds in a large cluster; asking more often would only add load. */
const NOT_SYNCED_RETRY_MS = 1_000;

/** Another replica answers at once; the delay spreads its load. */
const DRAINING_RETRY_MS = 200;

/** The call waited already for as long as a healthy watch is ever late. */
const REPLICA_BEHIND_RETRY_MS = 1_000;
