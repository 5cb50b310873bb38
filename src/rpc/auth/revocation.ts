// Looks at the caller of an open stream again from time to time: a caller that lost the right to subscribe, or whose
// token has expired, does not keep a stream for as long as it happens to live. It may come back with a fresh token and
// resume.
//
// That nothing can be decided (the API server is away, too many reviews at once) is no refusal at first: a stream
// outlives it for UNDECIDED_RECHECKS intervals. Then it ends, because otherwise an outage, real or provoked, would undo
// revocation.

import { status } from '@grpc/grpc-js';

import { CallError } from '../errors/call-error.ts';
import type { Authenticator, CallIdentity } from './authenticator.ts';

/** A revoked subscriber gets changes for this long at most, and what the caches of reviews add. */
export const RECHECK_INTERVAL_MS = 60_000;

/** 5 min by default: longer than an API server takes to restart, short enough for a right that was taken away. */
export const UNDECIDED_RECHECKS = 5;

/** A call as it is at both ends of its life. */
export interface RecheckedCall {
  /** It has ended, however. */
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/**
 * Aborts, with the CallError as its reason, when the caller is refused, or when nothing could be decided
 * UNDECIDED_RECHECKS times in a row.
 */
export function watchForRevocation(
  authenticate: Authenticator,
  identity: CallIdentity,
  call: RecheckedCall,
  intervalMs: number,
): AbortSignal {
  const controller = new AbortController();
  // A call may end while its caller is looked at for the first time, and says so once only.
  if (call.cancelled) return controller.signal;
  const { method, metadata } = identity;
  const admitted: CallIdentity = { method, metadata, getPeer: () => identity.getPeer(), admitted: true };
  let underWay = false;
  let undecided = 0;
  const recheck = async (): Promise<void> => {
    // One at a time: an answer that takes longer than an interval counts once.
    if (underWay) return;
    underWay = true;
    const refusal = await authenticate(admitted);
    underWay = false;
    undecided = refusal?.code === status.UNAVAILABLE ? undecided + 1 : 0;
    if (refusal === undefined || (undecided > 0 && undecided < UNDECIDED_RECHECKS)) return;
    clearInterval(timer);
    controller.abort(undecided > 0 ? undecidedForTooLong(refusal) : refusal);
  };
  const timer = setInterval(() => void recheck(), intervalMs);
  timer.unref();
  call.once('cancelled', () => clearInterval(timer));
  return controller.signal;
}

function undecidedForTooLong({ code, reason, message, facts }: CallError): CallError {
  return new CallError(code, reason, `${message}, ${UNDECIDED_RECHECKS} times in a row; subscribe again`, facts);
}
