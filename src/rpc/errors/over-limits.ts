// Errors of calls that meet a bound of this replica: each names the bound and its value, and when room may come.
//
// RESOURCE_EXHAUSTED, but for what this service does not take at all, whatever its size: UNIMPLEMENTED.

import { status } from '@grpc/grpc-js';

import { CallError, quote } from './call-error.ts';

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
export function requestEvicted(full: 'replica' | 'caller'): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'REQUEST_UNFINISHED',
    `the open calls of this ${full} take all the memory that they are allowed, and this request has been arriving for longest`,
    { metadata: { of: full }, retryDelayMs: REQUEST_RETRY_MS, limit: 'arriving_requests' },
  );
}

/** RESOURCE_EXHAUSTED: calls take as much memory as they may, and none of them is about to end. */
export function tooManyCalls(full: 'replica' | 'caller', bytes: number): CallError {
  return new CallError(
    status.RESOURCE_EXHAUSTED,
    'TOO_MANY_CALLS',
    `the open calls of this ${full} take all of the ${bytes} bytes of memory that they are allowed`,
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
    `${limit} streams watch the health of this replica${of === 'address' ? ' from this address' : ''}, which is the limit`,
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

/** Waiting lookups end within 30 s, half-sent requests within milliseconds. */
const REQUEST_RETRY_MS = 1_000;

/** Room comes when a subscriber leaves or another replica starts, which is a matter of seconds. */
const SUBSCRIBERS_RETRY_MS = 5_000;
