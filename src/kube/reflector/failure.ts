// What went wrong, in classes that each have their own answer in the reflector.
//
// Only the outside world is classified; anything else that is thrown is a bug and goes on up.

import type { ApiStatus } from '../decoding/api-status.ts';
import { CredentialsError } from '../credentials/credentials.ts';
import { TransportError } from '../transport/transport.ts';
import { WireError } from '../wire-error.ts';

/** An answer other than 200, or an ERROR event. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly status: ApiStatus;

  constructor(status: ApiStatus, what: string) {
    super(`${what}: ${status.code}${status.reason === '' ? '' : ` ${status.reason}`}: ${status.message}`);
    this.status = status;
  }
}

/** A watch that the server ended too soon to be meant (client-go: "very short watch"). */
export class ShortWatchError extends Error {
  override readonly name = 'ShortWatchError';
}

/** Nothing came for longer than a healthy peer is ever silent. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
}

/** The kinds are also the reasons by which restarts are counted. */
export const FAILURE_KINDS = [
  /** 410: the version is older than what the server remembers. */
  'expired',
  /** The version is newer than what the server knows: it was restored, or lags. */
  'version_too_large',
  /** 429. */
  'throttled',
  /** A watch that lost an event on the server's side (a delete that could not be read). */
  'store_read_error',
  'server_error',
  'unauthorized',
  'forbidden',
  'not_found',
  /** Any other refusal of what was asked for. */
  'rejected',
  'unreachable',
  'stalled',
  'credentials',
  'undecodable',
  'short_watch',
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Why lists and watches begin anew, as a label. */
export const RESTART_REASONS = [
  ...FAILURE_KINDS,
  /** The server no longer has the rest of a list in pages. */
  'expired_continue',
  /** In good order, but before the time that was asked for. */
  'ended_early',
] as const;

export type RestartReason = (typeof RESTART_REASONS)[number];

export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** The least time that the server asked for; 0: none. */
  readonly retryAfterMs: number;
}

/** Throws `error` itself when it does not come from outside. */
export function toFailure(error: unknown): Failure {
  if (error instanceof ApiError) {
    return { kind: toKind(error.status), message: error.message, retryAfterMs: error.status.retryAfterMs };
  }
  const kind = toLocalKind(error);
  if (kind === undefined) throw error;
  return { kind, message: (error as Error).message, retryAfterMs: 0 };
}

function toLocalKind(error: unknown): FailureKind | undefined {
  if (error instanceof TransportError) return 'unreachable';
  if (error instanceof WireError) return 'undecodable';
  if (error instanceof StalledError) return 'stalled';
  if (error instanceof ShortWatchError) return 'short_watch';
  if (error instanceof CredentialsError) return 'credentials';
  return undefined;
}

function toKind(status: ApiStatus): FailureKind {
  if (isTooLarge(status)) return 'version_too_large';
  // Events of some servers carry a reason and no code.
  if (status.code === 410 || status.reason === 'Expired' || status.reason === 'Gone') return 'expired';
  if (status.code === 429) return 'throttled';
  if (status.reason === 'StoreReadError') return 'store_read_error';
  if (status.code === 401) return 'unauthorized';
  if (status.code === 403) return 'forbidden';
  if (status.code === 404) return 'not_found';
  return status.code >= 400 && status.code < 500 ? 'rejected' : 'server_error';
}

/** Three generations of servers say it in three ways (client-go, reflector.go: isTooLargeResourceVersionError). */
function isTooLarge(status: ApiStatus): boolean {
  const phrase = 'Too large resource version';
  if (status.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return true;
  if (status.code !== 504 && status.reason !== 'Timeout') return false;
  return status.causes.some((cause) => cause.message.startsWith(phrase)) || status.message.includes(phrase);
}
