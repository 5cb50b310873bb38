// Looks at the caller of an open stream again from time to time: whoever lost the right to subscribe, or whose token has
// expired, does not keep a stream for as long as it happens to live. It may come back with a fresh token and resume.

import type { CallError } from '../errors.ts';
import type { Authenticator, CallIdentity } from './authenticator.ts';

/** A revoked subscriber gets changes for this long at most, and what the caches of reviews add. */
export const RECHECK_INTERVAL_MS = 60_000;

/** A call as it is at both ends of its life. */
export interface RecheckedCall {
  once(event: 'cancelled', listener: () => void): unknown;
}

/**
 * Aborts, with the CallError as its reason, when the caller is refused. That nothing can be decided is no refusal: who
 * was let in stays in.
 */
export function watchForRevocation(
  authenticate: Authenticator,
  identity: CallIdentity,
  call: RecheckedCall,
  intervalMs: number,
): AbortSignal {
  const controller = new AbortController();
  const recheck = async (): Promise<void> => {
    const refusal: CallError | undefined = await authenticate(identity);
    if (refusal === undefined || refusal.reason === 'AUTHENTICATION_UNAVAILABLE') return;
    clearInterval(timer);
    controller.abort(refusal);
  };
  const timer = setInterval(() => void recheck(), intervalMs);
  timer.unref();
  call.once('cancelled', () => clearInterval(timer));
  return controller.signal;
}
